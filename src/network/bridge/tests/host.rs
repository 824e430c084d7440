//! A host with an uplink to a world, networks and members of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use super::super::*;
use crate::network::{Address, Driver, Member, connect};
use crate::sys::namespace::{in_network, new_network};
use crate::sys::netlink::Route;

/// How long something that does not come is waited for.
pub(super) const SHORTLY: Duration = Duration::from_millis(250);
/// How long something that comes is waited for.
pub(super) const LONG: Duration = Duration::from_secs(5);

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Looks where system programs are, as an environment without PATH would.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin"];
    let mut paths = folders
        .iter()
        .map(|folder| PathBuf::from(folder).join(name));
    paths.find(|path| path.exists())
}

/// The same on a machine without nft.
pub(super) fn find_older(name: &str) -> Option<PathBuf> {
    find(name).filter(|_| name != "nft")
}

pub(super) fn is_older(host: &Host) -> bool {
    (host.find)("nft").is_none()
}

/// A host with an uplink to a world.
pub(super) struct Host {
    pub(super) own: OwnedFd,
    pub(super) world: OwnedFd,
    pub(super) find: Find<'static>,
}

/// A container on a network.
pub(super) struct Joined {
    pub(super) netns: OwnedFd,
    pub(super) port: String,
    pub(super) ip: IpAddr,
    pub(super) member: Member,
}

/// One network of the tests': its number is in all its names.
pub(super) struct Net {
    pub(super) record: Record,
    pub(super) number: u8,
}

impl Net {
    pub(super) fn new(number: u8, internal: bool) -> Net {
        let pools = [format!("10.9.{number}.0/24"), format!("fd09:{number}::/64")];
        let pools = pools.iter().map(|text| Pool::of(text.parse().unwrap()));
        let record = Record {
            name: format!("net{number}"),
            id: format!("{number:064}"),
            created: crate::common::Timestamp(0),
            driver: Driver::Bridge,
            interface: format!("k-{number}"),
            subnets: pools.collect(),
            internal,
            ipv6: true,
            dns: true,
            resolvers: Vec::new(),
            isolate: true,
            labels: std::collections::BTreeMap::new(),
            options: std::collections::BTreeMap::new(),
        };
        Net { record, number }
    }

    pub(super) fn member(&self, number: u8) -> Member {
        let net = self.number;
        let address = |text: String, prefix| Address {
            ip: ip(&text),
            prefix,
        };
        Member {
            container: format!("{number:064}"),
            name: format!("c{number}"),
            aliases: Vec::new(),
            addresses: vec![
                address(format!("10.9.{net}.{number}"), 24),
                address(format!("fd09:{net}::{number}"), 64),
            ],
            gateways: vec![ip(&format!("10.9.{net}.1")), ip(&format!("fd09:{net}::1"))],
            mac: format!("02:42:0a:09:{net:02x}:{number:02x}"),
            interface: "eth0".to_owned(),
        }
    }
}

impl Host {
    /// Every host there is: bridged frames pass the IP filter or do not, there is nft or not.
    pub(super) fn all() -> impl Iterator<Item = Host> {
        let older = [Host::new(false, &find_older), Host::new(true, &find_older)];
        let all = [Host::new(false, &find), Host::new(true, &find)];
        all.into_iter().chain(older).flatten()
    }

    /// A host whose bridged frames pass the IP filter or do not; `None` without root and the
    /// programs.
    pub(super) fn new(filtered: bool, find: Find<'static>) -> Option<Host> {
        find("nft").or_else(|| find("iptables-restore"))?;
        let (own, world) = (new_network().ok()?, new_network().ok()?);
        in_network(own.as_fd(), || {
            let value = if filtered { "1" } else { "0" };
            for name in ["iptables", "ip6tables", "arptables"] {
                let _ =
                    std::fs::write(format!("/proc/sys/net/bridge/bridge-nf-call-{name}"), value);
            }
            crate::sys::net::loopback_up().unwrap();
            uplink(world.as_fd());
        })
        .unwrap();
        let mut outer = Netlink::route_in(world.as_fd()).unwrap();
        let up0 = outer.link("up0").unwrap().unwrap().index;
        let address = |text, prefix| {
            Request::add_address(HostAddress {
                interface: up0,
                ip: ip(text),
                prefix,
            })
        };
        let route = |gateway, network, prefix| {
            Request::add_route(Route {
                destination: Some((ip(network), prefix)),
                gateway: Some(ip(gateway)),
                interface: up0,
                metric: 0,
            })
        };
        let requests = [
            address("192.0.2.9", 24),
            address("2001:db8::9", 64),
            Request::set_up("up0", true),
            // A neighbour that takes the host for a router.
            route("192.0.2.1", "10.9.0.0", 16),
            route("2001:db8::1", "fd09::", 16),
        ];
        outer.apply(&requests).unwrap();
        let host = Host { own, world, find };
        host.run(|| {
            let mut netlink = Netlink::route().unwrap();
            for link in ["port0", "up"] {
                assert!(netlink.await_link(link, PATIENCE).unwrap());
            }
        });
        Some(host)
    }

