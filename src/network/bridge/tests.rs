//! Two networks on a host of their own, with a world outside, in network namespaces: what is to
//! pass passes, and what is not does not. Nothing without the rights of root.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::network::{Address, Driver, Member, Protocol, connect, disconnect};
use crate::sys::namespace::{in_network, new_network};
use crate::sys::netlink::Route;

/// How long something that does not come is waited for.
const SHORTLY: Duration = Duration::from_millis(400);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Looks where system programs are, as an environment without PATH would.
fn find(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin"];
    let mut paths = folders
        .iter()
        .map(|folder| PathBuf::from(folder).join(name));
    paths.find(|path| path.exists())
}

/// The same on a machine without nft.
fn find_older(name: &str) -> Option<PathBuf> {
    find(name).filter(|_| name != "nft")
}

fn is_older(host: &Host) -> bool {
    (host.find)("nft").is_none()
}

/// A host with an uplink to a world.
struct Host {
    own: OwnedFd,
    world: OwnedFd,
    find: Find<'static>,
}

/// A container on a network.
struct Joined {
    netns: OwnedFd,
    port: String,
    ip: IpAddr,
    member: Member,
}

/// One network of the tests': its number is in all its names.
struct Net {
    record: Record,
    number: u8,
}

impl Net {
    fn new(number: u8, internal: bool) -> Net {
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
            isolate: true,
            labels: std::collections::BTreeMap::new(),
            options: std::collections::BTreeMap::new(),
        };
        Net { record, number }
    }

    fn member(&self, number: u8) -> Member {
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
    fn all() -> impl Iterator<Item = Host> {
        let older = [Host::new(false, &find_older), Host::new(true, &find_older)];
        let all = [Host::new(false, &find), Host::new(true, &find)];
        all.into_iter().chain(older).flatten()
    }

    /// A host whose bridged frames pass the IP filter or do not; `None` without root and the
    /// programs.
    fn new(filtered: bool, find: Find<'static>) -> Option<Host> {
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

    fn run<T>(&self, what: impl FnOnce() -> T) -> T {
        in_network(self.own.as_fd(), what).unwrap()
    }

    fn join(&self, net: &Net, number: u8, published: &[Published]) -> Joined {
        self.try_join(net, number, published).unwrap()
    }

    fn try_join(&self, net: &Net, number: u8, published: &[Published]) -> Result<Joined> {
        let netns = new_network().unwrap();
        in_network(netns.as_fd(), crate::sys::net::loopback_up).unwrap()?;
        let member = net.member(number);
        let join = || connect(&net.record, &member, published, netns.as_fd(), self.find);
        let port = self.run(join)?.unwrap();
        Ok(Joined {
            netns,
            port,
            ip: member.addresses[0].ip,
            member,
        })
    }
}

/// The pair between the host, which this thread is in, and the world.
fn uplink(world: BorrowedFd<'_>) {
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
    netlink
        .apply(&[
            Request::add_veth("port0", index, "up0", mac, 1500, world),
            Request::set_up("port0", true),
            Request::set_up("up", true),
            address("192.0.2.1", 24),
            address("2001:db8::1", 64),
        ])
        .unwrap();
}

impl Joined {
    fn six(&self) -> IpAddr {
        self.member.addresses[1].ip
    }
}

/// Who a datagram from `from` to `to` at `at` comes from; `None` when it does not come. The
/// answer has to come back, too.
fn heard(from: &OwnedFd, source: &str, to: &OwnedFd, at: SocketAddr) -> Option<IpAddr> {
    let server = in_network(to.as_fd(), || UdpSocket::bind(at))
        .unwrap()
        .ok()?;
    ask(from, source, at, &server)
}

/// As [`heard`], where the datagram is sent to another address than it arrives at.
fn ask(from: &OwnedFd, source: &str, to: SocketAddr, server: &UdpSocket) -> Option<IpAddr> {
    server.set_read_timeout(Some(SHORTLY)).unwrap();
    let client = in_network(from.as_fd(), || UdpSocket::bind((ip(source), 0)))
        .unwrap()
        .unwrap();
    client.set_read_timeout(Some(SHORTLY)).unwrap();
    client.send_to(b"?", to).ok()?;
    let mut buffer = [0; 4];
    let (_, source) = server.recv_from(&mut buffer).ok()?;
    server.send_to(b"!", source).unwrap();
    client.recv_from(&mut buffer).ok().map(|_| source.ip())
}

/// Who a connection from `from` to `to` comes from, with a word each way.
fn connected(from: &OwnedFd, to: SocketAddr, server: &TcpListener) -> Option<IpAddr> {
    let client = in_network(from.as_fd(), || TcpStream::connect_timeout(&to, SHORTLY)).unwrap();
    let mut client = client.ok()?;
    let (mut accepted, source) = server.accept().unwrap();
    client.write_all(b"?").unwrap();
    let mut buffer = [0];
    accepted.read_exact(&mut buffer).unwrap();
    accepted.write_all(b"!").unwrap();
    client.read_exact(&mut buffer).unwrap();
    Some(source.ip())
}

fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

#[test]
fn members_reach_each_other_and_the_world_but_not_other_networks() {
    for host in Host::all() {
        let (one, two) = (Net::new(1, false), Net::new(2, false));
        let (a, b) = (host.join(&one, 2, &[]), host.join(&one, 3, &[]));
        let c = host.join(&two, 2, &[]);
        let any = |member: &Joined| member.ip.to_string();
        let any6 = |member: &Joined| member.six().to_string();
        // Each other, with their own addresses.
        assert_eq!(heard(&a.netns, &any(&a), &b.netns, at(b.ip, 9)), Some(a.ip));
        let six = heard(&a.netns, &any6(&a), &b.netns, at(b.six(), 9));
        assert_eq!(six, Some(a.six()));
        // The world, with the host's.
        let world = heard(&a.netns, &any(&a), &host.world, at(ip("192.0.2.9"), 9));
        assert_eq!(world, Some(ip("192.0.2.1")));
        let world = heard(&a.netns, &any6(&a), &host.world, at(ip("2001:db8::9"), 9));
        assert_eq!(world, Some(ip("2001:db8::1")));
        // The host on its address in the network.
        let own = heard(&a.netns, &any(&a), &host.own, at(ip("10.9.1.1"), 9));
        assert_eq!(own, Some(a.ip));
        // Not the other network, and the world not a member, whichever way it asks.
        assert_eq!(heard(&a.netns, &any(&a), &c.netns, at(c.ip, 9)), None);
        assert_eq!(heard(&a.netns, &any6(&a), &c.netns, at(c.six(), 9)), None);
        assert_eq!(heard(&host.world, "192.0.2.9", &a.netns, at(a.ip, 9)), None);
        assert_eq!(
            heard(&host.world, "2001:db8::9", &a.netns, at(a.six(), 9)),
            None
        );
    }
}

#[test]
fn an_internal_network_has_no_way_out_and_none_to_the_host() {
    for host in Host::all() {
        let (inner, open) = (Net::new(1, true), Net::new(2, false));
        let (a, b) = (host.join(&inner, 2, &[]), host.join(&inner, 3, &[]));
        let c = host.join(&open, 2, &[]);
        assert!(heard(&a.netns, "10.9.1.2", &b.netns, at(b.ip, 9)).is_some());
        // With a route of its own making.
        let mut inside = Netlink::route_in(a.netns.as_fd()).unwrap();
        let eth0 = inside.link("eth0").unwrap().unwrap().index;
        let out = Request::add_route(Route {
            destination: None,
            gateway: Some(ip("10.9.1.1")),
            interface: eth0,
            metric: 0,
        });
        inside.apply(&[out]).unwrap();
        for (netns, there) in [
            (&host.world, "192.0.2.9"),
            (&host.own, "192.0.2.1"),
            (&host.own, "10.9.1.1"),
            (&c.netns, "10.9.2.2"),
        ] {
            assert_eq!(
                heard(&a.netns, "10.9.1.2", netns, at(ip(there), 9)),
                None,
                "{there}"
            );
        }
        assert_eq!(heard(&c.netns, "10.9.2.2", &a.netns, at(a.ip, 9)), None);
        // The host asks and is answered.
        assert!(heard(&host.own, "10.9.1.1", &a.netns, at(a.ip, 9)).is_some());
    }
}

#[test]
fn a_published_port_leads_to_its_container_from_everywhere() {
    for host in Host::all() {
        let (one, two) = (Net::new(1, false), Net::new(2, false));
        let port = |protocol, address, host_port| Published {
            protocol,
            host: ip(address),
            host_port,
            port: 80,
        };
        let published = [
            port(Protocol::Tcp, "0.0.0.0", 8080),
            port(Protocol::Tcp, "::", 8080),
            port(Protocol::Udp, "192.0.2.1", 8053),
            port(Protocol::Tcp, "127.0.0.1", 8081),
        ];
        let a = host.join(&one, 2, &published);
        let (b, c) = (host.join(&one, 3, &[]), host.join(&two, 2, &[]));
        let listen = |address: &str| {
            let at = (ip(address), 80);
            in_network(a.netns.as_fd(), || TcpListener::bind(at))
                .unwrap()
                .unwrap()
        };
        let (server, server6) = (listen("0.0.0.0"), listen("::1"));
        drop(server6);
        let there = at(ip("192.0.2.1"), 8080);
        // The world keeps its address; the others come in by the host's.
        assert_eq!(
            connected(&host.world, there, &server),
            Some(ip("192.0.2.9"))
        );
        assert_eq!(connected(&host.own, there, &server), Some(ip("192.0.2.1")));
        let other = connected(&c.netns, there, &server);
        assert!(other == Some(c.ip) || is_older(&host) && other.is_some());
        assert!(connected(&b.netns, there, &server).is_some(),);
        assert!(connected(&a.netns, there, &server).is_some(),);
        let at_gateway = at(ip("10.9.1.1"), 8080);
        assert!(connected(&b.netns, at_gateway, &server).is_some());
        assert_eq!(
            connected(&host.world, at(ip("192.0.2.1"), 8081), &server),
            None
        );
        let bind = || UdpSocket::bind((ip("0.0.0.0"), 80));
        let datagrams = in_network(a.netns.as_fd(), bind).unwrap().unwrap();
        let asked = ask(
            &host.world,
            "192.0.2.9",
            at(ip("192.0.2.1"), 8053),
            &datagrams,
        );
        assert_eq!(asked, Some(ip("192.0.2.9")));
        drop(server);
        let bind = || TcpListener::bind((ip("::"), 80));
        let server = in_network(a.netns.as_fd(), bind).unwrap().unwrap();
        let there = at(ip("2001:db8::1"), 8080);
        assert_eq!(
            connected(&host.world, there, &server),
            Some(ip("2001:db8::9"))
        );
        // A port has one container, and is free when that has ended.
        let error = host.try_join(&two, 9, &published[..1]).err().unwrap();
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        host.run(|| free_ports(&a.port, host.find)).unwrap();
        host.join(&two, 9, &published[..1]);
    }
}

#[test]
fn datagrams_of_a_client_that_goes_on_come_to_the_next_container() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let net = Net::new(1, false);
    let published = [Published {
        protocol: Protocol::Udp,
        host: ip("0.0.0.0"),
        host_port: 5353,
        port: 53,
    }];
    let client = in_network(host.world.as_fd(), || {
        UdpSocket::bind((ip("192.0.2.9"), 4000))
    });
    let client = client.unwrap().unwrap();
    let said = |joined: &Joined| {
        let bind = || UdpSocket::bind((joined.ip, 53));
        let server = in_network(joined.netns.as_fd(), bind).unwrap().unwrap();
        server.set_read_timeout(Some(SHORTLY)).unwrap();
        client.send_to(b"?", "192.0.2.1:5353").unwrap();
        server.recv_from(&mut [0]).is_ok()
    };
    // To nobody: the host remembers that it is for itself.
    client.send_to(b"?", "192.0.2.1:5353").unwrap();
    let first = host.join(&net, 2, &published);
    assert!(said(&first));
    host.run(|| free_ports(&first.port, &find)).unwrap();
    let second = host.join(&net, 3, &published);
    assert!(said(&second));
}

