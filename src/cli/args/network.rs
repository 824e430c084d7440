//! The network of a container.

/// Network namespace and names.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct NetworkArgs {
    /// Connect the container to a network: none, host or private
    #[arg(long, alias = "net", value_name = "NETWORK")]
    pub(crate) network: Option<String>,

    /// Add a custom host-to-IP mapping
    #[arg(long, value_name = "HOST:IP")]
    pub(crate) add_host: Vec<String>,

    /// Do not create /etc/hosts within the container, instead use the version from the image
    #[arg(long)]
    pub(crate) no_hosts: bool,

    /// Set custom DNS servers
    #[arg(long, value_name = "IP")]
    pub(crate) dns: Vec<String>,
}
