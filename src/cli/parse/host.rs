//! `--add-host`, `--dns` and `--hostname`.

use std::net::IpAddr;

use crate::common::Result;

use super::bad;

/// Parses `NAME:ADDRESS` or `NAME=ADDRESS`, podman's `A;B:ADDRESS` too. The address is v4, v6
/// (bare or in brackets) or docker's word `host-gateway`.
pub(crate) fn add_host(text: &str) -> Result<Vec<(String, String)>> {
    const FLAG: &str = "--add-host";
    let (names, address) = text
        .split_once(['=', ':'])
        .ok_or_else(|| bad(FLAG, text, "use NAME:ADDRESS"))?;
    let bare = address
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(address);
    if bare != "host-gateway" && bare.parse::<IpAddr>().is_err() {
        return Err(bad(FLAG, text, "not an IP address"));
    }
    names
        .split(';')
        .map(|name| {
            if !is_name(name) {
                return Err(bad(FLAG, text, format!("{name:?} is not a host name")));
            }
            Ok((name.to_owned(), bare.to_owned()))
        })
        .collect()
}

/// Checks a resolver's address, or podman's `none` (the image's file stays).
pub(crate) fn dns(text: &str) -> Result<String> {
    if text == "none" || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(bad("--dns", text, "not an IP address"))
}

/// Checks a search domain, or `.` for none.
pub(crate) fn search(text: &str) -> Result<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if text == "." || (text.len() <= 255 && is_name(name)) {
        return Ok(text.to_owned());
    }
    Err(bad("--dns-search", text, "not a domain"))
}

/// Checks an option of resolv.conf(5): one word.
pub(crate) fn dns_option(text: &str) -> Result<String> {
    let bad_char = |c: char| c.is_whitespace() || c.is_control();
    if text.is_empty() || text.contains(bad_char) {
        return Err(bad("--dns-option", text, "not an option of resolv.conf(5)"));
    }
    Ok(text.to_owned())
}

/// Checks a host name: at most 64 bytes, what sethostname(2) takes, without blanks or controls
/// that would break the generated files.
pub(crate) fn hostname(text: &str) -> Result<String> {
    if text.len() > 64 || !is_name(text) {
        return Err(bad(
            "--hostname",
            text,
            "not a host name of at most 64 characters",
        ));
    }
    Ok(text.to_owned())
}

/// `--domainname`: a NIS domain name, of which the kernel keeps 64 bytes.
pub(crate) fn domainname(text: &str) -> Result<String> {
    if text.len() > 64 || !is_name(text) {
        let why = "not a domain name of at most 64 characters";
        return Err(bad("--domainname", text, why));
    }
    Ok(text.to_owned())
}

/// Whether it is made of what host names are made of.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_lines() {
        let pairs = |text| -> Vec<String> {
            let hosts = add_host(text).unwrap();
            hosts.iter().map(|(n, a)| format!("{n} {a}")).collect()
        };
        assert_eq!(pairs("a:1.2.3.4"), ["a 1.2.3.4"]);
        assert_eq!(pairs("a=::1"), ["a ::1"]);
        assert_eq!(pairs("a:[::1]"), ["a ::1"]);
        assert_eq!(pairs("a;b:1.2.3.4"), ["a 1.2.3.4", "b 1.2.3.4"]);
        assert_eq!(pairs("a:host-gateway"), ["a host-gateway"]);
        for text in [
            "",
            "a",
            "a:",
            "a:x",
            ":1.2.3.4",
            "a b:1.2.3.4",
            "a;:1.2.3.4",
        ] {
            assert!(add_host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_resolvers() {
        hostname("web-1.example").unwrap();
        for text in ["", "a b", "a\n", "-a", &"a".repeat(65)] {
            assert!(hostname(text).is_err(), "{text}");
        }
        dns("none").unwrap();
        dns("::1").unwrap();
        assert!(dns("example.com").is_err());
    }
}
