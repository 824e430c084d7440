//! Addresses of interfaces and routes (rtnetlink(7), `RTM_*ADDR`, `RTM_*ROUTE`).

use std::net::IpAddr;

use super::{Message, Netlink, Request, address, attribute, word};
use crate::common::Result;

/// Size of `struct ifaddrmsg`.
const ADDRESS_HEAD: usize = 8;
/// Size of `struct rtmsg`.
const ROUTE_HEAD: usize = 12;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_TABLE: u16 = 15;
const RTPROT_STATIC: u8 = 4;

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAddress {
    /// Index of the interface.
    pub(crate) interface: u32,
    /// The address.
    pub(crate) ip: IpAddr,
    /// Length of the subnet's prefix in bits.
    pub(crate) prefix: u8,
}

/// Where a route leads to: a network and the length of its prefix.
pub(crate) type Destination = (IpAddr, u8);

/// A route of the main table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// The network; `None` for all the rest of `gateway`'s family.
    pub(crate) destination: Option<Destination>,
    /// The next hop; `None` for what is on the link.
    pub(crate) gateway: Option<IpAddr>,
    /// Index of the interface.
    pub(crate) interface: u32,
    /// Lower ones are taken first.
    pub(crate) metric: u32,
}

fn family(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

impl HostAddress {
    fn read(message: &Message) -> Option<HostAddress> {
        let body = &message.body;
        let rest = body.get(ADDRESS_HEAD..)?;
        // On a link between two points IFA_ADDRESS is the other one's.
        let found = attribute(rest, IFA_LOCAL).or_else(|| attribute(rest, IFA_ADDRESS))?;
        Some(HostAddress {
            interface: word(body, 4)?,
            ip: address(found)?,
            prefix: body[1],
        })
    }

    fn head(self) -> [u8; ADDRESS_HEAD] {
        let mut head = [0; ADDRESS_HEAD];
        head[0] = family(self.ip);
        head[1] = self.prefix;
        // The store gives no address twice: asking the neighbours takes a second.
        if self.ip.is_ipv6() {
            head[2] = libc::IFA_F_NODAD as u8;
        }
        head[4..].copy_from_slice(&self.interface.to_ne_bytes());
        head
    }

    /// The last address of the subnet, which all of its hosts hear.
    fn broadcast(self) -> Option<IpAddr> {
        let IpAddr::V4(ip) = self.ip else {
            return None;
        };
        let hosts = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
        (self.prefix < 31).then(|| IpAddr::V4((ip.to_bits() | hosts).into()))
    }
}

impl Route {
    fn read(message: &Message) -> Option<Route> {
        let body = &message.body;
        let rest = body.get(ROUTE_HEAD..)?;
        let number = |kind| attribute(rest, kind).and_then(|bytes| word(bytes, 0));
        let table = number(RTA_TABLE).unwrap_or(u32::from(body[4]));
        if table != u32::from(libc::RT_TABLE_MAIN) {
            return None;
        }
        let to = attribute(rest, RTA_DST).and_then(address);
        Some(Route {
            destination: to.map(|network| (network, body[1])),
            gateway: attribute(rest, RTA_GATEWAY).and_then(address),
            interface: number(RTA_OIF)?,
            metric: number(RTA_PRIORITY).unwrap_or(0),
        })
    }
}

impl Netlink {
    /// All addresses of the namespace.
    pub(crate) fn addresses(&mut self) -> Result<Vec<HostAddress>> {
        let head = [0; ADDRESS_HEAD];
        let operation = "list network addresses";
        let request = Request::new(operation, "", libc::RTM_GETADDR, 0, &head);
        let found = self.list(&request)?;
        Ok(found.iter().filter_map(HostAddress::read).collect())
    }

    /// All routes of the main table, both families.
    pub(crate) fn routes(&mut self) -> Result<Vec<Route>> {
        let head = [0; ROUTE_HEAD];
        let request = Request::new("list routes", "", libc::RTM_GETROUTE, 0, &head);
        let found = self.list(&request)?;
        Ok(found.iter().filter_map(Route::read).collect())
    }
}

impl Request {
    /// Gives an interface an address; one that it has is no error.
    pub(crate) fn add_address(address: HostAddress) -> Request {
        let flags = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        let mut request = Request::new(
            "add address",
            format!("{}/{}", address.ip, address.prefix),
            libc::RTM_NEWADDR,
            flags,
            &address.head(),
        );
        request.address(IFA_LOCAL, address.ip);
        request.address(IFA_ADDRESS, address.ip);
        if let Some(broadcast) = address.broadcast() {
            request.address(IFA_BROADCAST, broadcast);
        }
        request
    }

    /// Takes an address from an interface; one that it does not have is no error.
    pub(crate) fn delete_address(address: HostAddress) -> Request {
        let mut request = Request::new(
            "remove address",
            format!("{}/{}", address.ip, address.prefix),
            libc::RTM_DELADDR,
            0,
            &address.head(),
        )
        .tolerating(&[libc::EADDRNOTAVAIL]);
        request.address(IFA_LOCAL, address.ip);
        request
    }

    /// Adds a route; the very same one is no error.
    pub(crate) fn add_route(route: Route) -> Request {
        let flags = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        let object = match (route.destination, route.gateway) {
            (Some((network, prefix)), _) => format!("{network}/{prefix}"),
            (None, Some(gateway)) => format!("default via {gateway}"),
            (None, None) => "default".to_owned(),
        };
        let of = route
            .destination
            .map(|(network, _)| network)
            .or(route.gateway);
        let mut head = [0; ROUTE_HEAD];
        head[0] = of.map_or(libc::AF_INET as u8, family);
        head[1] = route.destination.map_or(0, |(_, prefix)| prefix);
        head[4] = libc::RT_TABLE_MAIN;
        head[5] = RTPROT_STATIC;
        head[6] = match route.gateway {
            Some(_) => libc::RT_SCOPE_UNIVERSE,
            None => libc::RT_SCOPE_LINK,
        };
        head[7] = libc::RTN_UNICAST;
        let mut request = Request::new("add route", object, libc::RTM_NEWROUTE, flags, &head);
        if let Some((network, _)) = route.destination {
            request.address(RTA_DST, network);
        }
        if let Some(gateway) = route.gateway {
            request.address(RTA_GATEWAY, gateway);
        }
        request.number(RTA_OIF, route.interface);
        if route.metric != 0 {
            request.number(RTA_PRIORITY, route.metric);
        }
        request
    }
}
