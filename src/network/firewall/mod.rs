//! What is let through between networks, the host and the world.
//!
//! | file | what it does |
//! |---|---|
//! | `nft` | the rules, in nf_tables; `key` writes what they look up |
//! | `legacy` | the same as far as it goes by iptables(8), where there is no nft(8) |
//! | `iptables` | runs that program |
//! | `foreign` | other programs' rules, which are not to stop what passes these |

mod foreign;
mod iptables;
mod key;
mod legacy;
mod nft;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::common::{Kind, Result};
use crate::network::{Subnet, sysctl};
use crate::sys::netlink::Netlink;

pub(super) use nft::PORT_PREFIX;

/// How long an interface may take to go whose container has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks for a program by its name: most starts need none.
pub(crate) type Find<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// What of a network the rules know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkRules<'a> {
    /// Name of its bridge.
    pub(crate) bridge: &'a str,
    /// Its subnets.
    pub(crate) subnets: &'a [Subnet],
    /// Nothing goes in or out.
    pub(crate) internal: bool,
    /// Other networks that say so too may come in.
    pub(crate) friendly: bool,
    /// Its members leave with the host's address.
    pub(crate) masquerade: bool,
}

/// Protocol of a published port; the number is IP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// Transmission control.
    Tcp = 6,
    /// Datagrams.
    Udp = 17,
    /// Stream control.
    Sctp = 132,
}

/// A port of the host that leads to one of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Published {
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// Address of the host's; the unspecified one means all of its family.
    pub(crate) host: IpAddr,
    /// Port of the host's.
    pub(crate) host_port: u16,
    /// Port of the container's.
    pub(crate) port: u16,
}

/// What of a container's interface the rules know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PortRules<'a> {
    /// Name of the host's end.
    pub(crate) interface: &'a str,
    /// Its index.
    pub(crate) index: u32,
    /// Hardware address of the container's end.
    pub(crate) mac: [u8; 6],
    /// Addresses of the container's end.
    pub(crate) addresses: &'a [IpAddr],
    /// The ports that lead to it.
    pub(crate) published: &'a [Published],
}

/// The rules of the network namespace in which it was opened.
#[derive(Debug)]
pub(crate) enum Firewall {
    /// In nf_tables.
    Nft(nft::Nft),
    /// By iptables(8).
    Legacy(legacy::Legacy),
    /// None: no packet passes from one interface to another.
    Closed,
}

impl Firewall {
    /// Opens the rules, and loads them where they are missing.
    ///
    /// # Errors
    /// `Unsupported` when they are missing, and so are the programs to load them with.
    pub(crate) fn open(find: Find<'_>) -> Result<Firewall> {
        let error = match nft::Nft::open(find) {
            Ok(nft) => return Ok(Firewall::Nft(nft)),
            Err(error) if error.kind() == Kind::Unsupported => error,
            Err(error) => return Err(error),
        };
        let legacy = legacy::Legacy::open(find)?;
        legacy.map(Firewall::Legacy).ok_or(error)
    }

