//! `--network`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::common::{Result, check_name};
use crate::network::{Attachment, parse_hardware_address};
use crate::spec::config::{Helper, NetworkMode};

use super::{bad, csv, host};

const FLAG: &str = "--network";

/// The default network's name on disk, and in docker.
const DEFAULT: &str = "bridge";

/// What one `--network` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A mode without networks.
    Mode(NetworkMode, Option<Helper>),
    /// A network by name.
    Named(Attachment),
}

/// Parses one value: a mode, docker's `name=NETWORK,alias=…,ip=…`, or podman's
/// `NETWORK:alias=…,ip=…`.
///
/// # Errors
/// `Usage` for a bad name, option or address. Whether the network exists is not looked at.
pub(crate) fn parse(text: &str) -> Result<Asked> {
    let (word, options) = match text.split_once(':') {
        Some((word, options)) => (word, Some(options)),
        None => (text, None),
    };
    let plain = |mode: NetworkMode| match options {
        None => Ok(Asked::Mode(mode, None)),
        Some(_) => Err(bad(FLAG, text, format!("{word} takes no options"))),
    };
    match word {
        "none" => plain(NetworkMode::None),
        "host" => plain(NetworkMode::Host),
        "" | "default" => plain(NetworkMode::Default),
        "private" => plain(NetworkMode::Private),
        "pasta" | "slirp4netns" => {
            let options = options.unwrap_or("").split(',');
            let options = options.filter(|option| !option.is_empty());
            let helper = Helper {
                program: word.to_owned(),
                options: options.map(str::to_owned).collect(),
            };
            Ok(Asked::Mode(NetworkMode::Private, Some(helper)))
        }
        "container" => match options {
            Some(name) if !name.is_empty() => {
                Ok(Asked::Mode(NetworkMode::Container(name.to_owned()), None))
            }
            _ => Err(bad(FLAG, text, "use container:NAME")),
        },
        "ns" => match options {
            Some(path) if path.starts_with('/') => Ok(Asked::Mode(
                NetworkMode::Namespace(PathBuf::from(path)),
                None,
            )),
            _ => Err(bad(FLAG, text, "use ns: and an absolute path")),
        },
        _ if is_pairs(text) => pairs(text).map(Asked::Named),
        _ => podman(text, word, options.unwrap_or("")).map(Asked::Named),
    }
}

/// docker's form: the first field is a `KEY=VALUE`.
fn is_pairs(text: &str) -> bool {
    let first = text.split(',').next().unwrap_or_default();
    first
        .split_once('=')
        .is_some_and(|(key, _)| !key.contains(':'))
}

fn pairs(text: &str) -> Result<Attachment> {
    let mut found = Attachment::default();
    for field in csv::fields(FLAG, text)? {
        let (key, value) = field.split_once('=').ok_or_else(|| {
            bad(
                FLAG,
                text,
                format!("invalid field {field:?}: use KEY=VALUE"),
            )
        })?;
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => found.network = name(text, value)?,
            "mac-address" => found.mac = Some(parse_hardware_address(value)?),
            // Every network has one way out of each family here.
            "gw-priority" => {
                let why = "gw-priority must be a number";
                value.parse::<i32>().map_err(|_| bad(FLAG, text, why))?;
            }
            "driver-opt" => found.interface = Some(driver_option(value)?),
            key => option(text, key, value, &mut found)?,
        }
    }
    match found.network.is_empty() {
        true => Err(bad(FLAG, text, "network name/id is not specified")),
        false => Ok(found),
    }
}

/// The one option of docker's endpoints that is known: the name of the device.
pub(crate) fn driver_option(text: &str) -> Result<String> {
    match text.split_once('=') {
        Some(("com.docker.network.endpoint.ifname", name)) => interface(text, name),
        _ => Err(bad("--driver-opt", text, "unknown option")
            .hint("com.docker.network.endpoint.ifname=NAME is possible")),
    }
}

/// podman's form.
fn podman(text: &str, word: &str, options: &str) -> Result<Attachment> {
    let mut found = Attachment::to(name(text, word)?);
    for field in options.split(',').filter(|field| !field.is_empty()) {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        match key {
            "mac" => found.mac = Some(parse_hardware_address(value)?),
            "interface_name" => found.interface = Some(interface(text, value)?),
            key => option(text, key, value, &mut found)?,
        }
    }
    Ok(found)
}

