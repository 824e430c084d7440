//! A container on a network: what it asked for, and what it was given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// One network that a container asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    /// Name of the network.
    pub(crate) network: String,
    /// Names beside the container's own.
    pub(crate) aliases: Vec<String>,
    /// IPv4 address.
    pub(crate) ip: Option<Ipv4Addr>,
    /// IPv6 address.
    pub(crate) ip6: Option<Ipv6Addr>,
    /// Hardware address, `xx:xx:xx:xx:xx:xx` in lower case.
    pub(crate) mac: Option<String>,
    /// Name of the device in the container.
    pub(crate) interface: Option<String>,
}

impl Attachment {
    /// An attachment to a network with no wishes.
    pub(crate) fn to(network: impl Into<String>) -> Attachment {
        Attachment {
            network: network.into(),
            ..Attachment::default()
        }
    }

    /// The addresses it asks for.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = IpAddr> {
        let addresses = [self.ip.map(IpAddr::V4), self.ip6.map(IpAddr::V6)];
        addresses.into_iter().flatten()
    }
}

/// An address of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// The address.
    pub(crate) ip: IpAddr,
    /// Bits of its subnet.
    pub(crate) prefix: u8,
}

/// What a container has on a network while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Id of the container, 64 lower-case hex characters.
    pub(crate) container: String,
    /// Its name.
    pub(crate) name: String,
    /// The other names it is found by, its short id among them.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Its addresses, at most one of each family.
    #[serde(default)]
    pub(crate) addresses: Vec<Address>,
    /// The ways out, at most one of each family.
    #[serde(default)]
    pub(crate) gateways: Vec<IpAddr>,
    /// Hardware address, `xx:xx:xx:xx:xx:xx` in lower case.
    pub(crate) mac: String,
    /// Name of its device: `eth0` and so on.
    pub(crate) interface: String,
}

impl Member {
    /// Its address of a family.
    pub(crate) fn address(&self, is_ipv4: bool) -> Option<Address> {
        let mut all = self.addresses.iter();
        all.find(|address| address.ip.is_ipv4() == is_ipv4).copied()
    }

    /// Its way out of a family.
    pub(crate) fn gateway(&self, is_ipv4: bool) -> Option<IpAddr> {
        let mut all = self.gateways.iter();
        all.find(|gateway| gateway.is_ipv4() == is_ipv4).copied()
    }

    /// Every name it is found by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .map(String::as_str)
    }
}
