//! `-p` and `--expose`.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::common::Result;
use crate::spec::config::{ExposedPort, Port};

use super::bad;

const FLAG: &str = "--publish";

/// Parses `[[IP:]HOST:]CONTAINER[/PROTO]`, where both ports can be ranges of one length and the
/// host's can be missing or 0 for any free one, or a range for a free one of it; IPv6 addresses
/// are in brackets.
pub(crate) fn publish(text: &str) -> Result<Vec<Port>> {
    let (ports, protocol) = protocol(FLAG, text)?;
    let (rest, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (host_ip, host) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest
                .split_once(']')
                .ok_or_else(|| bad(FLAG, text, "a bracket is not closed"))?;
            let host = rest
                .strip_prefix(':')
                .ok_or_else(|| bad(FLAG, text, "use [IP]:HOST:CONTAINER"))?;
            (address, host)
        }
        None => rest.rsplit_once(':').unwrap_or(("", rest)),
    };
    let bracketed = rest.starts_with('[');
    let is_address = match host_ip.parse::<IpAddr>() {
        // docker and podman take brackets around any address.
        Ok(ip) => bracketed || ip.is_ipv4(),
        Err(_) => host_ip.is_empty() && !bracketed,
    };
    if !is_address {
        return Err(bad(FLAG, text, format!("invalid IP address {host_ip:?}"))
            .hint("use IP:HOST:CONTAINER, and an IPv6 address in brackets"));
    }
    let container = range(FLAG, text, container)?;
    let any = host.is_empty() || host == "0";
    let host = match any {
        true => None,
        false => Some(range(FLAG, text, host)?),
    };
    if let (Some(host), 1) = (&host, container.len())
        && host.len() > 1
    {
        return Ok(vec![Port {
            container: *container.start(),
            protocol,
            host_ip: host_ip.to_owned(),
            host: *host.start(),
            last: Some(*host.end()),
        }]);
    }
    if host
        .as_ref()
        .is_some_and(|host| host.len() != container.len())
    {
        return Err(bad(
            FLAG,
            text,
            "invalid ranges specified for container and host ports",
        )
        .hint("both ranges must have the same length, or the container's be one port"));
    }
    let mut hosts = host.into_iter().flatten();
    let port = |container| Port {
        container,
        protocol: protocol.clone(),
        host_ip: host_ip.to_owned(),
        host: hosts.next().unwrap_or(0),
        last: None,
    };
    Ok(container.map(port).collect())
}

/// Parses `PORT[-PORT][/PROTO]`.
pub(crate) fn expose(text: &str) -> Result<Vec<ExposedPort>> {
    const FLAG: &str = "--expose";
    let (ports, protocol) = protocol(FLAG, text)?;
    let port = |container| ExposedPort {
        container,
        protocol: protocol.clone(),
    };
    Ok(range(FLAG, text, ports)?.map(port).collect())
}

fn protocol<'a>(flag: &str, text: &'a str) -> Result<(&'a str, String)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    match protocol.as_str() {
        "tcp" | "udp" | "sctp" => Ok((ports, protocol)),
        _ => Err(bad(
            flag,
            text,
            format!("invalid proto {protocol:?}: use tcp, udp or sctp"),
        )),
    }
}

/// Parses `PORT` or `PORT-PORT`, without 0.
fn range(flag: &str, text: &str, ports: &str) -> Result<RangeInclusive<u16>> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let number: Option<u16> = digits.then(|| text.parse().ok()).flatten();
        number.filter(|number| *number > 0)
    };
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => Ok(from..=to),
        (Some(_), Some(_)) => Err(bad(flag, text, format!("invalid range {ports:?}"))),
        _ => Err(bad(flag, text, format!("invalid port {ports:?}"))
            .hint("a port is a number from 1 to 65535, a range is FROM-TO")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let ports = publish(text).unwrap();
        let line = |port: &Port| {
            format!(
                "{}|{}:{}/{}",
                port.host_ip,
                port.host_words(),
                port.container,
                port.protocol
            )
        };
        ports.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ports_and_ranges() {
        for (text, want) in [
            ("80", "|0:80/tcp"),
            ("[1.2.3.4]:80:80", "1.2.3.4|80:80/tcp"),
            ("8080:80", "|8080:80/tcp"),
            ("8080:80/UDP", "|8080:80/udp"),
            ("0:80", "|0:80/tcp"),
            (":80", "|0:80/tcp"),
            ("127.0.0.1:8080:80", "127.0.0.1|8080:80/tcp"),
            ("127.0.0.1::80", "127.0.0.1|0:80/tcp"),
            ("[::1]:8080:80/sctp", "::1|8080:80/sctp"),
            ("[::]::80", "::|0:80/tcp"),
            ("8000-8001:80-81", "|8000:80/tcp |8001:81/tcp"),
            ("80-81", "|0:80/tcp |0:81/tcp"),
            ("8000-8010:80", "|8000-8010:80/tcp"),
            ("[::1]:8000-8010:80/udp", "::1|8000-8010:80/udp"),
            ("1-65535:1-65535", ""),
        ] {
            if want.is_empty() {
                assert_eq!(publish(text).unwrap().len(), 65535);
            } else {
                assert_eq!(shown(text), want, "{text}");
            }
        }
        let exposed = expose("80-82/udp").unwrap();
        assert_eq!((exposed.len(), exposed[2].container), (3, 82));
        assert_eq!(exposed[0].protocol, "udp");
    }

    #[test]
    fn bad_grammar_is_refused() {
        for text in [
            "",
            ":",
            "x",
            "0",
            "80:",
            "65536",
            "80:65536",
            "80:80:80",
            "a:80:80",
            "::1:80:80",
            "[::1:80:80",
            "[::1]80:80",
            "80/x",
            "80/",
            "82-80",
            "80-82:80-81",
            "82-80:80",
            "80:80-81",
            "+80",
            "8 0",
            "80-",
            "-80",
            "80-81-82",
            "1.2.3:80:80",
            "[]:80:80",
        ] {
            assert!(publish(text).is_err(), "{text}");
        }
        for text in ["", "0", "80:80", "x/tcp", "80/x"] {
            assert!(expose(text).is_err(), "{text}");
        }
    }
}
