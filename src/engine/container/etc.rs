//! The files docker puts over an image's `/etc`: hosts, hostname, resolv.conf; and podman's sign
//! of a container.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::common::{Error, Mode};
use crate::spec::EtcFiles;
use crate::spec::config::{Config, HOST_GATEWAY, HostsFile, Network, NetworkMode, Process};
use crate::store::ContainerRecord;

/// Largest host file that is copied.
const MAX_FILE: usize = 1 << 20;

/// What every hosts file begins with (moby, `libnetwork/etchosts`).
const LOCAL: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

/// The host's resolvers (resolv.conf(5)).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What systemd-resolved writes for those who cannot reach its stub (systemd-resolved(8)).
const BEHIND_THE_STUB: &str = "/run/systemd/resolve/resolv.conf";

/// Stands for the host's address until that is known.
const GATEWAY: &str = "@host-gateway@";

/// Writes the three files into the container's directory.
pub(super) fn write(
    dir: &Path,
    hostname: &str,
    network: &Network,
    process: &Process,
) -> Result<EtcFiles> {
    let mut files = EtcFiles {
        hosts: dir.join("hosts"),
        hostname: (!process.no_hostname).then(|| dir.join("hostname")),
        resolv_conf: dir.join("resolv.conf"),
        localtime: None,
        containerenv: None,
    };
    let names = own_names(hostname, process.domainname.as_deref());
    put(&files.hosts, hosts(&names, network).as_bytes())?;
    // Containers on this one's network ask for its name there, whether it is shown or not.
    put(&dir.join("hostname"), format!("{hostname}\n").as_bytes())?;
    put(&files.resolv_conf, resolv_conf(network).as_bytes())?;
    if let Some(zone) = &process.timezone {
        let path = dir.join("localtime");
        put(&path, &localtime(zone)?)?;
        files.localtime = Some(path);
    }
    Ok(files)
}

/// podman's sign of a container: empty, but a privileged one may know who it is.
pub(super) fn containerenv(
    dir: &Path,
    record: &ContainerRecord,
    config: &Config,
) -> Result<Option<PathBuf>> {
    let Some(engine) = &config.process.containerenv else {
        return Ok(None);
    };
    let image = record.config.map(|digest| digest.hex()).unwrap_or_default();
    let text = match config.security.privileged {
        false => String::new(),
        true => format!(
            "engine={engine:?}\nname={:?}\nid={:?}\nimage={:?}\nimageid={image:?}\nrootless={}\n",
            record.name,
            record.id.as_str(),
            record.image,
            u8::from(record.mode != Mode::Root),
        ),
    };
    let path = dir.join("containerenv");
    put(&path, text.as_bytes())?;
    Ok(Some(path))
}

fn put(path: &Path, text: &[u8]) -> crate::common::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    // Every user of the container may read them, whatever the caller's umask says.
    let create = || {
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(path)
    };
    // Those of an earlier start may belong to the container by now.
    create()
        .or_else(|error| match error.kind() {
            ErrorKind::AlreadyExists => std::fs::remove_file(path).and_then(|()| create()),
            _ => Err(error),
        })
        .and_then(|mut file| file.write_all(text))
        .map_err(|error| Error::io("write", path, error))
}

/// What a container calls itself in `/etc/hosts`: docker puts the name with its domain first.
pub(super) fn own_names(hostname: &str, domain: Option<&str>) -> String {
    match domain {
        Some(domain) => format!("{hostname}.{domain} {hostname}"),
        None => hostname.to_owned(),
    }
}

/// The host's file of a time zone (podman's `--tz`).
fn localtime(zone: &str) -> Result<Vec<u8>> {
    let path = match zone {
        "local" => Path::new("/etc/localtime").to_owned(),
        zone => Path::new("/usr/share/zoneinfo").join(zone),
    };
    // Many zones, and the host's own choice of one, are links.
    let found = path.canonicalize();
    let found = found.map_err(|error| Error::io("find time zone", &path, error));
    let read = found.and_then(|path| crate::sys::file::read_bounded(&path, MAX_FILE));
    read.map_err(|error| {
        error
            .hint("the host does not know this time zone; -e TZ=… leaves it to the image")
            .into()
    })
}

fn hosts(names: &str, network: &Network) -> String {
    let asked = match &network.hosts_file {
        Some(HostsFile::None) => Some(String::new()),
        Some(HostsFile::Path(path)) => path.to_str().and_then(read),
        // The image's file stays where it is.
        Some(HostsFile::Image) | None => None,
    };
    let begins = || match network.mode {
        // docker: on the host's network the host's own names hold.
        NetworkMode::Host
        | NetworkMode::Default
        | NetworkMode::Private
        | NetworkMode::Container(_)
        | NetworkMode::Namespace(_) => read("/etc/hosts").unwrap_or_else(|| LOCAL.to_owned()),
        NetworkMode::None => format!("{LOCAL}127.0.1.1\t{names}\n"),
        // The addresses come when they are known.
        NetworkMode::Named => LOCAL.to_owned(),
    };
    let mut text = asked.unwrap_or_else(begins);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let later = matches!(network.mode, NetworkMode::Named | NetworkMode::Private);
    for (name, address) in &network.extra_hosts {
        let address = if address == HOST_GATEWAY && later {
            GATEWAY
        } else if address == HOST_GATEWAY {
            "127.0.0.1"
        } else {
            address
        };
        text.push_str(&format!("{address}\t{name}\n"));
    }
    text
}

