//! Addresses of members: choosing a free one, and the hardware address that goes with it.

use std::collections::HashSet;
use std::net::IpAddr;

use super::Pool;
use crate::common::{Error, Result};

/// The lowest address of `pool` that a member can be given and that is not in `taken`; `None`
/// when there is none.
pub(crate) fn free_address(pool: &Pool, taken: &HashSet<IpAddr>) -> Option<IpAddr> {
    let range = pool.range.unwrap_or(pool.subnet);
    let start = pool.subnet.index_of(range.address)?;
    let end = pool.subnet.index_of(range.last())?;
    let mut candidates = (start..=end).filter_map(|index| pool.subnet.nth(index));
    candidates.find(|ip| {
        pool.subnet.has_host(*ip)
            && pool.gateway != Some(*ip)
            && !taken.contains(ip)
            && !pool.reserved.values().any(|held| held == ip)
    })
}

/// How the hardware addresses of members begin that ask for none.
pub(super) const MEMBERS: [u8; 2] = [0x02, 0x42];

/// The hardware address of the member with this address, as docker makes it: who gets an
/// address again is found under the same hardware address, whatever neighbours remember.
pub(crate) fn hardware_address(ip: IpAddr) -> String {
    let end: [u8; 4] = match ip {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(ip) => {
            let mut end = [0; 4];
            end.copy_from_slice(&ip.octets()[12..]);
            end
        }
    };
    let [a, b, c, d] = end;
    let [one, two] = MEMBERS;
    format!("{one:02x}:{two:02x}:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// Parses a hardware address with `:` or `-`, and gives it in lower case with `:`.
///
/// # Errors
/// `Usage` for another form, and for an address that is not one device's: a group's, or zero.
pub(crate) fn parse_hardware_address(text: &str) -> Result<String> {
    let bad = |why: &str| Error::usage("use hardware address", text, why);
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let byte = |part: &&str| match part.len() {
        2 if part.bytes().all(|c| c.is_ascii_hexdigit()) => u8::from_str_radix(part, 16).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = parts.iter().map(byte).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 6);
    let bytes = bytes.ok_or_else(|| bad("use XX:XX:XX:XX:XX:XX"))?;
    if bytes[0] & 1 != 0 || bytes.iter().all(|byte| *byte == 0) {
        return Err(bad("it is not the address of one device"));
    }
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(parts.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_lowest_free_address_is_given() {
        let mut pool = Pool::of("10.0.0.0/29".parse().unwrap());
        let mut taken = HashSet::new();
        let mut given = Vec::new();
        while let Some(found) = free_address(&pool, &taken) {
            taken.insert(found);
            given.push(found.to_string());
        }
        assert_eq!(
            given,
            ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]
        );
        taken.remove(&ip("10.0.0.4"));
        assert_eq!(free_address(&pool, &taken), Some(ip("10.0.0.4")));
        pool.reserved.insert("router".to_owned(), ip("10.0.0.4"));
        assert_eq!(free_address(&pool, &taken), None);
    }

    #[test]
    fn a_range_limits_what_is_given() {
        let mut pool = Pool::of("10.0.0.0/24".parse().unwrap());
        pool.range = Some("10.0.0.128/30".parse().unwrap());
        let mut taken = HashSet::new();
        while let Some(found) = free_address(&pool, &taken) {
            taken.insert(found);
        }
        assert!(taken.contains(&ip("10.0.0.128")) && taken.contains(&ip("10.0.0.130")));
        assert!(!taken.contains(&ip("10.0.0.132")) && !taken.contains(&ip("10.0.0.2")));
        let pool = Pool::of("fd00:1::/64".parse().unwrap());
        assert_eq!(free_address(&pool, &HashSet::new()), Some(ip("fd00:1::2")));
    }

    #[test]
    fn hardware_addresses() {
        assert_eq!(hardware_address(ip("172.17.0.2")), "02:42:ac:11:00:02");
        assert_eq!(hardware_address(ip("fd00::1:2")), "02:42:00:01:00:02");
        assert_eq!(
            parse_hardware_address("92-D0-c6-0a-29-33").unwrap(),
            "92:d0:c6:0a:29:33"
        );
        for text in [
            "",
            "02:42",
            "03:00:00:00:00:01",
            "00:00:00:00:00:00",
            "+2:00:00:00:00:01",
            "2:0:0:0:0:1",
        ] {
            assert!(parse_hardware_address(text).is_err(), "{text}");
        }
    }
}
