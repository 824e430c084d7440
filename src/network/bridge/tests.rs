//! Two networks on a host of their own, with a world outside, in network namespaces: what is to
//! pass passes, and what is not does not. Nothing without the rights of root.

mod host;

use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

use super::*;
use crate::network::{Driver, Protocol, connect, disconnect};
use crate::sys::namespace::{in_network, new_network};
use crate::sys::netlink::Route;
use host::{Host, Joined, LONG, Net, ask, at, connected, find, heard, ip, is_older, silent};

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
        assert!(silent(&a.netns, &any(&a), &c.netns, at(c.ip, 9)));
        assert!(silent(&a.netns, &any6(&a), &c.netns, at(c.six(), 9)));
        assert!(silent(&host.world, "192.0.2.9", &a.netns, at(a.ip, 9)));
        assert!(silent(&host.world, "2001:db8::9", &a.netns, at(a.six(), 9)));
    }
}

#[test]
fn what_stays_on_a_network_is_not_tracked() {
    let Some(host) = Host::new(true, &find) else {
        return;
    };
    let net = Net::new(1, false);
    let (a, b) = (host.join(&net, 2, &[]), host.join(&net, 3, &[]));
    let tracked = || {
        let count = || std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count");
        let count = host.run(count).unwrap();
        count.trim().parse::<u32>().unwrap()
    };
    let before = tracked();
    let (from, from6) = (a.ip.to_string(), a.six().to_string());
    assert!(heard(&a.netns, &from, &b.netns, at(b.ip, 9)).is_some());
    assert!(heard(&a.netns, &from6, &b.netns, at(b.six(), 9)).is_some());
    assert_eq!(tracked(), before);
    // What leaves it is: the answer comes to the host.
    assert!(heard(&a.netns, &from, &host.world, at(ip("192.0.2.9"), 9)).is_some());
    assert!(tracked() > before);
}

#[test]
fn no_bridge_has_a_hardware_address_like_a_members() {
    let mut net = Net::new(1, false);
    for number in 0..1000 {
        net.record.id = format!("{number:064}");
        let mac = hardware_address(&Bridge::of(&net.record, Ground::Host));
        assert!(mac[0] == 2 && mac[1] != 0x42, "{mac:x?}");
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
            assert!(
                silent(&a.netns, "10.9.1.2", netns, at(ip(there), 9)),
                "{there}"
            );
        }
        assert!(silent(&c.netns, "10.9.2.2", &a.netns, at(a.ip, 9)));
        // The host asks and is answered.
        assert!(heard(&host.own, "10.9.1.1", &a.netns, at(a.ip, 9)).is_some());
    }
}

#[test]
fn without_rules_networks_of_a_shared_namespace_reach_nothing_else() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let host = Host {
        find: &|_| None,
        ..host
    };
    let (one, two) = (Net::new(1, false), Net::new(2, false));
    assert!(host.try_join(&one, 9, &[]).is_err());
    let join = |net, number| host.join_on(Ground::Shared, net, number, &[]).unwrap();
    let (a, b, c) = (join(&one, 2), join(&one, 3), join(&two, 2));
    assert!(heard(&a.netns, "10.9.1.2", &b.netns, at(b.ip, 9)).is_some());
    assert!(silent(&a.netns, "10.9.1.2", &c.netns, at(c.ip, 9)));
    let world = at(ip("192.0.2.9"), 9);
    assert!(silent(&a.netns, "10.9.1.2", &host.world, world));
    // What is led there by hand arrives.
    assert!(heard(&host.own, "10.9.2.1", &c.netns, at(c.ip, 9)).is_some());
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
            LONG,
        );
        assert_eq!(asked, Some(ip("192.0.2.9")));
        drop(server);
        let bind = || TcpListener::bind((a.six(), 80));
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
        server.set_read_timeout(Some(LONG)).unwrap();
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
        assert!(silent(&a.netns, "10.9.1.77", &b.netns, four));
        assert!(silent(&a.netns, "fd09:1::77", &b.netns, six));
        // Nor is it found under that address.
        assert!(silent(
            &b.netns,
            "10.9.1.3",
            &a.netns,
            at(ip("10.9.1.77"), 9)
        ));
        assert!(silent(
            &b.netns,
            "fd09:1::3",
            &a.netns,
            at(ip("fd09:1::77"), 9)
        ));
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
            assert!(silent(&a.netns, "10.9.1.2", &b.netns, four));
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
fn rules_that_somebody_removed_are_added_again() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let (one, two) = (Net::new(1, false), Net::new(2, false));
    let published = [Published {
        protocol: Protocol::Tcp,
        host: ip("0.0.0.0"),
        host_port: 8080,
        port: 80,
    }];
    let a = host.join(&one, 2, &published);
    let flush = || {
        std::process::Command::new("nft")
            .args(["flush", "ruleset"])
            .status()
    };
    assert!(host.run(flush).unwrap().success());
    let b = new_network().unwrap();
    let member = two.member(3);
    let join = || connect(&two.record, &member, &[], (b.as_fd(), Ground::Host), &find);
    assert!(host.run(join).unwrap().fresh);
    let bind = || TcpListener::bind((ip("0.0.0.0"), 80));
    let server = in_network(a.netns.as_fd(), bind).unwrap().unwrap();
    let there = at(ip("192.0.2.1"), 8080);
    assert_eq!(connected(&host.world, there, &server), None);
    let members = [(a.member.clone(), published.to_vec())];
    host.run(|| restore(&one.record, &members, &find)).unwrap();
    assert!(connected(&host.world, there, &server).is_some());
    let world = heard(&a.netns, "10.9.1.2", &host.world, at(ip("192.0.2.9"), 9));
    assert_eq!(world, Some(ip("192.0.2.1")));
}