    pub(super) fn run<T>(&self, what: impl FnOnce() -> T) -> T {
        in_network(self.own.as_fd(), what).unwrap()
    }

    pub(super) fn join(&self, net: &Net, number: u8, published: &[Published]) -> Joined {
        self.try_join(net, number, published).unwrap()
    }

    pub(super) fn try_join(
        &self,
        net: &Net,
        number: u8,
        published: &[Published],
    ) -> Result<Joined> {
        self.join_on(Ground::Host, net, number, published)
    }

    pub(super) fn join_on(
        &self,
        ground: Ground,
        net: &Net,
        number: u8,
        published: &[Published],
    ) -> Result<Joined> {
        let netns = new_network().unwrap();
        in_network(netns.as_fd(), crate::sys::net::loopback_up).unwrap()?;
        let member = net.member(number);
        let place = (netns.as_fd(), ground);
        let join = || connect(&net.record, &member, published, place, self.find);
        let bridge = || Netlink::route()?.link(&net.record.interface);
        let is_first = self.run(bridge)?.is_none();
        let connected = self.run(join)?;
        let is_closed = (self.find)("nft").is_none() && (self.find)("iptables").is_none();
        assert_eq!(connected.lack.is_some(), is_closed && is_first);
        let port = connected.device.unwrap();
        Ok(Joined {
            netns,
            port,
            ip: member.addresses[0].ip,
            member,
        })
    }
}

/// The pair between the host, which this thread is in, and the world.
pub(super) fn uplink(world: BorrowedFd<'_>) {
    let mut netlink = Netlink::route().unwrap();
    let mac = [2, 0, 0, 0, 0, 9];
    netlink
        .apply(&[Request::add_bridge("up", [2, 0, 0, 0, 0, 8], 1500)])
        .unwrap();
    let index = netlink.link("up").unwrap().unwrap().index;
    let address = |text, prefix| {
        Request::add_address(HostAddress {
            interface: index,
            ip: ip(text),
            prefix,
        })
    };
    let packets = Packets {
        mtu: 1500,
        bundle: None,
    };
    netlink
        .apply(&[
            Request::add_veth("port0", index, "up0", mac, packets, world),
            Request::set_up("port0", true),
            Request::set_up("up", true),
            address("192.0.2.1", 24),
            address("2001:db8::1", 64),
        ])
        .unwrap();
}

impl Joined {
    pub(super) fn six(&self) -> IpAddr {
        self.member.addresses[1].ip
    }
}

/// Who a datagram from `from` to `to` at `at` comes from; `None` when it does not come. The
/// answer has to come back, too.
pub(super) fn heard(from: &OwnedFd, source: &str, to: &OwnedFd, at: SocketAddr) -> Option<IpAddr> {
    let server = in_network(to.as_fd(), || UdpSocket::bind(at))
        .unwrap()
        .ok()?;
    ask(from, source, at, &server, LONG)
}

/// Whether a datagram does not come.
pub(super) fn silent(from: &OwnedFd, source: &str, to: &OwnedFd, at: SocketAddr) -> bool {
    let server = in_network(to.as_fd(), || UdpSocket::bind(at)).unwrap();
    server.is_ok_and(|server| ask(from, source, at, &server, SHORTLY).is_none())
}

/// As [`heard`], where the datagram is sent to another address than it arrives at.
pub(super) fn ask(
    from: &OwnedFd,
    source: &str,
    to: SocketAddr,
    server: &UdpSocket,
    patience: Duration,
) -> Option<IpAddr> {
    server.set_read_timeout(Some(patience)).unwrap();
    let client = in_network(from.as_fd(), || UdpSocket::bind((ip(source), 0)))
        .unwrap()
        .unwrap();
    client.set_read_timeout(Some(patience)).unwrap();
    client.send_to(b"?", to).ok()?;
    let mut buffer = [0; 4];
    let (_, source) = server.recv_from(&mut buffer).ok()?;
    server.send_to(b"!", source).unwrap();
    client.recv_from(&mut buffer).ok().map(|_| source.ip())
}

/// Who a connection from `from` to `to` comes from, with a word each way.
pub(super) fn connected(from: &OwnedFd, to: SocketAddr, server: &TcpListener) -> Option<IpAddr> {
    let client = in_network(from.as_fd(), || TcpStream::connect_timeout(&to, LONG)).unwrap();
    let mut client = client.ok()?;
    let (mut accepted, source) = server.accept().unwrap();
    client.write_all(b"?").unwrap();
    let mut buffer = [0];
    accepted.read_exact(&mut buffer).unwrap();
    accepted.write_all(b"!").unwrap();
    client.read_exact(&mut buffer).unwrap();
    Some(source.ip())
}

pub(super) fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}
