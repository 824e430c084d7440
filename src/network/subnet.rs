//! A range of addresses with a common beginning, IPv4 or IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::common::{Error, Result};

/// A network address and the length of its prefix; the bits behind the prefix are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Subnet {
    /// The first address, which is nobody's.
    pub(crate) address: IpAddr,
    /// Bits that all its addresses share.
    pub(crate) prefix: u8,
}

impl Subnet {
    /// The subnet of `prefix` bits that `inside` is in; `None` for a prefix that is too long.
    pub(crate) fn around(inside: IpAddr, prefix: u8) -> Option<Subnet> {
        let length = bits(inside);
        if prefix > length {
            return None;
        }
        let mask = host_mask(length, prefix);
        let address = from_number(number(inside) & !mask, inside.is_ipv4());
        Some(Subnet { address, prefix })
    }

    /// Whether its addresses are IPv4.
    pub(crate) fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    fn mask(&self) -> u128 {
        host_mask(bits(self.address), self.prefix)
    }

    /// Whether `ip` is one of its addresses.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.is_ipv4() && number(ip) & !self.mask() == number(self.address)
    }

    /// Whether all addresses of `other` are its own.
    pub(crate) fn contains_all(&self, other: &Subnet) -> bool {
        other.prefix >= self.prefix && self.contains(other.address)
    }

    /// Whether the two have an address in common.
    pub(crate) fn overlaps(&self, other: &Subnet) -> bool {
        self.contains_all(other) || other.contains_all(self)
    }

    /// The address `index` after the network's own; `None` outside.
    pub(crate) fn nth(&self, index: u128) -> Option<IpAddr> {
        let inside = index <= self.mask();
        inside.then(|| from_number(number(self.address) + index, self.is_ipv4()))
    }

    /// How many addresses lie between the network's own and `ip`; `None` outside.
    pub(crate) fn index_of(&self, ip: IpAddr) -> Option<u128> {
        self.contains(ip).then(|| number(ip) - number(self.address))
    }

    /// First address a host can have, which is the gateway's where none is asked for. In one of
    /// two addresses or one, every address is a host's (RFC 3021, RFC 6164).
    pub(crate) fn first(&self) -> IpAddr {
        let index = u128::from(self.mask() > 1);
        from_number(number(self.address) + index, self.is_ipv4())
    }

    /// Last address a host can have: the one before the broadcast address in IPv4.
    pub(crate) fn last(&self) -> IpAddr {
        let mask = self.mask();
        let broadcast = u128::from(self.is_ipv4() && mask > 1);
        from_number(number(self.address) + mask - broadcast, self.is_ipv4())
    }

    /// Whether a host can have `ip`.
    pub(crate) fn has_host(&self, ip: IpAddr) -> bool {
        self.contains(ip) && (self.first()..=self.last()).contains(&ip)
    }
}

fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The bits that tell hosts of one subnet apart.
fn host_mask(length: u8, prefix: u8) -> u128 {
    match u32::from(length - prefix) {
        0 => 0,
        free => u128::MAX >> (128 - free),
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The inverse of [`number`]; an IPv4 number is below 2^32.
fn from_number(number: u128, is_ipv4: bool) -> IpAddr {
    if is_ipv4 {
        IpAddr::V4(Ipv4Addr::from(number as u32))
    } else {
        IpAddr::V6(Ipv6Addr::from(number))
    }
}

impl FromStr for Subnet {
    type Err = Error;

    /// Parses `ADDRESS/PREFIX`. An address with bits behind the prefix is refused, as in docker:
    /// it is as often a wrong prefix as a wrong address.
    fn from_str(text: &str) -> Result<Subnet> {
        let bad = |why: String| Error::usage("use subnet", text, why);
        let form = || bad("use ADDRESS/PREFIX, like 10.90.0.0/24".to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        if prefix.is_empty() || !prefix.bytes().all(|c| c.is_ascii_digit()) {
            return Err(form());
        }
        let prefix: u8 = prefix.parse().map_err(|_| form())?;
        let subnet = Subnet::around(address, prefix).ok_or_else(form)?;
        if subnet.address != address {
            return Err(bad(format!("it should be {subnet}")));
        }
        Ok(subnet)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl TryFrom<String> for Subnet {
    type Error = Error;

    fn try_from(text: String) -> Result<Subnet> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn the_form_is_an_address_and_a_prefix() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/64", "1.2.3.4/32"] {
            assert_eq!(subnet(text).to_string(), text);
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "fd00::/129",
            "10.0.0.0/+8",
            "x/8",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "10.0.0.0/ 8",
            "10.0.0.0/256",
        ] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
        let error = "10.0.0.5/24".parse::<Subnet>().unwrap_err().to_string();
        assert!(error.contains("it should be 10.0.0.0/24"), "{error}");
    }

    #[test]
    fn ends_and_places() {
        for (text, first, last) in [
            ("10.1.0.0/16", "10.1.0.1", "10.1.255.254"),
            ("10.1.0.4/30", "10.1.0.5", "10.1.0.6"),
            ("10.1.0.4/31", "10.1.0.4", "10.1.0.5"),
            ("10.1.0.4/32", "10.1.0.4", "10.1.0.4"),
            ("0.0.0.0/0", "0.0.0.1", "255.255.255.254"),
            ("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
            ("fd00::/128", "fd00::", "fd00::"),
        ] {
            let found = subnet(text);
            assert_eq!(found.first().to_string(), first, "{text}");
            assert_eq!(found.last().to_string(), last, "{text}");
        }
        let net = subnet("10.1.0.0/24");
        assert_eq!(net.nth(255), Some("10.1.0.255".parse().unwrap()));
        assert_eq!(net.nth(256), None);
        assert_eq!(net.index_of("10.1.0.9".parse().unwrap()), Some(9));
        assert_eq!(net.index_of("10.1.1.9".parse().unwrap()), None);
        for (ip, is_host) in [
            ("10.1.0.0", false),
            ("10.1.0.1", true),
            ("10.1.0.255", false),
            ("10.1.1.1", false),
            ("::1", false),
        ] {
            assert_eq!(net.has_host(ip.parse().unwrap()), is_host, "{ip}");
        }
        assert!(subnet("::/0").contains("ffff::1".parse().unwrap()));
    }

    #[test]
    fn overlap_is_mutual() {
        for (one, other, wanted) in [
            ("10.0.0.0/8", "10.9.0.0/16", true),
            ("10.0.0.0/16", "10.1.0.0/16", false),
            ("0.0.0.0/0", "192.168.0.0/24", true),
            ("fd00::/64", "fd00::1:0/112", true),
            ("::/0", "10.0.0.0/8", false),
        ] {
            let (one, other) = (subnet(one), subnet(other));
            assert_eq!(one.overlaps(&other), wanted, "{one} {other}");
            assert_eq!(other.overlaps(&one), wanted, "{one} {other}");
        }
    }
}
