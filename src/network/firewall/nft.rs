//! The rules in nf_tables.
//!
//! They stand for all containers and are loaded once, by nft(8); each network and each container
//! adds elements to the sets they look in, which is one message to the kernel. Every element
//! carries the name of the interface it is for, so that what a killed process has left is known
//! by its interface being gone.
//!
//! | rules | what they do |
//! |---|---|
//! | `publish` | published ports lead to their containers |
//! | `postrouting` | subnets leave with the host's address, and come back to a port of their own network |
//! | `forward` | a network is entered by its members, by answers and by published ports only; `--internal` is not left |
//! | `input` | `--internal` does not reach the host either |
//! | `bridge` table | a port says only what addresses are its own, in IP, ARP and neighbour discovery |

use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::process::{Command, Stdio};

use super::{Find, NetworkRules, PortRules, Published, key};
use crate::common::{Error, Kind, Result};
use crate::sys::netlink::{Element, Family, Netlink, Set, is_outdated};

/// The name of both tables.
const TABLE: &str = "ketch";
/// How the names of interfaces begin that the `bridge` table looks at.
pub(in crate::network) const PORT_PREFIX: &str = "kv-";
/// Most elements that are removed at once.
const MOST: usize = 500;
/// The rules, for nft(8).
const BASE: &str = include_str!("base.nft");

const fn inet(name: &'static str) -> Set {
    let (family, table) = (Family::Inet, TABLE);
    Set {
        family,
        table,
        name,
    }
}

const fn bridge(name: &'static str) -> Set {
    let (family, table) = (Family::Bridge, TABLE);
    Set {
        family,
        table,
        name,
    }
}

const BRIDGES: Set = inet("bridges");
const SAME: Set = inet("same");
const INTERNAL: Set = inet("internal");
const FRIENDLY: Set = inet("friendly");
const MASQUERADE4: Set = inet("masquerade4");
const MASQUERADE6: Set = inet("masquerade6");
const LOCAL4: Set = inet("local4");
const LOCAL6: Set = inet("local6");
const PORTS4: Set = inet("ports4");
const PORTS6: Set = inet("ports6");
const ANY4: Set = inet("any4");
const ANY6: Set = inet("any6");
const MACS: Set = bridge("macs");
const ADDRESSES4: Set = bridge("addresses4");
const ADDRESSES6: Set = bridge("addresses6");
const TARGETS6: Set = bridge("targets6");

/// The maps of published ports.
const PORTS: [Set; 4] = [PORTS4, PORTS6, ANY4, ANY6];
/// All other sets.
const OTHERS: [Set; 12] = [
    MACS,
    ADDRESSES4,
    ADDRESSES6,
    TARGETS6,
    BRIDGES,
    SAME,
    INTERNAL,
    FRIENDLY,
    MASQUERADE4,
    MASQUERADE6,
    LOCAL4,
    LOCAL6,
];

/// The tables of the network namespace in which they were opened.
#[derive(Debug)]
pub(crate) struct Nft {
    netlink: Netlink,
    /// The rules were not there: those of networks that exist have to be added again.
    fresh: bool,
}

impl Nft {
    /// Opens the rules, and loads them where they are missing, with the program `nft`.
    ///
    /// # Errors
    /// `Unsupported` when they are missing and so is the program, or what they need of the kernel.
    pub(super) fn open(find: Find<'_>) -> Result<Nft> {
        let lacking = |error: Error| match error.raw_os_error() {
            Some(libc::EPERM) => error,
            _ => error.with_kind(Kind::Unsupported),
        };
        let mut netlink = Netlink::filter().map_err(lacking)?;
        let fresh = !netlink.has_table(Family::Inet, TABLE).map_err(lacking)?;
        if fresh && let Err(error) = load(find) {
            // Another start may have been first.
            if !netlink.has_table(Family::Inet, TABLE)? {
                return Err(error);
            }
        }
        Ok(Nft { netlink, fresh })
    }

