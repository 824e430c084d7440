//! Checks of the network ladder.

use nix::unistd::{AccessFlags, access};

use crate::common::Mode;
use crate::host::Host;

use super::Check;
use super::advice;

/// Returns the rung and the rows.
pub(super) fn checks(host: &Host, mode: Mode) -> (&'static str, Vec<Check>) {
    if mode == Mode::Root {
        return ("bridge", vec![nftables(host)]);
    }
    let tun = tun_device();
    let helper = helper(host);
    let rung = match (host.tool("pasta"), host.tool("slirp4netns")) {
        _ if !tun.fix.is_empty() => "host",
        (Some(_), _) => "pasta",
        (None, Some(_)) => "slirp4netns",
        (None, None) => "host",
    };
    (rung, vec![tun, helper])
}

fn tun_device() -> Check {
    let name = "tun-device";
    let path = "/dev/net/tun";
    let meaning = "a private network reaches the world through it";
    match access(path, AccessFlags::R_OK | AccessFlags::W_OK) {
        Ok(()) => Check::ok(name, path, meaning),
        Err(nix::errno::Errno::ENOENT) => {
            Check::missing(name, format!("{path} does not exist"), meaning).admin("modprobe tun")
        }
        Err(errno) => Check::missing(name, format!("{path}: {}", errno.desc()), meaning)
            .admin(format!("chmod 666 {path}")),
    }
}

fn helper(host: &Host) -> Check {
    let name = "network-helper";
    let meaning = "without one, a container shares the host's network";
    if let Some(pasta) = host.tool("pasta") {
        return Check::ok(name, pasta.display().to_string(), meaning);
    }
    let install = advice::install(&host.distribution(), "pasta");
    match host.tool("slirp4netns") {
        Some(slirp) => Check::degraded(name, slirp.display().to_string(), meaning).admin(install),
        None => Check::missing(name, "neither pasta nor slirp4netns", meaning).admin(install),
    }
}

fn nftables(host: &Host) -> Check {
    let name = "nftables";
    let meaning = "published ports and named networks of root need it";
    match host.tool("nft") {
        Some(path) => Check::ok(name, path.display().to_string(), meaning),
        None => Check::missing(name, "nft is not installed", meaning)
            .admin(advice::install(&host.distribution(), "nft")),
    }
}
