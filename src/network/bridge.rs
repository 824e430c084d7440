//! The driver `bridge`: a network's bridge, and the pairs of interfaces that join containers to it.
//!
//! Everything is done from outside: the container's end is made in its namespace, which is
//! entered for as long as it takes to open a socket there. What is made last shows that all
//! before it is there, so that what a killed process has left half made is made again.
//!
//! Whoever calls holds the network's lock in the store: two starts do not make one bridge, and
//! none removes it while another joins.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::address::MEMBERS;
use super::connect::{Connected, End, Ground};
use super::firewall::{self, Find, Firewall, NetworkRules, PORT_PREFIX, PortRules, Published};
use super::{Member, Pool, Record, Subnet, sysctl};
use crate::common::{Error, Kind, Result};
use crate::sys::netlink::{BridgePort, HostAddress, Link, Netlink, Packets, Request};

/// What a bridge's alias begins with; the network's id follows.
const ALIAS: &str = "ketch network ";

/// How long a start waits at most for the kernel to let packets through a new pair, which takes it
/// a moment: the first packet would be lost, and be sent again after a second.
const PATIENCE: Duration = Duration::from_secs(1);
/// Largest packet in bytes where none is asked for.
const MTU: u32 = 1500;
/// The same where all packets that leave go through a program, which takes as long for a small one
/// as for the largest: what pasta and slirp4netns have by themselves.
const SHARED_MTU: u32 = 65520;
/// Bundles of packets where no card of the host's is on the way: a bridge and its rules take as
/// long for one of 256 KiB as for one of 64, which made a tenth of what goes through a port.
const SHARED_BUNDLE: u32 = 256 << 10;

/// What of a network's record makes its bridge.
#[derive(Debug, Clone)]
pub(super) struct Bridge<'a> {
    /// Name of the bridge, at most 15 bytes.
    pub(super) name: &'a str,
    /// Id of the network.
    pub(super) network: &'a str,
    /// The host's addresses on it, with the lengths of their prefixes in bits.
    pub(super) gateways: Vec<(IpAddr, u8)>,
    /// Its subnets.
    pub(super) subnets: Vec<Subnet>,
    /// Nothing goes in or out.
    pub(super) internal: bool,
    /// Other networks that say so too may come in (podman's `isolate=false`).
    pub(super) friendly: bool,
    /// Its members do not reach each other (docker's `enable_icc=false`).
    pub(super) separate: bool,
    /// Its members leave with the host's address.
    pub(super) masquerade: bool,
    /// What passes through it at once.
    pub(super) packets: Packets,
}

impl<'a> Bridge<'a> {
    /// The bridge of a network.
    pub(super) fn of(record: &'a Record, ground: Ground) -> Bridge<'a> {
        let is_off = |name: &str| record.option(&[name]).is_some_and(|value| !is_true(value));
        let gateway = |pool: &Pool| Some((pool.gateway?, pool.subnet.prefix));
        Bridge {
            name: &record.interface,
            network: &record.id,
            gateways: record.subnets.iter().filter_map(gateway).collect(),
            subnets: record.subnets.iter().map(|pool| pool.subnet).collect(),
            internal: record.internal,
            // docker keeps networks apart; podman does where it is asked to.
            friendly: !record.isolate && is_off("isolate"),
            separate: is_off("com.docker.network.bridge.enable_icc"),
            masquerade: !is_off("com.docker.network.bridge.enable_ip_masquerade"),
            packets: Packets {
                mtu: record.mtu().unwrap_or(match ground {
                    Ground::Host => MTU,
                    Ground::Shared => SHARED_MTU,
                }),
                // The host's own card would have larger ones cut by the processor.
                bundle: (ground == Ground::Shared).then_some(SHARED_BUNDLE),
            },
        }
    }
}

/// Go's words for true, as docker takes them in options.
fn is_true(word: &str) -> bool {
    matches!(word, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

impl Bridge<'_> {
    fn alias(&self) -> String {
        format!("{ALIAS}{}", self.network)
    }

    fn has_six(&self) -> bool {
        self.subnets.iter().any(|subnet| !subnet.is_ipv4())
    }

    fn rules(&self) -> NetworkRules<'_> {
        NetworkRules {
            bridge: self.name,
            subnets: &self.subnets,
            internal: self.internal,
            friendly: self.friendly,
            masquerade: self.masquerade,
        }
    }
}

/// Makes the bridge with the host's addresses, if it is not there, and gives its index.
///
/// # Errors
/// `Conflict` when an interface of that name is not this network's.
fn ensure(netlink: &mut Netlink, bridge: &Bridge<'_>) -> Result<u32> {
    let found = netlink.link(bridge.name)?;
    if let Some(link) = found {
        if link.alias.as_deref() == Some(&bridge.alias()) {
            return Ok(link.index);
        }
        check_half_made(&link)?;
    } else {
        let request =
            Request::add_bridge(bridge.name, hardware_address(bridge), bridge.packets.mtu);
        netlink.apply(&[request])?;
    }
    let link = netlink.link(bridge.name)?;
    let index = link.map(|link| link.index).ok_or_else(|| {
        Error::new(Kind::NotFound, "use bridge", bridge.name).because("it was removed meanwhile")
    })?;
    configure(bridge)?;
    let mut requests: Vec<Request> = Vec::new();
    for (ip, prefix) in &bridge.gateways {
        requests.push(Request::add_address(HostAddress {
            interface: index,
            ip: *ip,
            prefix: *prefix,
        }));
    }
    // In one message with the rest: no signal comes between.
    requests.push(Request::set_alias(bridge.name, &bridge.alias()));
    requests.push(Request::set_up(bridge.name, true));
    netlink.apply(&requests)?;
    Ok(index)
}

/// Whether an interface without this network's alias is a bridge that somebody died making.
fn check_half_made(link: &Link) -> Result<()> {
    if link.kind.as_deref() == Some("bridge") && link.alias.is_none() && !link.up {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, "use bridge", &link.name)
        .because("an interface of this name belongs to something else")
        .hint(format!("see `ip link show {}`", link.name)))
}

