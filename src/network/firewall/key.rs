//! Fields of keys as the packet filter compares them: each padded to four bytes.

use std::net::IpAddr;

use super::Protocol;

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

/// First and last address of the subnet that `ip` is in.
pub(super) fn bounds(ip: IpAddr, prefix: u8) -> (IpAddr, IpAddr) {
    match ip {
        IpAddr::V4(four) => {
            let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            let first = four.to_bits() & !hosts;
            (IpAddr::V4(first.into()), IpAddr::V4((first | hosts).into()))
        }
        IpAddr::V6(six) => {
            let hosts = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
            let first = six.to_bits() & !hosts;
            (IpAddr::V6(first.into()), IpAddr::V6((first | hosts).into()))
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
            ("10.1.2.3", 24, "10.1.2.0", "10.1.2.255", Some("10.1.3.0")),
            ("10.1.2.3", 32, "10.1.2.3", "10.1.2.3", Some("10.1.2.4")),
            (
                "255.255.255.9",
                24,
                "255.255.255.0",
                "255.255.255.255",
                None,
            ),
            ("10.1.2.3", 0, "0.0.0.0", "255.255.255.255", None),
            (
                "fd00::5",
                64,
                "fd00::",
                "fd00::ffff:ffff:ffff:ffff",
                Some("fd00:0:0:1::"),
            ),
        ];
        for (ip, prefix, first, last, next) in cases {
            let found = bounds(ip.parse().unwrap(), prefix);
            assert_eq!(
                found,
                (first.parse().unwrap(), last.parse().unwrap()),
                "{ip}"
            );
            assert_eq!(after(found.1), next.map(|ip| ip.parse().unwrap()), "{ip}");
        }
    }
}