fn resolv_conf(network: &Network) -> String {
    let host = match network.mode {
        NetworkMode::None => String::new(),
        _ => read(RESOLV_CONF).unwrap_or_default(),
    };
    let asked = [&network.dns, &network.dns_search, &network.dns_options];
    if asked.iter().all(|words| words.is_empty()) {
        return host;
    }
    let servers = match network.dns.is_empty() && !host.is_empty() {
        true => nameservers(Path::new(RESOLV_CONF)),
        false => network.dns.clone(),
    };
    conf(network, &host, &servers)
}

/// The addresses that a file in the form of resolv.conf(5) names.
pub(super) fn nameservers(path: &Path) -> Vec<String> {
    let text = path.to_str().and_then(read).unwrap_or_default();
    let words = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next().map(str::to_owned))?
    };
    text.lines().filter_map(words).collect()
}

/// `/etc/resolv.conf` of a container whose names are resolved by the resolver of its networks, as
/// docker makes it.
pub(super) fn resolver_conf(network: &Network) -> String {
    let host = read(RESOLV_CONF).unwrap_or_default();
    let mut text = "nameserver 127.0.0.11\n".to_owned();
    text.push_str(&search(network, &host));
    let mut options = options(network, &host);
    if !options.iter().any(|option| option.starts_with("ndots:")) {
        options.push("ndots:0".to_owned());
    }
    text.push_str(&format!("options {}\n", options.join(" ")));
    text
}

/// `/etc/resolv.conf` of a container that cannot reach the host's loopback device: without the
/// resolvers there; `instead` of none at all, after those behind systemd-resolved's stub.
pub(super) fn outside_conf(network: &Network, instead: &[&str]) -> String {
    let host = read(RESOLV_CONF).unwrap_or_default();
    let usable = |servers: Vec<String>| -> Vec<String> {
        let is_local = |server: &String| {
            let ip = server
                .split('%')
                .next()
                .and_then(|ip| ip.parse::<std::net::IpAddr>().ok());
            ip.is_none_or(|ip| ip.is_loopback())
        };
        servers
            .into_iter()
            .filter(|server| !is_local(server))
            .collect()
    };
    let mut servers = match network.dns.is_empty() {
        true => usable(nameservers(Path::new(RESOLV_CONF))),
        false => network.dns.clone(),
    };
    if servers.is_empty() {
        servers = usable(nameservers(Path::new(BEHIND_THE_STUB)));
    }
    if servers.is_empty() {
        servers = instead.iter().map(|&server| server.to_owned()).collect();
    }
    conf(network, &host, &servers)
}

/// `/etc/resolv.conf` of a container on a private network: its program asks the host's resolvers.
pub(super) fn private_conf(network: &Network, resolver: &str) -> String {
    let host = read(RESOLV_CONF).unwrap_or_default();
    let servers = match network.dns.is_empty() {
        true => vec![resolver.to_owned()],
        false => network.dns.clone(),
    };
    conf(network, &host, &servers)
}

fn conf(network: &Network, host: &str, servers: &[String]) -> String {
    let mut text: String = servers
        .iter()
        .map(|server| format!("nameserver {server}\n"))
        .collect();
    text.push_str(&search(network, host));
    let options = options(network, host);
    if !options.is_empty() {
        text.push_str(&format!("options {}\n", options.join(" ")));
    }
    text
}

fn search(network: &Network, host: &str) -> String {
    let own: Vec<&str> = match network.dns_search.is_empty() {
        true => last_of(host, "search"),
        false => network.dns_search.iter().map(String::as_str).collect(),
    };
    match own.as_slice() {
        [] | ["."] => String::new(),
        domains => format!("search {}\n", domains.join(" ")),
    }
}

fn options(network: &Network, host: &str) -> Vec<String> {
    match network.dns_options.is_empty() {
        true => last_of(host, "options")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        false => network.dns_options.clone(),
    }
}

/// The words of the last line that begins with `key`.
fn last_of<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let words = |line: &'a str| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some(key)).then(|| words.collect::<Vec<_>>())
    };
    text.lines().rev().find_map(words).unwrap_or_default()
}

/// Puts the address of the host in a container's network where `host-gateway` was asked for.
pub(super) fn set_gateway(
    path: &Path,
    gateway: Option<std::net::IpAddr>,
) -> crate::common::Result<()> {
    let text = path.to_str().and_then(read).unwrap_or_default();
    let gateway = gateway.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string());
    let text = text.replace(GATEWAY, &gateway);
    std::fs::write(path, text).map_err(|error| Error::io("write", path, error))
}

fn read(path: &str) -> Option<String> {
    let bytes = crate::sys::file::read_bounded(Path::new(path), MAX_FILE).ok()?;
    String::from_utf8(bytes).ok()
}
