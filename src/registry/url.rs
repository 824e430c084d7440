//! The few URLs a registry client meets: absolute http and https without user information.

use std::fmt;
use std::net::IpAddr;

/// Longest URL that is followed; signed storage URLs reach a few thousand bytes.
const MAX_URL: usize = 16 << 10;

/// Scheme, host and port: what credentials are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) https: bool,
    /// Lower case, without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
}

/// An absolute URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) origin: Origin,
    /// Path and query, beginning with `/`.
    pub(super) target: String,
}

impl Origin {
    /// Parses `host[:port]` for a scheme.
    pub(super) fn parse(https: bool, authority: &str) -> Option<Origin> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                match after {
                    "" => (address, None),
                    after => (address, Some(after.strip_prefix(':')?)),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
        if !authority.starts_with('[') && (host.is_empty() || !host.bytes().all(plain)) {
            return None;
        }
        let port = match port {
            None if https => 443,
            None => 80,
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port != 0)?
            }
            Some(_) => return None,
        };
        Some(Origin {
            https,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// Whether the host is this machine by name or address.
    pub(super) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>().ok();
        self.host == "localhost" || address.is_some_and(|a| a.is_loopback())
    }

    /// Whether the host is `localhost` or an address literal of a loopback, private,
    /// link-local, shared or unspecified range, also when written in a way that only the name
    /// lookup understands (`127.1`, `0x7f000001`).
    pub(super) fn is_private(&self) -> bool {
        if self.host == "localhost" || self.host.ends_with(".localhost") {
            return true;
        }
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(v4)) => private_v4(v4),
            Ok(IpAddr::V6(v6)) => {
                let first = v6.segments()[0];
                v6.to_ipv4().is_some_and(private_v4)
                    || v6.is_loopback()
                    || v6.is_unspecified()
                    || first & 0xfe00 == 0xfc00
                    || first & 0xffc0 == 0xfe80
            }
            Err(_) => self
                .host
                .rsplit('.')
                .find(|part| !part.is_empty())
                .is_none_or(|last| {
                    last.bytes().all(|c| c.is_ascii_digit()) || last.starts_with("0x")
                }),
        }
    }
}

fn private_v4(v4: std::net::Ipv4Addr) -> bool {
    let [first, second, ..] = v4.octets();
    v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || first == 0
        || (first == 100 && second & 0xc0 == 64)
}

impl Url {
    /// Parses an absolute URL. Other schemes, user information, spaces and control characters
    /// make it none.
    pub(super) fn parse(text: &str) -> Option<Url> {
        if text.len() > MAX_URL || !text.bytes().all(|c| c.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        Some(Url {
            origin: Origin::parse(https, authority)?,
            target: if target.starts_with('/') {
                target.to_owned()
            } else {
                format!("/{target}")
            },
        })
    }

    /// The URL a `Location` header of this one leads to (RFC 3986 section 5.2, without dot
    /// segments, which servers resolve).
    pub(super) fn join(&self, location: &str) -> Option<Url> {
        let scheme = if self.origin.https { "https" } else { "http" };
        let head = location.split(['/', '?', '#']).next().unwrap_or_default();
        if head.contains(':') {
            return Url::parse(location);
        }
        if location.starts_with("//") {
            return Url::parse(&format!("{scheme}:{location}"));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{path}{location}")
        } else {
            let parent = path.rfind('/').map_or("/", |end| &path[..=end]);
            format!("{parent}{location}")
        };
        Url::parse(&format!("{}{target}", self.origin))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        let port = match (self.https, self.port) {
            (true, 443) | (false, 80) => String::new(),
            (_, port) => format!(":{port}"),
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]{port}", self.host)
        } else {
            write!(f, "{scheme}://{}{port}", self.host)
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_parse() {
        for (text, shown) in [
            ("https://Host.example", "https://host.example/"),
            ("http://h:5000/v2/?x=1#frag", "http://h:5000/v2/?x=1"),
            ("https://[::1]:443/a", "https://[::1]/a"),
            ("HTTP://h?x", "http://h/?x"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "file:///etc/passwd",
            "gopher://h/",
            "https://u:p@h/",
            "https://",
            "https:///x",
            "https://h:0/",
            "https://h:99999/",
            "https://h:x/",
            "https://h/a b",
            "https://h/\r\nX: y",
            "https://[::1/",
            "https://[x]/",
            "https://é/",
            "//h/x",
            "h/x",
        ] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn locations_are_joined() {
        let base = Url::parse("https://h:5000/v2/a/blobs/x?q=1").unwrap();
        for (location, shown) in [
            ("/y", "https://h:5000/y"),
            ("y", "https://h:5000/v2/a/blobs/y"),
            ("?z", "https://h:5000/v2/a/blobs/x?z"),
            ("//cdn/y", "https://cdn/y"),
            ("http://cdn:1/y", "http://cdn:1/y"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), shown);
        }
        for bad in ["file:/etc/passwd", "javascript:x", "gopher://x/", "/a b"] {
            assert_eq!(base.join(bad), None, "{bad}");
        }
    }

    #[test]
    fn private_hosts_are_known_in_every_spelling() {
        let private = |host: &str| Origin::parse(true, host).unwrap().is_private();
        for host in [
            "localhost",
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "192.168.0.1",
            "172.16.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[::]",
        ] {
            assert!(private(host), "{host}");
        }
        for host in ["ghcr.io", "8.8.8.8", "[2606:4700::1]", "10.example"] {
            assert!(!private(host), "{host}");
        }
    }
}
