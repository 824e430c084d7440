//! Data of a job that is placed into a container and brought back from it.

/// Copies before the start and after the end.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct CopyArgs {
    /// Copy a host path into the container's own layer before it starts
    #[arg(long, value_name = "SRC:DST")]
    pub(crate) copy_in: Vec<String>,

    /// Copy a path of the container to the host when it has ended; all of it appears at once
    #[arg(long, value_name = "SRC:DST")]
    pub(crate) copy_out: Vec<String>,

    /// When to copy out: always, also after a failure, or success
    #[arg(long, value_name = "WHEN")]
    pub(crate) copy_out_on: Option<String>,
}