#[test]
fn nobody_speaks_with_the_address_of_another() {
    for filtered in [false, true] {
        let Some(host) = Host::new(filtered, &find) else {
            return;
        };
        let net = Net::new(1, false);
        let (a, b) = (host.join(&net, 2, &[]), host.join(&net, 3, &[]));
        let mut inside = Netlink::route_in(a.netns.as_fd()).unwrap();
        let eth0 = inside.link("eth0").unwrap().unwrap().index;
        let take = |text, prefix| {
            Request::add_address(HostAddress {
                interface: eth0,
                ip: ip(text),
                prefix,
            })
        };
        inside
            .apply(&[take("10.9.1.77", 24), take("fd09:1::77", 64)])
            .unwrap();
        let (four, six) = (at(b.ip, 9), at(b.six(), 9));
        assert_eq!(heard(&a.netns, "10.9.1.77", &b.netns, four), None);
        assert_eq!(heard(&a.netns, "fd09:1::77", &b.netns, six), None);
        // Nor is it found under that address.
        assert_eq!(
            heard(&b.netns, "10.9.1.3", &a.netns, at(ip("10.9.1.77"), 9)),
            None
        );
        assert_eq!(
            heard(&b.netns, "fd09:1::3", &a.netns, at(ip("fd09:1::77"), 9)),
            None
        );
        assert!(heard(&a.netns, "10.9.1.2", &b.netns, four).is_some());
        assert!(heard(&a.netns, "fd09:1::2", &b.netns, six).is_some());
        // With another hardware address it says nothing at all.
        let run = |arguments: &[&str]| {
            in_network(a.netns.as_fd(), || {
                std::process::Command::new("ip").args(arguments).status()
            })
        };
        if let Ok(Ok(status)) = run(&["link", "set", "eth0", "address", "02:42:0a:09:01:03"]) {
            assert!(status.success());
            assert_eq!(heard(&a.netns, "10.9.1.2", &b.netns, four), None);
        }
    }
}

