//! The network group.

use serde::{Deserialize, Serialize};

/// Network of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    /// `--network`.
    pub(crate) mode: NetworkMode,
    /// `--add-host`: name and address.
    pub(crate) extra_hosts: Vec<(String, String)>,
    /// `--dns`.
    pub(crate) dns: Vec<String>,
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
}