/// Sets the kernel's parameters of a bridge that is not up yet.
fn configure(bridge: &Bridge<'_>) -> Result<()> {
    let of = |name: &str| format!("ipv6/conf/{}/{name}", bridge.name);
    // Routers are not to be learned from containers (CVE-2020-13401).
    sysctl::set(&of("accept_ra"), "0")?;
    let six = bridge.has_six();
    // An address of the link would be a way to the host that the network does not have.
    sysctl::set(&of("disable_ipv6"), if six { "0" } else { "1" })?;
    sysctl::set(&of("accept_dad"), "0")
}

/// Lets packets pass between the bridge and the other interfaces, where rules say which.
fn open(bridge: &Bridge<'_>, firewall: &Firewall) -> Result<()> {
    if bridge.internal || matches!(firewall, Firewall::Closed) {
        return Ok(());
    }
    sysctl::forward(false)?;
    if bridge.has_six() {
        sysctl::forward(true)?;
    }
    Ok(())
}

/// A hardware address that does not change with the ports that come and go: a local one, made of
/// the network's id (FNV-1a). It begins with other bytes than a member's, by which the rules tell
/// them apart.
fn hardware_address(bridge: &Bridge<'_>) -> [u8; 6] {
    let id = bridge.network.as_bytes();
    let digest = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let [a, b, c, d, e, ..] = digest.to_be_bytes();
    let second = if a == MEMBERS[1] { !a } else { a };
    [MEMBERS[0], second, b, c, d, e]
}

/// Joins a member's namespace to its network's bridge, which is made if it is not there; gives
/// what it has on the host. `find` looks for a program where one is needed.
///
/// # Errors
/// `Conflict` when a port leads to another container already. What was made is removed again, the
/// bridge excepted.
pub(super) fn attach(
    bridge: &Bridge<'_>,
    end: &End<'_>,
    published: &[Published],
    netns: BorrowedFd<'_>,
    ground: Ground,
    find: Find<'_>,
) -> Result<Connected> {
    let mut inside = end.enter(netns)?;
    let mut netlink = Netlink::route()?;
    let (mut firewall, lack) = firewall(ground, find)?;
    let begun = begin(bridge, &mut netlink, &mut firewall, find)?;
    let Begun { name, index, .. } = &begun;
    let made = Request::add_veth(name, *index, end.interface, end.mac, bridge.packets, netns);
    netlink.apply(&[made])?;
    let joined = join(bridge, end, published, name, &mut netlink, &mut firewall)
        .and_then(|()| end.address(&mut inside))
        .and_then(|()| settle(bridge, name, &mut netlink));
    if let Err(error) = joined {
        let _ = detach(name, find);
        return Err(error);
    }
    if swept_now(name) {
        // What it cannot remove is left for the next one, and no reason not to start.
        let _ = firewall.sweep();
    }
    Ok(Connected {
        lack: lack.filter(|_| begun.made),
        fresh: firewall.is_fresh(),
        device: Some(begun.name),
    })
}