    /// The rules as they are; `None` when there are none.
    pub(super) fn present() -> Result<Option<Nft>> {
        let mut netlink = match Netlink::filter() {
            // A kernel without a packet filter has no rules.
            Err(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => return Ok(None),
            other => other?,
        };
        let there = netlink.has_table(Family::Inet, TABLE)?;
        let fresh = false;
        Ok(there.then_some(Nft { netlink, fresh }))
    }

    /// Whether the rules had to be loaded.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Lets a network work. Twice is no error.
    pub(super) fn add_network(&mut self, rules: &NetworkRules<'_>) -> Result<()> {
        self.netlink.add_elements(&of_network(rules))
    }

    /// Lets a container's interface speak, and leads its ports to it.
    ///
    /// # Errors
    /// `Conflict` when a port leads to another container already.
    pub(super) fn add_port(&mut self, rules: &PortRules<'_>) -> Result<()> {
        self.netlink.add_elements(&of_port(rules))
    }

    /// Frees the host's ports that lead to the interface `owner`, the host's end of a pair.
    ///
    /// What else was added for it is left to [`Nft::sweep`]: it is about an index that no
    /// other interface will have, and whoever removes something waits some milliseconds, at the
    /// latest when the socket is closed, until no packet looks at it any more.
    pub(super) fn free_ports(&mut self, owner: &str) -> Result<()> {
        self.remove(&PORTS, |found| Ok(found == owner))
    }

    /// Removes what was added for interfaces that are gone.
    pub(super) fn sweep(&mut self, mut is_gone: impl FnMut(&str) -> Result<bool>) -> Result<()> {
        self.remove(&PORTS, &mut is_gone)?;
        self.remove(&OTHERS, &mut is_gone)
    }

    fn remove(
        &mut self,
        sets: &[Set],
        mut is_wanted: impl FnMut(&str) -> Result<bool>,
    ) -> Result<()> {
        loop {
            let generation = self.netlink.generation()?;
            let mut found = Vec::new();
            for set in sets {
                let mut elements = self.netlink.elements(*set)?;
                // Where an interval ends stands behind its beginning; of two that meet, the end
                // of the first is first.
                elements
                    .sort_by(|one, other| (&one.key, !one.ends).cmp(&(&other.key, !other.ends)));
                // Whether the interval that is open now stays. A mark without a beginning is
                // nobody's, and would be in the way of a network around it.
                let mut stays = false;
                for element in elements {
                    let wanted = match element.ends {
                        true => !std::mem::replace(&mut stays, false),
                        // A beginning and its end go together.
                        false => found.len() < MOST && is_wanted(&element.owner)?,
                    };
                    stays = !wanted && !element.ends;
                    if wanted {
                        found.push(element);
                    }
                }
            }
            match self.netlink.delete_elements(&found, generation) {
                Err(error) if is_outdated(&error) => {}
                Err(error) => return Err(error),
                Ok(()) if found.len() < MOST => return Ok(()),
                Ok(()) => {}
            }
        }
    }
}

/// Loads the rules.
fn load(find: Find<'_>) -> Result<()> {
    let missing = || {
        Error::new(Kind::Unsupported, "load packet filter rules", "")
            .because("there is no program nft")
            .hint("install nftables; a container with --network host or none needs no rules")
    };
    let nft = find("nft").ok_or_else(missing)?;
    let failed = |error| Error::io("run", &nft, error);
    let mut child = Command::new(&nft)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // A program that ends early says why itself.
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(BASE.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or_default().to_owned();
    Err(Error::new(
        Kind::Unsupported,
        "load packet filter rules",
        nft.display().to_string(),
    )
    .because(first)
    .hint("ketch's rules need Linux 5.6 with nf_tables, and nft 1.0"))
}

fn of_network(rules: &NetworkRules<'_>) -> Vec<Element> {
    let name = rules.bridge;
    let element = |set, key| Element::new(set, key, name);
    let bridge = key::interface(name);
    let mut found = vec![
        element(BRIDGES, bridge.clone()),
        element(SAME, [bridge.clone(), bridge.clone()].concat()),
    ];
    if rules.internal {
        found.push(element(INTERNAL, bridge));
        return found;
    }
    if rules.friendly {
        found.push(element(FRIENDLY, bridge.clone()));
    }
    for subnet in rules.subnets {
        let (first, last) = (subnet.address, key::last(*subnet));
        let (open, local) = match first {
            IpAddr::V4(_) => (MASQUERADE4, LOCAL4),
            IpAddr::V6(_) => (MASQUERADE6, LOCAL6),
        };
        let mut pair = element(local, [key::ip(first), bridge.clone()].concat());
        pair.key_end = Some([key::ip(last), bridge.clone()].concat());
        found.push(pair);
        if !rules.masquerade {
            continue;
        }
        found.push(element(open, key::ip(first)));
        if let Some(after) = key::after(last) {
            let mut end = element(open, key::ip(after));
            end.ends = true;
            found.push(end);
        }
    }
    // Elements of one set go together.
    found.sort_by_key(|element| element.set.name);
    found
}

fn of_port(rules: &PortRules<'_>) -> Vec<Element> {
    let element = |set, key| Element::new(set, key, rules.interface);
    let speaker = key::speaker(rules.index, rules.mac);
    let mut found = vec![element(MACS, speaker.clone())];
    let has_six = rules.addresses.iter().any(IpAddr::is_ipv6);
    let local = has_six.then(|| IpAddr::V6(link_local(rules.mac)));
    for ip in rules.addresses.iter().copied().chain(local) {
        let key = [speaker.clone(), key::ip(ip)].concat();
        if ip.is_ipv6() {
            found.push(element(TARGETS6, key.clone()));
            found.push(element(ADDRESSES6, key));
        } else {
            found.push(element(ADDRESSES4, key));
        }
    }
    for port in rules.published {
        found.extend(leading(rules, *port));
    }
    found.sort_by_key(|element| element.set.name);
    found
}

/// What leads a port to the container; nothing where it has no address of that family, or where
/// only the host itself is to reach it: then a proxy on the host does.
fn leading(rules: &PortRules<'_>, port: Published) -> Option<Element> {
    if port.host.is_loopback() {
        return None;
    }
    let same = |ip: &&IpAddr| ip.is_ipv4() == port.host.is_ipv4();
    let to = rules.addresses.iter().find(same)?;
    let (set, any) = match port.host {
        IpAddr::V4(_) => (PORTS4, ANY4),
        IpAddr::V6(_) => (PORTS6, ANY6),
    };
    let (protocol, number) = (key::protocol(port.protocol), key::port(port.host_port));
    let (set, key) = match port.host.is_unspecified() {
        true => (any, [protocol, number].concat()),
        false => (set, [protocol, key::ip(port.host), number].concat()),
    };
    let mut found = Element::new(set, key, rules.interface);
    found.data = Some([key::ip(*to), key::port(port.port)].concat());
    Some(found)
}

/// The address that an interface gives itself (RFC 4291, appendix A).
fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.map(u16::from);
    let parts = [(a ^ 2) << 8 | b, c << 8 | 0xff, 0xfe00 | d, e << 8 | f];
    Ipv6Addr::new(0xfe80, 0, 0, 0, parts[0], parts[1], parts[2], parts[3])
}

#[cfg(test)]
mod tests;
