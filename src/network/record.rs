//! What a network is, as its maker asked for it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Attachment, Subnet};
use crate::common::{Digest, Error, Result, Timestamp};

/// The bridge of the default network.
pub(crate) const DEFAULT_INTERFACE: &str = "ketch0";

/// What connects the members of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Driver {
    /// A bridge of the host, or of the user's shared namespace.
    #[default]
    Bridge,
    /// Each member has a hardware address of its own on a device of the host.
    Macvlan,
    /// The members share the hardware address of a device of the host.
    Ipvlan,
    /// Nothing: a member has no more than its loopback device.
    None,
}

impl Driver {
    /// docker's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Driver::Bridge => "bridge",
            Driver::Macvlan => "macvlan",
            Driver::Ipvlan => "ipvlan",
            Driver::None => "none",
        }
    }

    /// The driver of a word.
    ///
    /// # Errors
    /// `Usage` for another word.
    pub(crate) fn from_word(word: &str) -> Result<Driver> {
        let all = [
            Driver::Bridge,
            Driver::Macvlan,
            Driver::Ipvlan,
            Driver::None,
        ];
        let found = all.into_iter().find(|driver| driver.word() == word);
        found.ok_or_else(|| {
            let why = "use bridge, macvlan, ipvlan or none";
            Error::usage("use network driver", word, why)
        })
    }
}

/// Addresses of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// All of them.
    pub(crate) subnet: Subnet,
    /// The bridge's own; `None` where members have no way out through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<IpAddr>,
    /// Those that members are given without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<Subnet>,
    /// Those that nobody is given (`--aux-address`), by the names they have been given for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reserved: BTreeMap<String, IpAddr>,
}

impl Pool {
    /// A pool whose gateway is the first address.
    pub(crate) fn of(subnet: Subnet) -> Pool {
        Pool {
            subnet,
            gateway: Some(subnet.first()),
            range: None,
            reserved: BTreeMap::new(),
        }
    }
}

/// A network; once it is made only its resolvers change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Name, in docker's grammar.
    pub(crate) name: String,
    /// 64 lower-case hex characters.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// What connects its members.
    #[serde(default)]
    pub(crate) driver: Driver,
    /// Name of the bridge, at most 15 bytes; for macvlan and ipvlan the device of the host, or
    /// empty for the one of the default route.
    pub(crate) interface: String,
    /// Its addresses: at most one pool of IPv4 and one of IPv6 are given to a member.
    #[serde(default)]
    pub(crate) subnets: Vec<Pool>,
    /// `--internal`: no way out and none in.
    #[serde(default)]
    pub(crate) internal: bool,
    /// `--ipv6`: members have IPv6 addresses.
    #[serde(default)]
    pub(crate) ipv6: bool,
    /// Members find each other by name.
    #[serde(default)]
    pub(crate) dns: bool,
    /// Who is asked for all other names instead of the host's resolvers (podman's `--dns`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resolvers: Vec<IpAddr>,
    /// Members of other networks cannot reach its own.
    #[serde(default)]
    pub(crate) isolate: bool,
    /// `--label`.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// `-o`: `mtu`, `parent`, `mode` and what docker calls them.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

impl Record {
    /// The name of the bridge of a network with this id, where none is asked for.
    pub(crate) fn interface_of(id: &str) -> String {
        format!("k-{}", id.get(..10).unwrap_or(id))
    }

    /// The first 12 characters of the id, as lists show it.
    pub(crate) fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// Whether it is the one that a container without a word about networks has.
    pub(crate) fn is_default(&self) -> bool {
        self.name == "bridge"
    }

    /// Whether a bridge connects its members.
    pub(crate) fn is_bridged(&self) -> bool {
        self.driver == Driver::Bridge
    }

    /// Whether a container can have what it asks of this network, as far as the network alone
    /// can tell.
    ///
    /// # Errors
    /// `Usage` for an address that no member of it can have.
    pub(crate) fn check(&self, asked: &Attachment) -> Result<()> {
        for ip in asked.wanted() {
            let bad = |why: String| Error::usage("use address", ip.to_string(), why);
            let pool = self.subnets.iter().find(|pool| pool.subnet.contains(ip));
            let Some(pool) = pool else {
                let subnets: Vec<String> = self
                    .subnets
                    .iter()
                    .map(|pool| pool.subnet.to_string())
                    .collect();
                let subnets = match subnets.is_empty() {
                    true => "none".to_owned(),
                    false => subnets.join(", "),
                };
                return Err(bad(format!(
                    "it does not belong to any of network {}'s subnets ({subnets})",
                    self.name
                )));
            };
            if pool.gateway == Some(ip) {
                return Err(bad(format!("it is the gateway of network {}", self.name)));
            }
            if !pool.subnet.has_host(ip) {
                return Err(bad(format!("no host can have it in {}", pool.subnet)));
            }
        }
        Ok(())
    }

    /// The id of a container's place on it: one for each container and network.
    pub(crate) fn endpoint_id(&self, container: &str) -> String {
        let text = format!("{} {container}", self.id);
        Digest::of(text.as_bytes()).hex().to_owned()
    }

    /// The value of the first of these options that was given.
    pub(crate) fn option(&self, names: &[&str]) -> Option<&str> {
        let mut values = names.iter().filter_map(|name| self.options.get(*name));
        values.next().map(String::as_str)
    }

    /// The MTU that was asked for, in bytes.
    pub(crate) fn mtu(&self) -> Option<u32> {
        let value = self.option(&["mtu", "com.docker.network.driver.mtu"]);
        value.and_then(|value| value.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_name_fits_the_kernel() {
        let name = Record::interface_of(&"ab".repeat(32));
        assert_eq!(name, "k-ababababab");
        assert!(name.len() <= 15);
    }

    #[test]
    fn drivers_by_word() {
        for word in ["bridge", "macvlan", "ipvlan", "none"] {
            assert_eq!(Driver::from_word(word).unwrap().word(), word);
        }
        assert!(Driver::from_word("overlay").is_err());
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let text = r#"{"name":"net","id":"00","created":"2026-01-01T00:00:00Z","interface":"k-0",
            "subnets":[{"subnet":"10.9.0.0/24","gateway":"10.9.0.1"}],"options":{"mtu":"1400"}}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!((record.driver, record.mtu()), (Driver::Bridge, Some(1400)));
        assert_eq!(record.subnets, [Pool::of("10.9.0.0/24".parse().unwrap())]);
        let again = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&again).unwrap(), record);
    }
}
