//! Fields of keys as the packet filter compares them: each padded to four bytes.

use std::net::IpAddr;

use super::Protocol;
use crate::network::Subnet;

/// Length of an interface's name with the zero bytes after it (`IFNAMSIZ`).
const NAME: usize = 16;

/// The name of an interface; the kernel has none longer than fifteen bytes.
pub(super) fn interface(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(NAME, 0);
    bytes
}

/// An address.
pub(super) fn ip(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    }
}

/// A port, in network byte order.
pub(super) fn port(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    vec![high, low, 0, 0]
}

/// The number of a protocol.
pub(super) fn protocol(protocol: Protocol) -> Vec<u8> {
    vec![protocol as u8, 0, 0, 0]
}

/// An interface by its index, and a hardware address.
pub(super) fn speaker(index: u32, mac: [u8; 6]) -> Vec<u8> {
    let mut bytes = index.to_ne_bytes().to_vec();
    bytes.extend_from_slice(&mac);
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// The very last address of a subnet, the broadcast address included.
pub(super) fn last(subnet: Subnet) -> IpAddr {
    match subnet.address {
        IpAddr::V4(first) => {
            let hosts = u32::MAX.checked_shr(subnet.prefix.into()).unwrap_or(0);
            IpAddr::V4((first.to_bits() | hosts).into())
        }
        IpAddr::V6(first) => {
            let hosts = u128::MAX.checked_shr(subnet.prefix.into()).unwrap_or(0);
            IpAddr::V6((first.to_bits() | hosts).into())
        }
    }
}

/// The address after `ip`; `None` after the last one there is.
pub(super) fn after(ip: IpAddr) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(four) => Some(IpAddr::V4(four.to_bits().checked_add(1)?.into())),
        IpAddr::V6(six) => Some(IpAddr::V6(six.to_bits().checked_add(1)?.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_ends_before_the_next_one() {
        let cases = [
            ("10.1.2.0/24", "10.1.2.255", Some("10.1.3.0")),
            ("10.1.2.3/32", "10.1.2.3", Some("10.1.2.4")),
            ("255.255.255.0/24", "255.255.255.255", None),
            ("0.0.0.0/0", "255.255.255.255", None),
            (
                "fd00::/64",
                "fd00::ffff:ffff:ffff:ffff",
                Some("fd00:0:0:1::"),
            ),
        ];
        for (subnet, end, next) in cases {
            let found = last(subnet.parse().unwrap());
            assert_eq!(found, end.parse::<IpAddr>().unwrap(), "{subnet}");
            assert_eq!(after(found), next.map(|ip| ip.parse().unwrap()), "{subnet}");
        }
    }
}
