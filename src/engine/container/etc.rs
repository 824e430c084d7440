//! The files docker puts over an image's `/etc`: hosts, hostname, resolv.conf.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::common::Error;
use crate::spec::EtcFiles;
use crate::spec::config::{Network, NetworkMode};

/// Largest host file that is copied.
const MAX_FILE: usize = 1 << 20;

/// What every hosts file begins with (moby, `libnetwork/etchosts`).
const LOCAL: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

/// Writes the three files into the container's directory.
pub(super) fn write(
    dir: &Path,
    hostname: &str,
    network: &Network,
    zone: Option<&str>,
) -> Result<EtcFiles> {
    // From the record to the specification: little code is common to the two.
    crate::sys::memory::forget_code();
    let mut files = EtcFiles {
        hosts: dir.join("hosts"),
        hostname: dir.join("hostname"),
        resolv_conf: dir.join("resolv.conf"),
        localtime: None,
    };
    let put = |path: &Path, text: &[u8]| {
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
    };
    put(&files.hosts, hosts(hostname, network).as_bytes())?;
    put(&files.hostname, format!("{hostname}\n").as_bytes())?;
    put(&files.resolv_conf, resolv_conf(network).as_bytes())?;
    if let Some(zone) = zone {
        let path = dir.join("localtime");
        put(&path, &localtime(zone)?)?;
        files.localtime = Some(path);
    }
    Ok(files)
}

/// The host's file of a time zone (podman's `--tz`).
fn localtime(zone: &str) -> Result<Vec<u8>> {
    let path = match zone {
        "local" => Path::new("/etc/localtime").to_owned(),
        zone => Path::new("/usr/share/zoneinfo").join(zone),
    };
    crate::sys::file::read_bounded(&path, MAX_FILE).map_err(|error| {
        error
            .hint("the host does not know this time zone; -e TZ=… leaves it to the image")
            .into()
    })
}

fn hosts(hostname: &str, network: &Network) -> String {
    let mut text = match network.mode {
        // docker: on the host's network the host's own names hold.
        NetworkMode::Host
        | NetworkMode::Default
        | NetworkMode::Private
        | NetworkMode::Container(_)
        | NetworkMode::Namespace(_) => read("/etc/hosts").unwrap_or_else(|| LOCAL.to_owned()),
        NetworkMode::None => format!("{LOCAL}127.0.1.1\t{hostname}\n"),
        // The addresses come when they are known.
        NetworkMode::Named => LOCAL.to_owned(),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, address) in &network.extra_hosts {
        let address = if address == "host-gateway" {
            "127.0.0.1"
        } else {
            address
        };
        text.push_str(&format!("{address}\t{name}\n"));
    }
    text
}

fn resolv_conf(network: &Network) -> String {
    if !network.dns.is_empty() {
        return network
            .dns
            .iter()
            .map(|server| format!("nameserver {server}\n"))
            .collect();
    }
    match network.mode {
        NetworkMode::None => String::new(),
        _ => read("/etc/resolv.conf").unwrap_or_default(),
    }
}

fn read(path: &str) -> Option<String> {
    let bytes = crate::sys::file::read_bounded(Path::new(path), MAX_FILE).ok()?;
    String::from_utf8(bytes).ok()
}
