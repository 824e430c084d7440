//! The subnets that networks get when their maker names none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Subnet;

/// Where subnets are taken from, in order: base, prefix of the base, prefix of a subnet. The
/// first two are docker's (moby, `libnetwork/ipamutils`), the last is podman's.
const POOLS: [(Ipv4Addr, u8, u8); 3] = [
    (Ipv4Addr::new(172, 16, 0, 0), 12, 16),
    (Ipv4Addr::new(192, 168, 0, 0), 16, 20),
    (Ipv4Addr::new(10, 64, 0, 0), 10, 24),
];

/// docker's users expect the default network here.
const DEFAULT: Subnet = Subnet {
    address: IpAddr::V4(Ipv4Addr::new(172, 17, 0, 0)),
    prefix: 16,
};

/// The subnet of the default network: docker's when it overlaps none of `used`.
pub(crate) fn default_subnet(used: &[Subnet]) -> Option<Subnet> {
    if is_free(&DEFAULT, used) {
        return Some(DEFAULT);
    }
    next_subnet(used)
}

/// A subnet that overlaps none of `used`, small and chosen by `seed`: for a store that shares the
/// machine with others, which do not see its networks before they have a bridge.
pub(crate) fn some_subnet(used: &[Subnet], seed: u32) -> Option<Subnet> {
    let [.., (base, from, to)] = POOLS;
    let all: Vec<Subnet> = pieces(base, from, to).collect();
    let start = seed as usize % all.len();
    let mut offered = all[start..].iter().chain(&all[..start]);
    offered.find(|subnet| is_free(subnet, used)).copied()
}

/// The first subnet that overlaps none of `used`; `None` when all pools are full. The default
/// network's is never given to another.
pub(crate) fn next_subnet(used: &[Subnet]) -> Option<Subnet> {
    let all = POOLS
        .iter()
        .flat_map(|(base, from, to)| pieces(*base, *from, *to));
    // docker begins behind the default network's.
    let mut offered = all.filter(|subnet| *subnet != first_of_all() && *subnet != DEFAULT);
    offered.find(|subnet| is_free(subnet, used))
}

fn first_of_all() -> Subnet {
    Subnet {
        address: IpAddr::V4(POOLS[0].0),
        prefix: POOLS[0].2,
    }
}

/// All subnets with the prefix `to` in the one of the prefix `from`.
fn pieces(base: Ipv4Addr, from: u8, to: u8) -> impl Iterator<Item = Subnet> {
    let count = 1_u32 << (to - from);
    (0..count).map(move |index| {
        let address = u32::from(base) + (index << (32 - to));
        Subnet {
            address: IpAddr::V4(Ipv4Addr::from(address)),
            prefix: to,
        }
    })
}

fn is_free(subnet: &Subnet, used: &[Subnet]) -> bool {
    !used.iter().any(|other| other.overlaps(subnet))
}

/// A subnet of private IPv6 addresses (RFC 4193) made of random bytes.
pub(crate) fn random_subnet6(random: [u8; 7]) -> Subnet {
    let mut bytes = [0; 16];
    bytes[0] = 0xfd;
    bytes[1..8].copy_from_slice(&random);
    Subnet {
        address: IpAddr::V6(Ipv6Addr::from(bytes)),
        prefix: 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_come_in_dockers_order() {
        let mut used: Vec<Subnet> = vec![default_subnet(&[]).unwrap()];
        assert_eq!(used[0].to_string(), "172.17.0.0/16");
        while let Some(next) = next_subnet(&used) {
            assert!(is_free(&next, &used));
            used.push(next);
            if used.len() == 40 {
                break;
            }
        }
        let texts: Vec<String> = used.iter().map(Subnet::to_string).collect();
        assert_eq!(texts[1], "172.18.0.0/16");
        assert_eq!(texts[14], "172.31.0.0/16");
        assert_eq!(texts[15], "192.168.0.0/20");
        assert_eq!(texts[31], "10.64.0.0/24");
    }

    #[test]
    fn what_the_host_uses_is_passed_over() {
        let host = [
            "172.16.0.0/12".parse().unwrap(),
            "192.168.1.0/24".parse().unwrap(),
        ];
        assert_eq!(
            default_subnet(&host).unwrap().to_string(),
            "192.168.16.0/20"
        );
        assert_eq!(next_subnet(&["0.0.0.0/0".parse().unwrap()]), None);
    }

    #[test]
    fn a_seed_chooses_among_what_is_free() {
        let last = some_subnet(&[], u32::MAX).unwrap();
        assert_eq!(last.to_string(), "10.127.255.0/24");
        let next = some_subnet(&[last], u32::MAX).unwrap();
        assert_eq!(next.to_string(), "10.64.0.0/24");
        assert_eq!(some_subnet(&["10.0.0.0/8".parse().unwrap()], 7), None);
    }

    #[test]
    fn random_ipv6_is_private() {
        assert_eq!(
            random_subnet6([1, 2, 3, 4, 5, 6, 7]).to_string(),
            "fd01:203:405:607::/64"
        );
    }
}