/// A pair of interfaces that is to be made.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Name of the host's end.
    pub(super) name: String,
    /// Index of the bridge.
    pub(super) index: u32,
    /// The bridge was made for it.
    pub(super) made: bool,
}

/// The firewall, and what it lacks.
fn firewall(ground: Ground, find: Find<'_>) -> Result<(Firewall, Option<String>)> {
    match ground {
        Ground::Host => Ok((Firewall::open(find)?, None)),
        Ground::Shared => Firewall::open_or_close(find),
    }
}

/// Sees that the bridge and the rules of its network are there.
fn begin(
    bridge: &Bridge<'_>,
    netlink: &mut Netlink,
    firewall: &mut Firewall,
    find: Find<'_>,
) -> Result<Begun> {
    let known = netlink.link(bridge.name)?;
    let known = known.and_then(|link| (link.alias? == bridge.alias()).then_some(link.index));
    let index = match known {
        Some(index) => index,
        None => ensure(netlink, bridge)?,
    };
    if known.is_none() || firewall.is_fresh() {
        allow(netlink, firewall, bridge, known.is_none(), find)?;
    }
    Ok(Begun {
        name: port_name()?,
        index,
        made: known.is_none(),
    })
}

/// Waits until packets pass.
fn settle(bridge: &Bridge<'_>, name: &str, netlink: &mut Netlink) -> Result<()> {
    netlink.await_link(name, PATIENCE)?;
    // A bridge works with its first port.
    netlink.await_link(bridge.name, PATIENCE).map(drop)
}

/// The first step of [`attach`] where the pair is made by somebody else.
pub(super) fn begin_alone(
    bridge: &Bridge<'_>,
    ground: Ground,
    find: Find<'_>,
) -> Result<(Begun, Connected)> {
    let (mut firewall, lack) = firewall(ground, find)?;
    let begun = begin(bridge, &mut Netlink::route()?, &mut firewall, find)?;
    let connected = Connected {
        device: Some(begun.name.clone()),
        fresh: firewall.is_fresh(),
        lack: lack.filter(|_| begun.made),
    };
    Ok((begun, connected))
}

/// The second, once there is a pair.
pub(super) fn join_alone(
    bridge: &Bridge<'_>,
    end: &End<'_>,
    (ground, name): (Ground, &str),
    find: Find<'_>,
) -> Result<()> {
    let (mut firewall, _) = firewall(ground, find)?;
    join(
        bridge,
        end,
        &[],
        name,
        &mut Netlink::route()?,
        &mut firewall,
    )
}

/// The last, once the container's end has its addresses.
pub(super) fn settle_alone(bridge: &Bridge<'_>, name: &str) -> Result<()> {
    settle(bridge, name, &mut Netlink::route()?)
}

/// Lets the network of a bridge work. A bridge that was made for it goes with a failure: the next
/// start would take it for one with rules.
fn allow(
    netlink: &mut Netlink,
    firewall: &mut Firewall,
    bridge: &Bridge<'_>,
    made: bool,
    find: Find<'_>,
) -> Result<()> {
    let rules = bridge.rules();
    let added = open(bridge, firewall).and_then(|()| firewall.add_network(&rules, find));
    let Err(error) = added else {
        return Ok(());
    };
    // What interfaces that are gone have left may be in the way.
    let again = match error.kind() {
        Kind::Conflict => firewall
            .sweep()
            .and_then(|()| firewall.add_network(&rules, find)),
        _ => Err(error),
    };
    if again.is_err() && made {
        let _ = netlink.apply(&[Request::delete_link(bridge.name)]);
    }
    again
}

/// Sets the host's end up and lets it speak.
fn join(
    bridge: &Bridge<'_>,
    end: &End<'_>,
    published: &[Published],
    name: &str,
    netlink: &mut Netlink,
    firewall: &mut Firewall,
) -> Result<()> {
    let gone = || Error::new(Kind::NotFound, "use network interface", name);
    let link = netlink.link(name)?.ok_or_else(gone)?;
    let index = link.index;
    firewall.add_port(&port_rules(end, &end.ips(), published, &link))?;
    let port = BridgePort {
        hairpin: !published.is_empty(),
        isolated: bridge.separate,
    };
    let mut requests = vec![
        Request::no_address_of_its_own(name),
        Request::set_alias(name, end.container),
    ];
    if port != BridgePort::default() {
        requests.push(Request::set_bridge_port(index, port));
    }
    if let Some(bundle) = bridge.packets.bundle {
        requests.push(Request::set_bundle(bridge.name, bundle));
    }
    requests.push(Request::set_up(name, true));
    netlink.apply(&requests)
}