    /// As [`Firewall::open`]; a namespace that is there for networks alone is closed where the
    /// programs are missing. Gives what was missing.
    ///
    /// # Errors
    /// The namespace could not be closed.
    pub(crate) fn open_or_close(find: Find<'_>) -> Result<(Firewall, Option<String>)> {
        match Firewall::open(find) {
            Ok(firewall) => Ok((firewall, None)),
            Err(error) if error.kind() == Kind::Unsupported => {
                sysctl::set("ipv4/ip_forward", "0")?;
                sysctl::set("ipv6/conf/all/forwarding", "0")?;
                Ok((Firewall::Closed, Some(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// The rules as they are; `None` when there are none.
    pub(crate) fn present(find: Find<'_>) -> Result<Option<Firewall>> {
        if let Some(nft) = nft::Nft::present()? {
            return Ok(Some(Firewall::Nft(nft)));
        }
        if find("nft").is_some() {
            return Ok(None);
        }
        Ok(legacy::Legacy::present(find)?.map(Firewall::Legacy))
    }

    /// Whether the rules had to be loaded: those of networks that exist have to be added again.
    pub(crate) fn is_fresh(&self) -> bool {
        match self {
            Firewall::Nft(nft) => nft.is_fresh(),
            Firewall::Legacy(legacy) => legacy.is_fresh(),
            Firewall::Closed => false,
        }
    }

    /// Lets a network work. Twice is no error.
    pub(crate) fn add_network(&mut self, rules: &NetworkRules<'_>, find: Find<'_>) -> Result<()> {
        match self {
            Firewall::Closed => Ok(()),
            Firewall::Nft(nft) => {
                foreign::let_pass(rules.bridge, find);
                nft.add_network(rules)
            }
            // Its chains are among the others' and come first.
            Firewall::Legacy(legacy) => legacy.add_network(rules),
        }
    }

    /// Lets a container's interface speak, and leads its ports to it.
    ///
    /// # Errors
    /// `Conflict` when a port leads to another container that does not go in time.
    pub(crate) fn add_port(&mut self, rules: &PortRules<'_>) -> Result<()> {
        let mut done = self.try_add_port(rules);
        if is_conflict(&done) {
            // Of a container whose keeper was killed; its interfaces go when the kernel has time.
            let mut news = Netlink::link_news()?;
            let end = Instant::now() + PATIENCE;
            loop {
                self.sweep()?;
                done = self.try_add_port(rules);
                let left = end.saturating_duration_since(Instant::now());
                if !is_conflict(&done) || !news.wait(left)? {
                    break;
                }
            }
        }
        let is_held = is_conflict(&done);
        done.map_err(|error| match is_held {
            true => {
                error.hint("a container that has not ended yet has the port: see `ketch ps -a`")
            }
            false => error,
        })?;
        forget_flows(rules.published)
    }

    /// The same for an interface that may have been known already.
    pub(crate) fn add_port_again(&mut self, rules: &PortRules<'_>) -> Result<()> {
        match self {
            Firewall::Nft(nft) => nft.add_port_again(rules),
            Firewall::Legacy(legacy) => {
                legacy.remove(|owner| Ok(owner == rules.interface))?;
                legacy.add_port(rules)
            }
            Firewall::Closed => Ok(()),
        }
    }

    fn try_add_port(&mut self, rules: &PortRules<'_>) -> Result<()> {
        match self {
            Firewall::Nft(nft) => nft.add_port(rules),
            Firewall::Legacy(legacy) => legacy.add_port(rules),
            Firewall::Closed => Ok(()),
        }
    }

    /// Frees the host's ports that lead to the interface `owner`, the host's end of a pair.
    pub(crate) fn free_ports(&mut self, owner: &str) -> Result<()> {
        match self {
            Firewall::Nft(nft) => nft.free_ports(owner),
            Firewall::Legacy(legacy) => legacy.remove(|found| Ok(found == owner)),
            Firewall::Closed => Ok(()),
        }
    }

    /// Removes what was added for interfaces that are gone. Whoever may be adding at this moment
    /// has the interface first.
    pub(crate) fn sweep(&mut self) -> Result<()> {
        let mut links = Links::look()?;
        let is_gone = |owner: &str| links.lack(owner);
        match self {
            Firewall::Nft(nft) => nft.sweep(is_gone),
            Firewall::Legacy(legacy) => legacy.remove(is_gone),
            Firewall::Closed => Ok(()),
        }
    }
}

fn is_conflict(done: &Result<()>) -> bool {
    matches!(done, Err(error) if error.kind() == Kind::Conflict)
}

/// Takes back what was changed in other programs' rules for bridges that are gone.
pub(crate) fn sweep_foreign(find: Find<'_>) {
    foreign::sweep(find);
}

/// The interfaces of this network namespace, each asked for once.
struct Links {
    netlink: Netlink,
    known: BTreeMap<String, bool>,
}

impl Links {
    fn look() -> Result<Links> {
        Ok(Links {
            netlink: Netlink::route()?,
            known: BTreeMap::new(),
        })
    }

    /// Whether there is none of this name; rules of nobody's have the name "".
    fn lack(&mut self, name: &str) -> Result<bool> {
        if let Some(gone) = self.known.get(name) {
            return Ok(*gone);
        }
        let gone = !name.is_empty() && self.netlink.link(name)?.is_none();
        self.known.insert(name.to_owned(), gone);
        Ok(gone)
    }
}

/// Lets datagrams of clients that did not stop sending while nobody was there, or another
/// container, come to the one that is there now.
fn forget_flows(published: &[Published]) -> Result<()> {
    let is_flow = |port: &&Published| port.protocol != Protocol::Tcp;
    let ports: Vec<Published> = published.iter().filter(is_flow).copied().collect();
    if ports.is_empty() {
        return Ok(());
    }
    let own = Netlink::route()?.addresses()?;
    Netlink::filter()?.forget_flows(|target| {
        let is_one = |port: &Published| {
            port.protocol as u8 == target.protocol
                && port.host_port == target.port
                && (port.host.is_unspecified() || port.host == target.ip)
        };
        ports.iter().any(is_one) && own.iter().any(|address| address.ip == target.ip)
    })
}
