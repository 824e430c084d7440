//! Network interfaces (rtnetlink(7), `RTM_*LINK`).

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::{Message, Netlink, Request, attribute, text, word};
use crate::common::Result;

/// Size of `struct ifinfomsg`.
const HEAD: usize = 16;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_GSO_IPV4_MAX_SIZE: u16 = 63;
const IFLA_GRO_IPV4_MAX_SIZE: u16 = 64;
/// Leaves the counters out of an answer (Linux 4.11).
const RTEXT_FILTER_SKIP_STATS: u32 = 8;
const IFLA_PROTINFO: u16 = 12;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
const VETH_INFO_PEER: u16 = 1;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const IFLA_BRPORT_MODE: u16 = 4;
const IFLA_BRPORT_ISOLATED: u16 = 33;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;

/// The interface passes packets (`IF_OPER_UP`, RFC 2863).
const IF_OPER_UP: u8 = 6;

/// `struct ifinfomsg` for interface `index`, 0 where its name follows, with `up` to be set.
fn head(family: i32, index: u32, up: Option<bool>) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[0] = family as u8;
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    if let Some(up) = up {
        let bit = libc::IFF_UP as u32;
        head[8..12].copy_from_slice(&(if up { bit } else { 0 }).to_ne_bytes());
        head[12..16].copy_from_slice(&bit.to_ne_bytes());
    }
    head
}

/// Flags of a request for something new.
const NEW: i32 = libc::NLM_F_CREATE | libc::NLM_F_EXCL;

/// How large the packets of a new interface are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packets {
    /// The largest one in bytes.
    pub(crate) mtu: u32,
    /// Bytes of one connection that pass through the kernel as one packet, by IPv4, until a
    /// device takes them apart; `None` is the kernel's 64 KiB. Before Linux 6.3 it is not read.
    pub(crate) bundle: Option<u32>,
}

impl Request {
    fn packets(&mut self, packets: Packets) -> &mut Request {
        if let Some(bundle) = packets.bundle {
            self.bundle(bundle);
        }
        self.number(IFLA_MTU, packets.mtu)
    }

    fn bundle(&mut self, most: u32) -> &mut Request {
        self.number(IFLA_GSO_IPV4_MAX_SIZE, most)
            .number(IFLA_GRO_IPV4_MAX_SIZE, most)
    }
}

/// What a new interface on a parent of the host's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// Its own hardware address on the parent; the number is the kernel's `MACVLAN_MODE_`.
    Macvlan(u32),
    /// The parent's hardware address, its own IP address; the number is `IPVLAN_MODE_`.
    Ipvlan(u16),
}

/// What a port of a bridge does besides passing frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BridgePort {
    /// Frames may leave by the port they came from, as a container needs to reach its own
    /// published port where bridged frames pass the IP filter.
    pub(crate) hairpin: bool,
    /// Frames do not go to other isolated ports (Linux 4.18).
    pub(crate) isolated: bool,
}

/// One interface as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its index, never given twice in one namespace.
    pub(crate) index: u32,
    /// Its name.
    pub(crate) name: String,
    /// Whether it is set up.
    pub(crate) up: bool,
    /// Whether it passes packets: some time after both ends of a pair are set up, when the kernel
    /// has got to it.
    pub(crate) works: bool,
    /// Index of the bridge it is a port of.
    pub(crate) master: Option<u32>,
    /// Index of the other end of a pair, or of the parent.
    pub(crate) peer: Option<u32>,
    /// Largest packet in bytes.
    pub(crate) mtu: u32,
    /// Largest bundle of packets in bytes, since Linux 6.3.
    pub(crate) bundle: Option<u32>,
    /// Hardware address.
    pub(crate) mac: Vec<u8>,
    /// The alias that whoever made it left there.
    pub(crate) alias: Option<String>,
    /// "bridge", "veth"; `None` for hardware.
    pub(crate) kind: Option<String>,
}

