//! Which elements a network and a container have; that they work is tested with the bridge.

use super::super::Protocol;
use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn names(elements: &[Element]) -> Vec<&'static str> {
    elements.iter().map(|element| element.set.name).collect()
}

#[test]
fn an_internal_network_has_no_way_out() {
    let subnets = ["10.0.0.0/24", "fd00::/64"].map(|text| text.parse().unwrap());
    let mut rules = NetworkRules {
        bridge: "k0",
        subnets: &subnets,
        internal: true,
        friendly: false,
        masquerade: true,
    };
    assert_eq!(names(&of_network(&rules)), ["bridges", "same", "internal"]);
    rules.internal = false;
    let open = [
        "bridges",
        "local4",
        "local6",
        "masquerade4",
        "masquerade4",
        "masquerade6",
        "masquerade6",
        "same",
    ];
    assert_eq!(names(&of_network(&rules)), open);
}

#[test]
fn a_port_leads_to_the_address_of_its_family_and_never_from_the_loopback() {
    let published = |host: &str| {
        let rules = PortRules {
            interface: "kv-1",
            index: 7,
            mac: [2, 0, 0, 0, 0, 1],
            addresses: &[ip("10.0.0.2")],
            published: &[],
        };
        let port = Published {
            protocol: Protocol::Udp,
            host: ip(host),
            host_port: 0x1234,
            port: 0x50,
        };
        leading(&rules, port)
    };
    for host in ["127.0.0.1", "127.1.2.3", "::1", "::", "fd00::1"] {
        assert_eq!(published(host), None, "{host}");
    }
    let any = published("0.0.0.0").unwrap();
    assert_eq!(any.set, ANY4);
    assert_eq!(any.key, [17, 0, 0, 0, 0x12, 0x34, 0, 0]);
    assert_eq!(any.data.unwrap(), [10, 0, 0, 2, 0, 0x50, 0, 0]);
    let one = published("192.0.2.1").unwrap();
    assert_eq!(one.set, PORTS4);
    assert_eq!(one.key, [17, 0, 0, 0, 192, 0, 2, 1, 0x12, 0x34, 0, 0]);
}

#[test]
fn an_address_of_the_link_follows_from_the_hardware_address() {
    let found = link_local([0x02, 0x42, 0x0a, 0, 0x12, 0x34]);
    assert_eq!(found, "fe80::42:aff:fe00:1234".parse::<Ipv6Addr>().unwrap());
}
