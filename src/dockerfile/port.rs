//! Ports of `EXPOSE`.

/// Reads one word of `EXPOSE`, expanded: `80`, `53/UDP`, `7000-7010/tcp`, and the old
/// `[address:]host:80`, of which only the container's side counts. Each port comes by itself as
/// the image's configuration has it: `80/tcp`.
///
/// # Errors
/// What is wrong with it, in docker's words.
pub(crate) fn ports(word: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = word.split(':').collect();
    let (address, host, container) = match parts.as_slice() {
        [.., _, _, _] => {
            let (rest, container) = word.rsplit_once(':').unwrap_or_default();
            let (address, host) = rest.rsplit_once(':').unwrap_or_default();
            (address, host, container)
        }
        [host, container] => ("", *host, *container),
        _ => ("", "", word),
    };
    let (range, protocol) = container.split_once('/').unwrap_or((container, ""));
    if range.is_empty() {
        return Err(format!("invalid port: {word:?}: no port specified"));
    }
    let protocol = match protocol.to_ascii_lowercase() {
        protocol if protocol.is_empty() => "tcp".to_owned(),
        protocol if matches!(protocol.as_str(), "tcp" | "udp" | "sctp") => protocol,
        _ => return Err(format!("invalid port: {word:?}: invalid proto: {protocol}")),
    };
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if !address.is_empty() && bare.unwrap_or(address).parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address: {address}"));
    }
    let (first, last) = bounds(range).ok_or_else(|| format!("invalid containerPort: {range}"))?;
    if !host.is_empty() {
        let (low, high) = bounds(host).ok_or_else(|| format!("invalid hostPort: {host}"))?;
        if last - first != high - low && first != last {
            return Err(format!(
                "invalid ranges specified for container and host Ports: {range} and {host}"
            ));
        }
    }
    Ok((first..=last)
        .map(|port| format!("{port}/{protocol}"))
        .collect())
}

/// `80` and `80-90`.
fn bounds(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_listed_one_by_one() {
        let cases: [(&str, &[&str]); 8] = [
            ("80", &["80/tcp"]),
            ("80/", &["80/tcp"]),
            ("53/UDP", &["53/udp"]),
            ("7-9/sctp", &["7/sctp", "8/sctp", "9/sctp"]),
            ("8080:80", &["80/tcp"]),
            ("127.0.0.1::80/udp", &["80/udp"]),
            ("[::1]:8080:80", &["80/tcp"]),
            ("8000-8010:80", &["80/tcp"]),
        ];
        for (word, wanted) in cases {
            assert_eq!(ports(word).unwrap(), wanted, "{word}");
        }
        for (word, wanted) in [
            ("", "no port specified"),
            ("/tcp", "no port specified"),
            ("80/x", "invalid proto: x"),
            ("x", "invalid containerPort: x"),
            ("9-8", "invalid containerPort: 9-8"),
            ("70000", "invalid containerPort: 70000"),
            ("x:80", "invalid hostPort: x"),
            ("1-2:1-3", "invalid ranges"),
            ("host:1:2", "invalid IP address: host"),
        ] {
            assert!(ports(word).unwrap_err().contains(wanted), "{word}");
        }
    }
}