impl Link {
    fn read(message: &Message) -> Option<Link> {
        let body = &message.body;
        let rest = body.get(HEAD..)?;
        let number = |kind| attribute(rest, kind).and_then(|bytes| word(bytes, 0));
        let info = attribute(rest, IFLA_LINKINFO);
        Some(Link {
            index: word(body, 4)?,
            name: text(attribute(rest, IFLA_IFNAME)?),
            up: word(body, 8)? & libc::IFF_UP as u32 != 0,
            works: attribute(rest, IFLA_OPERSTATE) == Some(&[IF_OPER_UP]),
            master: number(IFLA_MASTER),
            peer: number(IFLA_LINK),
            mtu: number(IFLA_MTU).unwrap_or(0),
            bundle: number(IFLA_GSO_IPV4_MAX_SIZE),
            mac: attribute(rest, IFLA_ADDRESS).unwrap_or(&[]).to_vec(),
            alias: attribute(rest, IFLA_IFALIAS).map(text),
            kind: info
                .and_then(|info| attribute(info, IFLA_INFO_KIND))
                .map(text),
        })
    }
}

impl Netlink {
    /// The interface `name`; `None` when there is none.
    pub(crate) fn link(&mut self, name: &str) -> Result<Option<Link>> {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "look for network interface";
        let mut request = Request::new(operation, name, libc::RTM_GETLINK, 0, &head);
        request
            .text(IFLA_IFNAME, name)
            .number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        let found = self.get(&request)?;
        Ok(found.as_ref().and_then(Link::read))
    }

    /// Waits until the interface `name` passes packets, at most for `patience`; false when it does
    /// not by then.
    pub(crate) fn await_link(&mut self, name: &str, patience: Duration) -> Result<bool> {
        let works = |link: Option<Link>| link.is_some_and(|link| link.works);
        // Since Linux 6.8 a question makes the kernel get to it.
        if works(self.link(name)?) {
            return Ok(true);
        }
        let mut news = Netlink::link_news()?;
        let end = Instant::now() + patience;
        loop {
            if works(self.link(name)?) {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if !news.wait(left)? {
                return Ok(false);
            }
        }
    }

    /// All interfaces of the namespace.
    pub(crate) fn links(&mut self) -> Result<Vec<Link>> {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "list network interfaces";
        let mut request = Request::new(operation, "", libc::RTM_GETLINK, 0, &head);
        request.number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        let found = self.list(&request)?;
        Ok(found.iter().filter_map(Link::read).collect())
    }
}

impl Request {
    /// Makes the bridge `name`, down. It gives multicast to all ports: snooping would lose what IPv6 needs while nobody on it asks who listens.
    pub(crate) fn add_bridge(name: &str, mac: [u8; 6], mtu: u32) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let mut request = Request::new("add bridge", name, libc::RTM_NEWLINK, NEW, &head);
        request
            .text(IFLA_IFNAME, name)
            .bytes(IFLA_ADDRESS, &mac)
            .number(IFLA_MTU, mtu)
            .nest(IFLA_LINKINFO, |info| {
                info.text(IFLA_INFO_KIND, "bridge")
                    .nest(IFLA_INFO_DATA, |data| {
                        data.byte(IFLA_BR_MCAST_SNOOPING, 0);
                    });
            });
        request
    }