/// What the rules know of a container's end and the host's.
fn port_rules<'a>(
    end: &End<'_>,
    addresses: &'a [IpAddr],
    published: &'a [Published],
    link: &'a Link,
) -> PortRules<'a> {
    PortRules {
        interface: &link.name,
        index: link.index,
        mac: end.mac,
        addresses,
        published,
    }
}

/// Whether the rules of interfaces that are gone are to be removed after the one of this name was
/// added: now and then, as it costs more than all the rest.
fn swept_now(name: &str) -> bool {
    name.ends_with("00") || name.ends_with("80")
}

/// A name for the host's end, new at each start: what is left of the last one is not its.
fn port_name() -> Result<String> {
    let bytes = crate::sys::file::random::<5>()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{PORT_PREFIX}{digits}"))
}

/// Takes a container from a network: the pair of interfaces goes at once, and the ports that lead
/// to it. `name` is the host's end; none is no error.
pub(super) fn detach(name: &str, find: Find<'_>) -> Result<()> {
    let freed = free_ports(name, find);
    Netlink::route()?.apply(&[Request::delete_link(name)])?;
    freed
}

/// Frees the ports of a container that has ended: its interfaces go with its namespace, which
/// costs the caller nothing.
pub(crate) fn free_ports(name: &str, find: Find<'_>) -> Result<()> {
    Firewall::present(find)?.map_or(Ok(()), |mut firewall| firewall.free_ports(name))
}

/// Adds the rules of a network again that somebody has removed from the firewall: those of the
/// network, and of the members that run, each with the ports that lead to it.
pub(crate) fn restore(
    record: &Record,
    members: &[(Member, Vec<Published>)],
    find: Find<'_>,
) -> Result<()> {
    let bridge = Bridge::of(record, Ground::Host);
    let mut netlink = Netlink::route()?;
    let Some(own) = netlink.link(bridge.name)? else {
        return Ok(());
    };
    if own.alias != Some(bridge.alias()) {
        return Ok(());
    }
    let mut firewall = Firewall::open(find)?;
    firewall.add_network(&bridge.rules(), find)?;
    let links = netlink.links()?;
    for (member, published) in members {
        let is_its = |link: &&Link| {
            link.master == Some(own.index) && link.alias.as_ref() == Some(&member.container)
        };
        if let Some(link) = links.iter().find(is_its) {
            let end = End::of(record, member)?;
            firewall.add_port_again(&port_rules(&end, &end.ips(), published, link))?;
        }
    }
    Ok(())
}

/// Removes the bridge of a network that no container is on, and its rules; none is no error. The
/// interfaces of containers that have just ended go with their namespaces.
pub(crate) fn remove(record: &Record, find: Find<'_>) -> Result<()> {
    let bridge = Bridge::of(record, Ground::Host);
    let mut netlink = Netlink::route()?;
    let found = netlink.link(bridge.name)?;
    let is_own = |link: &Link| {
        link.alias == Some(bridge.alias()) || link.alias.is_none() && check_half_made(link).is_ok()
    };
    if !found.as_ref().is_some_and(is_own) {
        return Ok(());
    }
    netlink.apply(&[Request::delete_link(bridge.name)])?;
    firewall::sweep_foreign(find);
    sweep_rules(find)
}

/// Removes what killed processes have left: interfaces of containers that `lives` does not know,
/// as far as they are ports of `bridges`, and rules of interfaces that are gone.
pub(crate) fn sweep(bridges: &[&str], lives: impl Fn(&str) -> bool, find: Find<'_>) -> Result<()> {
    let mut netlink = Netlink::route()?;
    let links = netlink.links()?;
    let mine: Vec<u32> = links
        .iter()
        .filter(|link| bridges.contains(&link.name.as_str()))
        .map(|link| link.index)
        .collect();
    let is_dead = |link: &&Link| {
        link.name.starts_with(PORT_PREFIX)
            && link.master.is_some_and(|master| mine.contains(&master))
            && link.alias.as_deref().is_none_or(|owner| !lives(owner))
    };
    let gone = links.iter().filter(is_dead);
    let requests: Vec<Request> = gone.map(|link| Request::delete_link(&link.name)).collect();
    netlink.apply(&requests)?;
    sweep_rules(find)
}

fn sweep_rules(find: Find<'_>) -> Result<()> {
    Firewall::present(find)?.map_or(Ok(()), |mut firewall| firewall.sweep())
}

#[cfg(test)]
mod tests;
