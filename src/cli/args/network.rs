//! The network of a container.

/// Network namespace and names.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct NetworkArgs {
    /// Connect the container to a network: none, host, private, container:NAME, ns:PATH or a network's name with options
    #[arg(long, alias = "net", value_name = "NETWORK")]
    pub(crate) network: Vec<String>,

    /// Add network-scoped alias for the container
    #[arg(long, alias = "net-alias", value_name = "NAME")]
    pub(crate) network_alias: Vec<String>,

    /// IPv4 address of the container on its network
    #[arg(long, value_name = "IP")]
    pub(crate) ip: Option<String>,

    /// IPv6 address of the container on its network
    #[arg(long, value_name = "IP")]
    pub(crate) ip6: Option<String>,

    /// Container MAC address
    #[arg(long, value_name = "MAC")]
    pub(crate) mac_address: Option<String>,

    /// Publish a container's port(s) to the host
    #[arg(short = 'p', long, value_name = "[[IP:]HOST:]CONTAINER[/PROTO]")]
    pub(crate) publish: Vec<String>,

    /// Publish all exposed ports to random ports
    #[arg(short = 'P', long)]
    pub(crate) publish_all: bool,

    /// Expose a port or a range of ports
    #[arg(long, value_name = "PORT[/PROTO]")]
    pub(crate) expose: Vec<String>,

    /// Add a custom host-to-IP mapping
    #[arg(long, value_name = "HOST:IP")]
    pub(crate) add_host: Vec<String>,

    /// Do not create /etc/hosts within the container, instead use the version from the image
    #[arg(long)]
    pub(crate) no_hosts: bool,

    /// What /etc/hosts begins with: a file of the host, image or none
    #[arg(long, value_name = "FILE")]
    pub(crate) hosts_file: Option<String>,

    /// Set custom DNS servers
    #[arg(long, value_name = "IP")]
    pub(crate) dns: Vec<String>,

    /// Set custom DNS search domains
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) dns_search: Vec<String>,

    /// Set DNS options
    #[arg(long, alias = "dns-opt", value_name = "OPTION")]
    pub(crate) dns_option: Vec<String>,
}