#[test]
fn what_is_left_is_swept_and_a_bridge_goes_with_its_last_port() {
    let Some(host) = Host::new(true, &find) else {
        return;
    };
    let net = Net::new(1, false);
    let a = host.join(&net, 2, &[]);
    let b = host.join(&net, 3, &[]);
    let links = || host.run(|| Netlink::route().unwrap().links().unwrap());
    let has = |name: &str| links().iter().any(|link| link.name == name);
    // One is alive, the other not: its namespace is held all the same.
    let (alive, mine) = (format!("{:064}", 2), [net.record.interface.as_str()]);
    host.run(|| sweep(&mine, |owner| owner == alive, &find))
        .unwrap();
    assert!(has(&a.port) && !has(&b.port));
    let owners = || {
        let list = || {
            std::process::Command::new("nft")
                .args(["list", "ruleset"])
                .output()
        };
        let output = host.run(list).unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(owners().contains(&a.port));
    assert!(!owners().contains(&b.port));
    // A socket in the namespace would keep it.
    let (port, netns) = (a.port, a.netns);
    drop(netns);
    let gone = new_network().unwrap();
    host.run(|| disconnect(Some(&port), &a.member, gone.as_fd(), &find))
        .unwrap();
    host.run(|| remove(&net.record, &find)).unwrap();
    assert!(!has(&net.record.interface));
    let left = owners();
    assert!(
        !left.contains(&port) && !left.contains("elements"),
        "{left}"
    );
    host.run(|| remove(&net.record, &find)).unwrap();
}

#[test]
fn an_interface_of_somebody_elses_is_not_taken() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let net = Net::new(1, false);
    host.run(|| {
        let mut netlink = Netlink::route().unwrap();
        let taken = Request::add_bridge(&net.record.interface, [2, 0, 0, 0, 0, 1], 1500);
        netlink.apply(&[taken]).unwrap();
        // One that was only begun is finished.
        ensure(&mut netlink, &Bridge::of(&net.record)).unwrap();
        let other = Request::set_alias(&net.record.interface, "somebody's");
        netlink.apply(&[other]).unwrap();
        let error = ensure(&mut netlink, &Bridge::of(&net.record)).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
    });
}
