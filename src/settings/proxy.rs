//! HTTP proxies from the environment, with the rules of Go's `httpproxy` that docker follows.

use std::net::IpAddr;

use super::Environment;

/// The proxy of each scheme and the hosts that are reached directly.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    direct: Vec<Rule>,
}

/// One entry of `NO_PROXY`.
#[derive(Clone)]
enum Rule {
    All,
    Range(IpAddr, u8),
    Host {
        name: String,
        port: Option<u16>,
        /// `.name` and `*.name` leave out the name itself.
        only_below: bool,
    },
}

impl Proxies {
    /// Reads `HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY`, lower case first.
    pub(super) fn of(environment: &Environment) -> Proxies {
        let get = |name: &str| {
            let lower = name.to_ascii_lowercase();
            [lower.as_str(), name]
                .into_iter()
                .find_map(|name| environment.get(name).filter(|value| !value.is_empty()))
        };
        let all = get("ALL_PROXY");
        // A CGI server puts the request's `Proxy:` header into HTTP_PROXY (CVE-2016-5386).
        let http = match environment.get("REQUEST_METHOD") {
            Some(_) => environment.get("http_proxy"),
            None => get("HTTP_PROXY"),
        };
        Proxies {
            http: http.or(all).map(str::to_owned),
            https: get("HTTPS_PROXY").or(all).map(str::to_owned),
            direct: get("NO_PROXY")
                .unwrap_or_default()
                .split(',')
                .filter_map(|entry| Rule::parse(entry.trim()))
                .collect(),
        }
    }

    /// The proxy URL for a request, none when it goes directly. `host` without brackets.
    pub(crate) fn for_request(&self, https: bool, host: &str, port: u16) -> Option<&str> {
        let proxy = if https { &self.https } else { &self.http }.as_deref()?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return None;
        }
        let direct = self
            .direct
            .iter()
            .any(|rule| rule.matches(&host, address, port));
        (!direct).then_some(proxy)
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Rule> {
        if entry == "*" {
            return Some(Rule::All);
        }
        if let Some((address, length)) = entry.split_once('/') {
            return Some(Rule::Range(address.parse().ok()?, length.parse().ok()?));
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (entry, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.strip_prefix('*').unwrap_or(host).to_ascii_lowercase();
        let (name, only_below) = match host.strip_prefix('.') {
            Some(name) => (name.to_owned(), true),
            None => (host, false),
        };
        (!name.is_empty()).then_some(Rule::Host {
            name,
            port,
            only_below,
        })
    }

    fn matches(&self, host: &str, address: Option<IpAddr>, wanted: u16) -> bool {
        match self {
            Rule::All => true,
            Rule::Range(network, length) => {
                address.is_some_and(|address| in_range(address, *network, *length))
            }
            Rule::Host {
                name,
                port,
                only_below,
            } => {
                let below = || {
                    host.strip_suffix(name.as_str())
                        .is_some_and(|head| head.ends_with('.'))
                };
                port.is_none_or(|port| port == wanted) && ((!only_below && host == name) || below())
            }
        }
    }
}

/// Whether `address` lies in `network/length`.
pub(super) fn in_range(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((left, width), (right, other)) = (bits(address), bits(network));
    if width != other || length > width {
        return false;
    }
    length == 0 || (left ^ right) >> (128 - u32::from(length)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_follows_gos_rules() {
        let proxies = Proxies::of(&Environment::from_pairs([
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:2"),
            ("all_proxy", "http://all:3"),
            (
                "NO_PROXY",
                "example.com, .below.org,*.star.net,10.0.0.0/8,192.0.2.7,with.port:5000,fd00::/8,[2001:db8::1]:80,,bad/x",
            ),
        ]));
        let https = |host| proxies.for_request(true, host, 443);
        assert_eq!(https("ghcr.io"), Some("http://lower:2"));
        assert_eq!(
            proxies.for_request(false, "ghcr.io", 80),
            Some("http://all:3")
        );
        for direct in [
            "example.com",
            "EXAMPLE.com.",
            "a.example.com",
            "x.below.org",
            "x.star.net",
            "10.255.0.1",
            "192.0.2.7",
            "fd12::1",
            "localhost",
            "127.0.0.2",
            "::1",
        ] {
            assert_eq!(https(direct), None, "{direct}");
        }
        for proxied in [
            "notexample.com",
            "below.org",
            "star.net",
            "11.0.0.1",
            "with.port",
        ] {
            assert!(https(proxied).is_some(), "{proxied}");
        }
        assert_eq!(proxies.for_request(true, "with.port", 5000), None);
        assert_eq!(proxies.for_request(false, "2001:db8::1", 80), None);
    }

    #[test]
    fn a_cgi_request_cannot_choose_the_proxy() {
        let proxies = Proxies::of(&Environment::from_pairs([
            ("HTTP_PROXY", "http://evil:1"),
            ("REQUEST_METHOD", "GET"),
        ]));
        assert_eq!(proxies.for_request(false, "example.com", 80), None);
    }
}
