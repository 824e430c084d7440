//! Checks of the network ladder.

use nix::unistd::{AccessFlags, access};

use crate::common::Mode;
use crate::host::Host;

use super::Check;
use super::advice;

/// Returns the rung and the rows. The rung is the one that `run` takes, whatever the machine
/// could do: a container has the host's network or none.
pub(super) fn checks(host: &Host, mode: Mode) -> (&'static str, Vec<Check>) {
    let mut checks = vec![Check::degraded(
        "network",
        "the host's, or none at all with --network none",
        "private and named networks and published ports are not available yet",
    )];
    if mode != Mode::Root {
        checks.push(tun_device());
        checks.push(helper(host));
    }
    ("host", checks)
}

fn tun_device() -> Check {
    let name = "tun-device";
    let path = "/dev/net/tun";
    let meaning = "private networks will reach the world through it; nothing uses it yet";
    match access(path, AccessFlags::R_OK | AccessFlags::W_OK) {
        Ok(()) => Check::ok(name, format!("{path}, not used yet"), meaning),
        Err(nix::errno::Errno::ENOENT) => {
            Check::missing(name, format!("{path} does not exist"), meaning).admin("modprobe tun")
        }
        Err(errno) => Check::missing(name, format!("{path}: {}", errno.desc()), meaning)
            .admin(format!("chmod 666 {path}")),
    }
}

fn helper(host: &Host) -> Check {
    let name = "network-helper";
    let meaning = "private networks will need one; nothing uses it yet";
    let found = |path: &std::path::Path| format!("{}, not used yet", path.display());
    if let Some(pasta) = host.tool("pasta") {
        return Check::ok(name, found(pasta), meaning);
    }
    let install = advice::install(&host.distribution(), "pasta");
    match host.tool("slirp4netns") {
        Some(slirp) => Check::degraded(name, found(slirp), meaning).admin(install),
        None => Check::missing(name, "neither pasta nor slirp4netns", meaning).admin(install),
    }
}
