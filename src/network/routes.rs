//! The subnets that this machine already reaches, which no new network may hide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Subnet;
use crate::sys::file;

/// Subnets in the routing tables of this network namespace, the default routes apart.
pub(crate) fn host_subnets() -> Vec<Subnet> {
    let read = |path: &str| {
        let bytes = file::read_kernel(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut all = parse(&read("/proc/net/route"));
    all.extend(parse6(&read("/proc/net/ipv6_route")));
    all
}

/// The next hop of this machine's first default route of IPv4.
pub(crate) fn default_gateway() -> Option<Ipv4Addr> {
    let bytes = file::read_kernel("/proc/net/route").unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .find_map(default_hop)
}

/// Whether this machine has a default route of either family.
pub(crate) fn has_default_route() -> bool {
    let is_default = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let to_all = words
            .first()
            .is_some_and(|to| to.bytes().all(|byte| byte == b'0'));
        to_all && words.get(1) == Some(&"00") && words.last() != Some(&"lo")
    };
    default_gateway().is_some() || {
        let bytes = file::read_kernel("/proc/net/ipv6_route").unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().any(is_default)
    }
}

/// The hop of a line of `/proc/net/route`, as [`parse`] reads them, that leads everywhere.
fn default_hop(line: &str) -> Option<Ipv4Addr> {
    const ALL: Option<&&str> = Some(&"00000000");
    let words: Vec<&str> = line.split_whitespace().collect();
    let hop = u32::from_str_radix(words.get(2)?, 16).ok()?;
    (words.get(1) == ALL && words.get(7) == ALL).then(|| Ipv4Addr::from(hop.to_ne_bytes()))
}

/// Those of them whose hosts are neighbours: the machine has a device there.
pub(crate) fn connected_subnets() -> Vec<Subnet> {
    // The third word of a line is the gateway, in IPv6 the fifth.
    let lines = |path: &str, word: usize, none: &str| {
        let bytes = file::read_kernel(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_direct = |line: &&str| line.split_whitespace().nth(word) == Some(none);
        let direct: Vec<&str> = text.lines().filter(is_direct).collect();
        direct.join("\n")
    };
    // The first line is a header.
    let mut all = parse(&format!("\n{}", lines("/proc/net/route", 2, "00000000")));
    all.extend(parse6(&lines("/proc/net/ipv6_route", 4, &"0".repeat(32))));
    all
}

/// Lines of `/proc/net/route`: device, destination, gateway, flags, …, mask as the eighth; numbers
/// are in hex and in the byte order of the machine.
fn parse(text: &str) -> Vec<Subnet> {
    let number = |word: &str| {
        let number = u32::from_str_radix(word, 16).ok()?;
        Some(u32::from_be_bytes(number.to_ne_bytes()))
    };
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let address = number(words.get(1)?)?;
        let mask = number(words.get(7)?)?;
        let prefix = u8::try_from(mask.leading_ones()).ok()?;
        Subnet::around(IpAddr::V4(Ipv4Addr::from(address)), prefix)
    };
    let all = text.lines().skip(1).filter_map(line);
    all.filter(|subnet| subnet.prefix > 0).collect()
}

/// Lines of `/proc/net/ipv6_route`: destination, its prefix, …, device as the last; in hex.
fn parse6(text: &str) -> Vec<Subnet> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let address = u128::from_str_radix(words.first()?, 16).ok()?;
        let prefix = u8::from_str_radix(words.get(1)?, 16).ok()?;
        Subnet::around(IpAddr::V6(Ipv6Addr::from(address)), prefix)
    };
    let all = text.lines().filter_map(line);
    // Single addresses, the links' own and groups are everywhere.
    all.filter(|subnet| (1..128).contains(&subnet.prefix) && is_routed(subnet))
        .collect()
}

fn is_routed(subnet: &Subnet) -> bool {
    match subnet.address {
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_multicast(),
        IpAddr::V4(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_of_both_families() {
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            broken\n";
        let found: Vec<String> = parse(text).iter().map(Subnet::to_string).collect();
        assert_eq!(found, ["192.168.1.0/24"]);
        let zero = "00000000000000000000000000000000";
        let text = format!(
            "fd000000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth0\n\
             fe800000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth0\n\
             ff000000000000000000000000000000 08 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n"
        );
        let found: Vec<String> = parse6(&text).iter().map(Subnet::to_string).collect();
        assert_eq!(found, ["fd00::/64"]);
    }
}
