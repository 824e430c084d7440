//! Against the real kernel, in network namespaces of the tests' own.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use super::*;
use crate::sys::namespace::{in_network, new_network};

/// A new network namespace; `None` without the rights to make one.
fn own() -> Option<OwnedFd> {
    new_network().ok()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_pair_joins_a_bridge_to_another_namespace() {
    let (Some(host), Some(inside)) = (own(), own()) else {
        return;
    };
    let mut outer = Netlink::route_in(host.as_fd()).unwrap();
    outer
        .apply(&[
            Request::add_bridge("k0", [2, 0, 0, 0, 0, 1], 1500),
            Request::set_alias("k0", "mine"),
            Request::set_up("k0", true),
        ])
        .unwrap();
    let bridge = outer.link("k0").unwrap().unwrap();
    assert_eq!(bridge.kind.as_deref(), Some("bridge"));
    assert_eq!(bridge.alias.as_deref(), Some("mine"));
    assert!(bridge.up);
    let mac = [2, 66, 10, 0, 0, 2];
    let narrow = Packets {
        mtu: 1400,
        bundle: Some(256 << 10),
    };
    outer
        .apply(&[
            Request::add_veth("kv0", bridge.index, "eth0", mac, narrow, inside.as_fd()),
            Request::no_address_of_its_own("kv0"),
            Request::set_up("kv0", true),
        ])
        .unwrap();
    let port = outer.link("kv0").unwrap().unwrap();
    assert_eq!((port.master, port.mtu), (Some(bridge.index), 1400));
    let options = BridgePort {
        hairpin: true,
        isolated: true,
    };
    outer
        .apply(&[Request::set_bridge_port(port.index, options)])
        .unwrap();

    let mut inner = Netlink::route_in(inside.as_fd()).unwrap();
    let eth0 = inner.link("eth0").unwrap().unwrap();
    assert_eq!((eth0.mac.as_slice(), eth0.up), (&mac[..], false));
    // Linux 6.3 has a word for it.
    if port.bundle.is_some() {
        assert_eq!((port.bundle, eth0.bundle), (narrow.bundle, narrow.bundle));
        outer
            .apply(&[Request::set_bundle("k0", 128 << 10)])
            .unwrap();
        let bridge = outer.link("k0").unwrap().unwrap();
        assert_eq!(bridge.bundle, Some(128 << 10));
    }
    assert_eq!(inner.links().unwrap().len(), 2);
    let address = |text, prefix| HostAddress {
        interface: eth0.index,
        ip: ip(text),
        prefix,
    };
    let route = Route {
        destination: None,
        gateway: Some(ip("10.0.0.1")),
        interface: eth0.index,
        metric: 0,
    };
    let six = Route {
        gateway: Some(ip("fd01::1")),
        metric: 1024,
        ..route
    };
    inner
        .apply(&[
            Request::add_address(address("10.0.0.2", 24)),
            Request::set_up("eth0", true),
            Request::add_address(address("fd01::2", 64)),
            Request::add_route(route),
            Request::add_route(six),
        ])
        .unwrap();
    let found = inner.addresses().unwrap();
    assert!(found.contains(&address("10.0.0.2", 24)), "{found:?}");
    assert!(found.contains(&address("fd01::2", 64)), "{found:?}");
    let routes = inner.routes().unwrap();
    assert!(routes.contains(&route), "{routes:?}");
    assert!(routes.contains(&six), "{routes:?}");
    outer.apply(&[Request::delete_link("kv0")]).unwrap();
    assert_eq!(outer.link("kv0").unwrap(), None);
    outer.apply(&[Request::delete_link("kv0")]).unwrap();
}

#[test]
fn an_error_names_the_request_that_failed_and_what_follows_it_is_done() {
    let Some(host) = own() else {
        return;
    };
    let mut netlink = Netlink::route_in(host.as_fd()).unwrap();
    let bridge = |name| Request::add_bridge(name, [2, 0, 0, 0, 0, 1], 1500);
    let results = netlink
        .each(&[
            bridge("k0"),
            bridge("k0"),
            bridge("k1"),
            Request::set_up("none", true),
        ])
        .unwrap();
    assert!(results[0].is_ok() && results[2].is_ok());
    let error = results[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.object()), (Kind::Conflict, "k0"));
    assert_eq!(results[3].as_ref().unwrap_err().kind(), Kind::NotFound);
    let error = netlink
        .apply(&[bridge("a-name-that-is-too-long")])
        .unwrap_err();
    assert!(error.advice().is_some(), "{error}");
}

#[test]
fn a_visit_to_a_namespace_ends_where_it_began() {
    let Some(host) = own() else {
        return;
    };
    let here = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    let before = here();
    let there = in_network(host.as_fd(), here).unwrap();
    assert_ne!(before, there);
    assert_eq!(before, here());
    let wrong = File::open("/proc/self/ns/uts").unwrap();
    assert!(in_network(wrong.as_fd(), here).is_err());
    assert_eq!(before, here());
}

#[test]
fn a_macvlan_is_made_on_its_parent() {
    let (Some(host), Some(inside)) = (own(), own()) else {
        return;
    };
    let mut outer = Netlink::route_in(host.as_fd()).unwrap();
    outer
        .apply(&[Request::add_bridge("k0", [2, 0, 0, 0, 0, 1], 1500)])
        .unwrap();
    let parent = outer.link("k0").unwrap().unwrap().index;
    let kind = LinkKind::Macvlan(4);
    let request = Request::add_on_parent(kind, parent, "eth0", None, inside.as_fd());
    match outer.apply(&[request]) {
        // The kernel has no such driver.
        Err(error) if error.kind() == Kind::Unsupported => return,
        other => other.unwrap(),
    }
    let mut inner = Netlink::route_in(inside.as_fd()).unwrap();
    let found = inner.link("eth0").unwrap().unwrap();
    assert_eq!(found.kind.as_deref(), Some("macvlan"));
}
