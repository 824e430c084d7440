//! How an image is found and fetched.

use std::path::PathBuf;

/// Talking to a registry.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct RegistryArgs {
    /// Choose the image for this platform, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,

    /// Require HTTPS and check certificates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(crate) tls_verify: Option<bool>,

    /// File of registry credentials
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) authfile: Option<PathBuf>,

    /// Credentials for the registry
    #[arg(long, value_name = "USER[:PASSWORD]")]
    pub(crate) creds: Option<String>,

    /// Suppress progress output
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
