//! Flags that stand before the command.

use std::path::PathBuf;

/// Flags of every command.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct GlobalArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,

    /// Directory of docker's client configuration
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) config: Option<PathBuf>,
}
