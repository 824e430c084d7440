//! What a container is called and how its life is managed.

use std::path::PathBuf;

/// Name, labels and end of a container.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct ContainerArgs {
    /// Assign a name to the container
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Automatically remove the container when it exits
    #[arg(long)]
    pub(crate) rm: bool,

    /// Remove the container and its image when it exits, unless another container has the image
    #[arg(long)]
    pub(crate) rmi: bool,

    /// Start these containers first, before each start
    #[arg(long, value_name = "CONTAINER", value_delimiter = ',')]
    pub(crate) requires: Vec<String>,

    /// Runtime of the container: ketch's own, under any usual name
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime: Option<String>,

    /// Replace a container of the same name
    #[arg(long)]
    pub(crate) replace: bool,

    /// Write the container ID to the file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) cidfile: Option<PathBuf>,

    /// Set meta data on a container
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,

    /// Read in a line delimited file of labels
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) label_file: Vec<PathBuf>,

    /// Add an annotation to the container (passed through to the OCI runtime specification)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) annotation: Vec<String>,

    /// Signal to stop the container
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,

    /// Kill the container after this many seconds; 0 means never
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<String>,

    /// Proxy received signals to the process
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(crate) sig_proxy: Option<bool>,
}