    /// Makes a pair: `name` here as a port of the bridge of index `bridge`, and `inside` in
    /// `netns` with the hardware address `mac`. Both are down. Each has one queue: a pair keeps
    /// no packets and takes no lock to pass one, and the kernel would make four objects per
    /// processor.
    pub(crate) fn add_veth(
        name: &str,
        bridge: u32,
        inside: &str,
        mac: [u8; 6],
        packets: Packets,
        netns: BorrowedFd<'_>,
    ) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "add network interface";
        let mut request = Request::new(operation, name, libc::RTM_NEWLINK, NEW, &head);
        request
            .text(IFLA_IFNAME, name)
            .number(IFLA_MASTER, bridge)
            .packets(packets)
            .number(IFLA_NUM_TX_QUEUES, 1)
            .number(IFLA_NUM_RX_QUEUES, 1)
            .nest(IFLA_LINKINFO, |info| {
                info.text(IFLA_INFO_KIND, "veth");
                info.nest(IFLA_INFO_DATA, |data| {
                    data.nest(VETH_INFO_PEER, |peer| {
                        peer.raw(&head)
                            .text(IFLA_IFNAME, inside)
                            .bytes(IFLA_ADDRESS, &mac)
                            .packets(packets)
                            .number(IFLA_NUM_TX_QUEUES, 1)
                            .number(IFLA_NUM_RX_QUEUES, 1)
                            .number(IFLA_NET_NS_FD, netns.as_raw_fd() as u32);
                    });
                });
            });
        request
    }

    /// Makes `inside` in `netns` on top of the interface of index `parent` here; down.
    pub(crate) fn add_on_parent(
        kind: LinkKind,
        parent: u32,
        inside: &str,
        mac: Option<[u8; 6]>,
        netns: BorrowedFd<'_>,
    ) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "add network interface";
        let mut request = Request::new(operation, inside, libc::RTM_NEWLINK, NEW, &head);
        request
            .text(IFLA_IFNAME, inside)
            .number(IFLA_LINK, parent)
            .number(IFLA_NET_NS_FD, netns.as_raw_fd() as u32);
        if let Some(mac) = mac {
            request.bytes(IFLA_ADDRESS, &mac);
        }
        request.nest(IFLA_LINKINFO, |info| match kind {
            LinkKind::Macvlan(mode) => {
                info.text(IFLA_INFO_KIND, "macvlan");
                info.nest(IFLA_INFO_DATA, |data| {
                    data.number(IFLA_MACVLAN_MODE, mode);
                });
            }
            LinkKind::Ipvlan(mode) => {
                info.text(IFLA_INFO_KIND, "ipvlan");
                info.nest(IFLA_INFO_DATA, |data| {
                    data.bytes(IFLA_IPVLAN_MODE, &mode.to_ne_bytes());
                });
            }
        });
        request
    }

    /// Sets the interface `name` up or down.
    pub(crate) fn set_up(name: &str, up: bool) -> Request {
        let operation = "set up network interface";
        let mut request = Request::new(
            operation,
            name,
            libc::RTM_NEWLINK,
            0,
            &head(libc::AF_UNSPEC, 0, Some(up)),
        );
        request.text(IFLA_IFNAME, name);
        request
    }

    /// Sets the largest bundle of packets, [`Packets::bundle`], of an interface that is there: a
    /// bridge takes what its ports take, and nothing larger than 64 KiB before it has one.
    pub(crate) fn set_bundle(name: &str, bundle: u32) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let mut request = Request::new("set up", name, libc::RTM_NEWLINK, 0, &head);
        request.text(IFLA_IFNAME, name).bundle(bundle);
        request
    }

    /// Leaves `alias` at the interface `name`, for whoever lists it.
    pub(crate) fn set_alias(name: &str, alias: &str) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "name network interface";
        let mut request = Request::new(operation, name, libc::RTM_NEWLINK, 0, &head);
        request.text(IFLA_IFNAME, name).text(IFLA_IFALIAS, alias);
        request
    }

    /// Keeps the kernel from giving `name` an IPv6 address of its own. Before it is set up.
    pub(crate) fn no_address_of_its_own(name: &str) -> Request {
        let operation = "configure network interface";
        let head = head(libc::AF_UNSPEC, 0, None);
        // A kernel without IPv6 gives no addresses, and does not know the family.
        let mut request = Request::new(operation, name, libc::RTM_NEWLINK, 0, &head)
            .tolerating(&[libc::EAFNOSUPPORT, libc::EOPNOTSUPP]);
        request
            .text(IFLA_IFNAME, name)
            .nest(IFLA_AF_SPEC, |families| {
                families.nest(libc::AF_INET6 as u16, |six| {
                    six.byte(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
                });
            });
        request
    }

    /// Configures the port of index `index` of a bridge.
    pub(crate) fn set_bridge_port(index: u32, port: BridgePort) -> Request {
        let operation = "configure bridge port";
        let mut request = Request::new(
            operation,
            index.to_string(),
            libc::RTM_SETLINK,
            0,
            &head(libc::AF_BRIDGE, index, None),
        );
        request.nest(IFLA_PROTINFO, |options| {
            options.byte(IFLA_BRPORT_MODE, u8::from(port.hairpin));
            if port.isolated {
                options.byte(IFLA_BRPORT_ISOLATED, 1);
            }
        });
        request
    }

    /// Removes the interface `name`, and with it the other end of a pair; none is no error.
    pub(crate) fn delete_link(name: &str) -> Request {
        let head = head(libc::AF_UNSPEC, 0, None);
        let operation = "remove network interface";
        let mut request =
            Request::new(operation, name, libc::RTM_DELLINK, 0, &head).tolerating(&[libc::ENODEV]);
        request.text(IFLA_IFNAME, name);
        request
    }
}
