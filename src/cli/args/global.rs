//! Flags that stand before the command.

use std::path::PathBuf;

/// The flags below with a value in the next word.
pub(crate) const GLOBAL_FLAGS: [&str; 3] = ["--root", "--config", "--cdi-spec-dir"];

/// Flags of every command.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct GlobalArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,

    /// Directory of docker's client configuration
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) config: Option<PathBuf>,

    /// Directory of CDI files, in place of /etc/cdi and /var/run/cdi
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) cdi_spec_dir: Vec<PathBuf>,
}
