//! How an image is found and fetched.

use std::path::PathBuf;

use crate::oci::Platform;

/// Talking to a registry.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct RegistryArgs {
    /// Choose the image for this platform, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,

    /// Choose the image for this architecture, such as arm64
    #[arg(long, value_name = "ARCH", conflicts_with = "platform")]
    pub(crate) arch: Option<String>,

    /// Choose the image for this operating system
    #[arg(long, value_name = "OS", conflicts_with = "platform")]
    pub(crate) os: Option<String>,

    /// Choose the image for this variant of the architecture, such as v7
    #[arg(long, value_name = "VARIANT", conflicts_with = "platform")]
    pub(crate) variant: Option<String>,

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

    /// Directory of certificates and keys for the registry
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) cert_dir: Option<PathBuf>,

    /// How often a failed request to the registry is tried again (default 4)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) retry: Option<String>,

    /// Time between two tries, in place of one that grows (ms|s|m|h)
    #[arg(long, value_name = "DURATION")]
    pub(crate) retry_delay: Option<String>,

    /// Suppress progress output
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl RegistryArgs {
    /// `--platform`, or what its parts come to where the others are this machine's.
    pub(crate) fn platform(&self) -> Option<String> {
        let parts = [&self.os, &self.arch, &self.variant];
        if self.platform.is_some() || parts.iter().all(|part| part.is_none()) {
            return self.platform.clone();
        }
        let host = Platform::host();
        let os = self.os.as_ref().unwrap_or(&host.os);
        let architecture = self.arch.as_ref().unwrap_or(&host.architecture);
        Some(match &self.variant {
            Some(variant) => format!("{os}/{architecture}/{variant}"),
            None => format!("{os}/{architecture}"),
        })
    }
}