/// What both forms have. An address of the other family counts as one, as in podman.
fn option(text: &str, key: &str, value: &str, found: &mut Attachment) -> Result<()> {
    match key {
        "alias" => found.aliases.push(alias(value)?),
        "ip" if value.contains(':') => found.ip6 = Some(ip6(FLAG, value)?),
        "ip" => found.ip = Some(ip(FLAG, value)?),
        "ip6" => found.ip6 = Some(ip6(FLAG, value)?),
        _ => return Err(bad(FLAG, text, format!("unknown option {key:?}"))),
    }
    Ok(())
}

/// A network's name as the store knows it: the default network has docker's there.
fn name(text: &str, name: &str) -> Result<String> {
    match name {
        "podman" => Ok(DEFAULT.to_owned()),
        _ if check_name(name).is_ok() => Ok(name.to_owned()),
        _ => Err(bad(FLAG, text, format!("{name:?} is no name of a network"))),
    }
}

/// An alias: a host name.
pub(crate) fn alias(text: &str) -> Result<String> {
    if !host::is_name(text) {
        return Err(bad("--network-alias", text, "not a host name"));
    }
    Ok(text.to_owned())
}

/// An IPv4 address.
pub(crate) fn ip(flag: &str, text: &str) -> Result<Ipv4Addr> {
    text.parse()
        .map_err(|_| bad(flag, text, "not an IPv4 address"))
}

/// An IPv6 address.
pub(crate) fn ip6(flag: &str, text: &str) -> Result<Ipv6Addr> {
    text.parse()
        .map_err(|_| bad(flag, text, "not an IPv6 address"))
}

/// What the kernel takes as the name of a device.
fn interface(text: &str, name: &str) -> Result<String> {
    let bad_char = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':');
    if name.is_empty()
        || name.len() > 15
        || matches!(name, "." | ".." | "lo")
        || name.contains(bad_char)
    {
        return Err(bad(FLAG, text, format!("{name:?} is no name of a device")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> NetworkMode {
        match parse(text).unwrap() {
            Asked::Mode(mode, None) => mode,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn named(text: &str) -> Attachment {
        match parse(text).unwrap() {
            Asked::Named(found) => found,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn modes() {
        for (text, want) in [
            ("none", NetworkMode::None),
            ("host", NetworkMode::Host),
            ("", NetworkMode::Default),
            ("default", NetworkMode::Default),
            ("private", NetworkMode::Private),
            ("container:web", NetworkMode::Container("web".to_owned())),
            (
                "ns:/run/netns/x",
                NetworkMode::Namespace(PathBuf::from("/run/netns/x")),
            ),
        ] {
            assert_eq!(mode(text), want, "{text}");
        }
        let Asked::Mode(NetworkMode::Private, Some(helper)) =
            parse("pasta:-t,8080:80,--map-gw").unwrap()
        else {
            panic!("no helper");
        };
        assert_eq!(helper.program, "pasta");
        assert_eq!(helper.options, ["-t", "8080:80", "--map-gw"]);
    }

    #[test]
    fn networks_in_both_forms() {
        assert_eq!(named("backend"), Attachment::to("backend"));
        assert_eq!(named("podman"), Attachment::to("bridge"));
        let whole = Attachment {
            network: "backend".to_owned(),
            aliases: vec!["db".to_owned(), "db2".to_owned()],
            ip: Some("10.9.0.7".parse().unwrap()),
            ip6: Some("fd00::7".parse().unwrap()),
            mac: Some("02:00:00:00:00:01".to_owned()),
            interface: Some("net1".to_owned()),
        };
        for text in [
            "name=backend,alias=db,alias=db2,ip=10.9.0.7,ip6=fd00::7,mac-address=02:00:00:00:00:01,\
             driver-opt=com.docker.network.endpoint.ifname=net1,gw-priority=1",
            "backend:alias=db,alias=db2,ip=10.9.0.7,ip=fd00::7,mac=02:00:00:00:00:01,interface_name=net1",
        ] {
            assert_eq!(named(text), whole, "{text}");
        }
    }

    #[test]
    fn bad_words_are_refused() {
        for text in [
            "host:x",
            "none:",
            "container:",
            "container",
            "ns:",
            "ns:x",
            "a",
            "a b",
            "../x",
            "net:ip=x",
            "net:ip6=1.2.3.4",
            "net:mac=1",
            "net:what=1",
            "net:alias=a b",
            "net:interface_name=a/b",
            "name=",
            "alias=x",
            "name=net,ip=1",
            "name=net,what=1",
            "name=net,x",
            "name=net,driver-opt=a=b",
            "name=net,gw-priority=x",
            "net:alias",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
