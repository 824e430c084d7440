//! Checks of the network ladder.

use nix::unistd::{AccessFlags, access};

use crate::common::Mode;
use crate::host::{Host, find_program};
use crate::network::user;

use super::Check;
use super::advice;

/// Returns the rung that `run` takes where nothing is asked for, and the rows.
pub(super) fn checks(host: &Host, mode: Mode) -> (&'static str, Vec<Check>) {
    let mut checks = Vec::new();
    let rung = match mode {
        Mode::Root => "bridge",
        _ => {
            checks.extend([tun_device(), helper(host)]);
            private(host, &mut checks)
        }
    };
    checks.push(packet_filter(host));
    (rung, checks)
}

/// Whether an ordinary user's containers get a network of their own.
fn private(host: &Host, checks: &mut Vec<Check>) -> &'static str {
    let meaning = "containers get a network of their own, with a way out and published ports";
    let program = user::program(host.search_path().as_deref(), None);
    let why = match &program {
        Some(_) => user::lack(),
        None => Some("no program to carry its packets".to_owned()),
    };
    let (rung, check) = match (program, why) {
        (Some(program), None) => (
            "private",
            Check::ok("network", format!("by {}", program.name()), meaning),
        ),
        (_, why) => {
            let why = why.unwrap_or_default();
            let found = format!("the host's: {why}");
            ("host", Check::degraded("network", found, meaning))
        }
    };
    checks.insert(0, check);
    rung
}

fn tun_device() -> Check {
    let name = "tun-device";
    let path = "/dev/net/tun";
    let meaning = "private and named networks reach the world through it";
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
    let meaning = "it carries the packets of private and named networks";
    let found = |path: &std::path::Path| path.display().to_string();
    if let Some(pasta) = host.tool("pasta") {
        return Check::ok(name, found(pasta), meaning);
    }
    let install = advice::install(&host.distribution(), "pasta");
    match host.tool("slirp4netns") {
        Some(slirp) => Check::degraded(name, found(slirp), meaning).admin(install),
        None => Check::missing(name, "neither pasta nor slirp4netns", meaning).admin(install),
    }
}

/// What bridges need: the kernel's own tables, or the older program.
fn packet_filter(host: &Host) -> Check {
    let name = "packet-filter";
    let meaning = "named networks are kept apart and led out by it";
    if let Some(nft) = host.tool("nft") {
        return Check::ok(name, nft.display().to_string(), meaning);
    }
    let install = advice::install(&host.distribution(), "nftables");
    match find_program(host.search_path().as_deref(), "iptables") {
        Some(program) => {
            Check::degraded(name, program.display().to_string(), meaning).admin(install)
        }
        None => Check::missing(name, "neither nft nor iptables", meaning).admin(install),
    }
}