#[test]
fn a_port_of_a_container_whose_keeper_was_killed_is_free() {
    for host in Host::all() {
        let net = Net::new(1, false);
        let published = [Published {
            protocol: Protocol::Tcp,
            host: ip("0.0.0.0"),
            host_port: 8080,
            port: 80,
        }];
        let a = host.join(&net, 2, &published);
        host.run(|| {
            Netlink::route()
                .unwrap()
                .apply(&[Request::delete_link(&a.port)])
        })
        .unwrap();
        // At the same address: what led to the one before is not the new one's.
        let again = host.join(&net, 2, &published);
        let sweep = || Firewall::present(host.find).unwrap().unwrap().sweep();
        host.run(sweep).unwrap();
        let bind = || TcpListener::bind((ip("0.0.0.0"), 80));
        let server = in_network(again.netns.as_fd(), bind).unwrap().unwrap();
        let there = at(ip("192.0.2.1"), 8080);
        assert!(connected(&host.world, there, &server).is_some());
    }
}

#[test]
fn a_host_that_forwards_nothing_lets_networks_out() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let Some(iptables) = find("iptables") else {
        return;
    };
    let run = |arguments: &[&str]| {
        let run = || {
            std::process::Command::new(&iptables)
                .args(arguments)
                .output()
        };
        String::from_utf8(host.run(run).unwrap().stdout).unwrap()
    };
    // As docker and ufw leave it.
    run(&["-P", "FORWARD", "DROP"]);
    let (one, two) = (Net::new(1, false), Net::new(2, false));
    let (a, b) = (host.join(&one, 2, &[]), host.join(&two, 2, &[]));
    let world = heard(&a.netns, "10.9.1.2", &host.world, at(ip("192.0.2.9"), 9));
    assert_eq!(world, Some(ip("192.0.2.1")));
    assert!(silent(&a.netns, "10.9.1.2", &b.netns, at(b.ip, 9)));
    assert!(run(&["-S", "FORWARD"]).contains(&one.record.interface));
    host.run(|| remove(&one.record, &find)).unwrap();
    let left = run(&["-S", "FORWARD"]);
    assert!(!left.contains(&one.record.interface), "{left}");
    assert!(left.contains(&two.record.interface), "{left}");
}

#[test]
fn members_on_a_parent_reach_each_other_and_what_it_reaches() {
    let Some(host) = Host::new(false, &find) else {
        return;
    };
    let mut net = Net::new(1, false);
    net.record.driver = Driver::Macvlan;
    net.record.interface = "missing".to_owned();
    let (a, b) = (new_network().unwrap(), new_network().unwrap());
    let join = |net: &Net, netns: &OwnedFd, number| {
        let member = net.member(number);
        host.run(|| {
            connect(
                &net.record,
                &member,
                &[],
                (netns.as_fd(), Ground::Host),
                &find,
            )
        })
    };
    assert_eq!(join(&net, &a, 2).unwrap_err().kind(), Kind::NotFound);
    net.record.interface = "up".to_owned();
    match join(&net, &a, 2) {
        // The kernel has no such driver.
        Err(error) if error.kind() == Kind::Unsupported => return,
        other => assert_eq!(other.unwrap().device, None),
    }
    join(&net, &b, 3).unwrap();
    let there = at(ip("10.9.1.3"), 9);
    assert_eq!(heard(&a, "10.9.1.2", &b, there), Some(ip("10.9.1.2")));
    let disconnected = disconnect(None, &net.member(2), a.as_fd(), &find);
    disconnected.unwrap();
    let mut inside = Netlink::route_in(a.as_fd()).unwrap();
    assert_eq!(inside.link("eth0").unwrap(), None);
    net.record
        .options
        .insert("mode".to_owned(), "other".to_owned());
    assert_eq!(join(&net, &a, 2).unwrap_err().kind(), Kind::Usage);
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
        ensure(&mut netlink, &Bridge::of(&net.record, Ground::Host)).unwrap();
        let other = Request::set_alias(&net.record.interface, "somebody's");
        netlink.apply(&[other]).unwrap();
        let error = ensure(&mut netlink, &Bridge::of(&net.record, Ground::Host)).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
    });
}
