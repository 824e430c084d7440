//! Joins a container's network namespace to a network, from outside.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use serde::{Deserialize, Serialize};

use super::bridge::{self, Bridge};
use super::{Address, Driver, Find, Member, Published, Record, parent, sysctl};
use crate::common::{Error, Kind, Result};
use crate::sys::namespace;
use crate::sys::netlink::{HostAddress, Netlink, Request, Route};

/// What the names of interfaces begin with that are numbered.
const NUMBERED: &str = "eth";

/// What a container has on the host, connected to a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connected {
    /// The interface of the host's that leads to it, for [`disconnect`].
    pub(crate) device: Option<String>,
    /// The firewall's rules had to be loaded: if other containers run, somebody has removed them,
    /// and [`bridge::restore`] is to be called for every other network.
    pub(crate) fresh: bool,
    /// What keeps members from reaching beyond their network; its first member alone is told.
    pub(crate) lack: Option<String>,
}

/// Whose the namespace with the bridges is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// The host's: without rules nothing is made.
    Host,
    /// One for networks alone: without rules nothing passes between them.
    Shared,
}

/// Connects `netns`, a namespace of `member`'s alone, to the network `record`. `published` leads to this member;
/// `find` looks for a program where one is needed.
///
/// The network's lock in the store is held: two starts do not make one bridge, and none removes
/// it while another joins. The thread is in the network namespace of the bridge, with the rights
/// of root over it and over `netns`.
///
/// # Errors
/// `Conflict` when a port leads to another container, `Unsupported` when the kernel has no such
/// driver or no packet filter. Nothing is left in `netns` then.
pub(crate) fn connect(
    record: &Record,
    member: &Member,
    published: &[Published],
    (netns, ground): (BorrowedFd<'_>, Ground),
    find: Find<'_>,
) -> Result<Connected> {
    let end = End::of(record, member)?;
    match record.driver {
        Driver::Bridge => {
            let bridge = Bridge::of(record, ground);
            bridge::attach(&bridge, &end, published, netns, ground, find)
        }
        Driver::Macvlan | Driver::Ipvlan => {
            parent::attach(record, &end, netns).map(|()| Connected::default())
        }
        Driver::None => Ok(Connected::default()),
    }
}

/// Disconnects a container that goes on: `port` is what [`connect`] gave, and `member` what it
/// has in `netns`. One that is disconnected is no error.
pub(crate) fn disconnect(
    port: Option<&str>,
    member: &Member,
    netns: BorrowedFd<'_>,
    find: Find<'_>,
) -> Result<()> {
    match port {
        Some(port) => bridge::detach(port, find),
        None => Netlink::route_in(netns)?.apply(&[Request::delete_link(&member.interface)]),
    }
}

/// A container's end of a network.
#[derive(Debug, Clone)]
pub(super) struct End<'a> {
    /// Id of the container.
    pub(super) container: &'a str,
    /// Name of its interface, `eth0` for the first.
    pub(super) interface: &'a str,
    /// Hardware address.
    pub(super) mac: [u8; 6],
    /// Addresses.
    pub(super) addresses: &'a [Address],
    /// Next hops to all the rest; none in a network without a way out.
    pub(super) gateways: &'a [IpAddr],
}

impl<'a> End<'a> {
    /// What a member has, as the kernel takes it.
    pub(super) fn of(record: &Record, member: &'a Member) -> Result<End<'a>> {
        let mac = bytes(&member.mac).ok_or_else(|| {
            Error::new(Kind::Corrupt, "use hardware address", &member.mac)
                .because("it has another form")
        })?;
        Ok(End {
            container: &member.container,
            interface: &member.interface,
            mac,
            addresses: &member.addresses,
            gateways: if record.internal {
                &[]
            } else {
                &member.gateways
            },
        })
    }

    /// Its addresses alone.
    pub(super) fn ips(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|address| address.ip).collect()
    }

    /// Opens a socket in the container's namespace, where interfaces that come are not to give
    /// themselves addresses that the network does not have.
    pub(super) fn enter(&self, netns: BorrowedFd<'_>) -> Result<Netlink> {
        let six = self.addresses.iter().any(|address| address.ip.is_ipv6());
        namespace::in_network(netns, || {
            let of = |name: &str| format!("ipv6/conf/default/{name}");
            sysctl::set(&of("disable_ipv6"), if six { "0" } else { "1" })?;
            sysctl::set(&of("accept_ra"), "0")?;
            // Neighbours that knew another owner of the address learn of the new one at once.
            sysctl::set("ipv4/conf/default/arp_notify", "1")?;
            Netlink::route()
        })?
    }

    /// Gives the interface its addresses and routes, and sets it up.
    pub(super) fn address(&self, inside: &mut Netlink) -> Result<()> {
        let gone = || Error::new(Kind::NotFound, "use network interface", self.interface);
        let interface = inside.link(self.interface)?.ok_or_else(gone)?.index;
        let mut requests = Vec::new();
        for Address { ip, prefix } in self.addresses.iter().copied() {
            requests.push(Request::add_address(HostAddress {
                interface,
                ip,
                prefix,
            }));
        }
        // Up after the addresses: then the neighbours hear of them.
        requests.push(Request::set_up(self.interface, true));
        for gateway in self.gateways {
            requests.push(Request::add_route(Route {
                destination: None,
                gateway: Some(*gateway),
                interface,
                metric: metric(self.interface, interface, *gateway),
            }));
        }
        inside.apply(&requests)
    }
}

/// The metric of an interface's way out: `eth0` is taken first, and when it goes the next.
fn metric(name: &str, index: u32, gateway: IpAddr) -> u32 {
    let number = name
        .strip_prefix(NUMBERED)
        .and_then(|rest| rest.parse().ok());
    // For IPv6 the kernel takes 0 for its own 1024.
    let base = if gateway.is_ipv6() { 1024 } else { 0 };
    base + number.unwrap_or(index).min(1 << 16)
}

/// The bytes of a hardware address.
fn bytes(text: &str) -> Option<[u8; 6]> {
    let parts = text.split(':').map(|part| u8::from_str_radix(part, 16));
    let parts: Vec<u8> = parts.collect::<std::result::Result<_, _>>().ok()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_interface_has_the_way_out_that_is_taken() {
        let four: IpAddr = "10.0.0.1".parse().unwrap();
        let six: IpAddr = "fd00::1".parse().unwrap();
        assert_eq!(metric("eth0", 7, four), 0);
        assert_eq!(metric("eth1", 7, four), 1);
        assert_eq!(metric("eth0", 7, six), 1024);
        assert_eq!(metric("lan", 7, four), 7);
        assert_eq!(metric("eth4294967295", 7, six), 1024 + (1 << 16));
    }

    #[test]
    fn a_hardware_address_has_six_bytes() {
        assert_eq!(
            bytes("02:42:ac:11:00:02"),
            Some([2, 0x42, 0xac, 0x11, 0, 2])
        );
        for text in ["", "02:42", "02:42:ac:11:00:02:03", "02:42:ac:11:00:xx"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
