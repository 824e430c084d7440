//! The network group.

use serde::{Deserialize, Serialize};

use crate::network::Attachment;

/// Network of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    /// `--network`.
    pub(crate) mode: NetworkMode,
    /// The networks of `NetworkMode::Named`, the first with the ports and the way out.
    pub(crate) attachments: Vec<Attachment>,
    /// `--add-host`: name and address.
    pub(crate) extra_hosts: Vec<(String, String)>,
    /// `--no-hosts`: the image's `/etc/hosts` stays.
    pub(crate) no_hosts: bool,
    /// `--dns`.
    pub(crate) dns: Vec<String>,
    /// Ports reachable from outside, as they were settled when the container was made.
    pub(crate) ports: Vec<Port>,
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Port {
    /// Port in the container.
    pub(crate) container: u16,
    /// `tcp`, `udp` or `sctp`.
    pub(crate) protocol: String,
    /// Address on the host; `0.0.0.0` or `::` for every one.
    pub(crate) host_ip: String,
    /// Port on the host.
    pub(crate) host: u16,
}

/// Which network namespace a container gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NetworkMode {
    /// Nothing was asked: the best the machine offers.
    #[default]
    Default,
    /// A namespace with only a loopback device.
    None,
    /// The caller's.
    Host,
    /// One of its own with a way out was asked for.
    Private,
    /// One of its own on networks that have names.
    Named,
}

impl NetworkMode {
    /// Whether the container has a network namespace of its own.
    pub(crate) fn is_own(&self) -> bool {
        !matches!(self, NetworkMode::Host | NetworkMode::Default)
    }
}
