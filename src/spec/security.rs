//! Hidden and read-only paths, and requests that contradict themselves.

use std::collections::HashMap;
use std::path::Path;

use super::config::{Config, NamespaceMode, NetworkMode, Security};
use super::generate::Inputs;
use crate::common::{Error, Result};

/// moby's list, with what later advisories added.
const MASKED: [&str; 14] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
    "/sys/dev/block",
];

/// moby's list.
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Bytes that a connection may have under way through a user's program: of one and a half MiB, five
/// of six went without a stall; at 50 ms from end to end they are 250 Mbit/s.
const SEND_BUFFER: u64 = 3 << 19;

/// Paths to hide.
pub(super) fn masked_paths(inputs: &Inputs<'_>) -> Vec<String> {
    let security = &inputs.config.security;
    let mut paths: Vec<String> = Vec::new();
    if !security.privileged {
        let defaults = MASKED.iter().filter(|path| !unmasked(security, path));
        paths.extend(defaults.map(|path| (*path).to_owned()));
        paths.extend(thermal_throttle().filter(|path| !unmasked(security, path)));
        // The host's v1 hierarchies show through a bound /sys; nothing in them is for a
        // container to see.
        let bound_sys = !inputs.config.network.mode.is_own();
        if bound_sys && !inputs.unified_cgroup {
            paths.push("/sys/fs/cgroup".to_owned());
        }
    }
    paths.extend(security.mask.iter().cloned());
    paths
}

/// What each processor says of its temperature: another container's work can be read from it
/// (moby masks it since 28.2).
fn thermal_throttle() -> impl Iterator<Item = String> {
    const CPUS: &str = "/sys/devices/system/cpu";
    // Most virtual machines have none, and one look is cheaper than a list.
    let any = Path::new(CPUS).join("cpu0/thermal_throttle").exists();
    any.then(|| std::fs::read_dir(CPUS))
        .into_iter()
        .flatten()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_prefix("cpu")?.parse::<u32>().ok()?;
            Some(format!("{CPUS}/{name}/thermal_throttle"))
        })
}

/// Paths to make read-only.
pub(super) fn read_only_paths(security: &Security) -> Vec<String> {
    if security.privileged {
        return Vec::new();
    }
    READ_ONLY
        .iter()
        .filter(|path| !unmasked(security, path))
        .map(|path| (*path).to_owned())
        .collect()
}

fn unmasked(security: &Security, path: &str) -> bool {
    security.unmask.iter().any(|pattern| {
        pattern == "ALL"
            || pattern == path
            || pattern
                .strip_suffix("/*")
                .is_some_and(|dir| path.starts_with(&format!("{dir}/")))
    })
}

/// Kernel parameters: what was asked for, and where a network is the container's own docker's two
/// (moby since 20.10): whoever it runs as may listen on port 80 and ping. One that this kernel
/// does not have (before 4.11) is left out. An ordinary user's have [`send_buffers`] beside.
pub(super) fn kernel_parameters(inputs: &Inputs<'_>) -> HashMap<String, String> {
    let mode = &inputs.config.network.mode;
    let mut parameters = HashMap::new();
    if matches!(mode, NetworkMode::Private | NetworkMode::Named)
        && Path::new("/proc/sys/net/ipv4/ip_unprivileged_port_start").exists()
    {
        // The kernel takes a range of groups that it knows there.
        let last = match inputs.maps {
            None => i32::MAX.unsigned_abs(),
            Some(maps) => maps
                .gids
                .iter()
                .map(|line| line.inside.saturating_add(line.count.saturating_sub(1)))
                .max()
                .unwrap_or(0),
        };
        let groups = format!("0 {last}");
        parameters.extend([
            (
                "net.ipv4.ip_unprivileged_port_start".to_owned(),
                "0".to_owned(),
            ),
            ("net.ipv4.ping_group_range".to_owned(), groups),
        ]);
        if inputs.rootless {
            parameters.extend(send_buffers());
        }
    }
    let asked = &inputs.config.security.sysctls;
    parameters.extend(
        asked
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    parameters
}

/// Smaller send buffers for TCP where a user's program carries the packets, unless the host's own
/// are no larger.
///
/// pasta says that it has data as soon as its socket took them when the other end is near, and
/// lets the receiver's window through, which has 32 MiB since Linux 6.16. What does not fit its
/// socket any more it drops, and says so once: the connection waits for a time-out, again and
/// again. The more is on its way at once the sooner, so the container has less under way.
fn send_buffers() -> Option<(String, String)> {
    let now = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").ok()?;
    let mut sizes = now.split_whitespace();
    let (least, first, most) = (sizes.next()?, sizes.next()?, sizes.next()?);
    let smaller = most.parse::<u64>().is_ok_and(|most| most > SEND_BUFFER);
    smaller.then(|| {
        let value = format!("{least} {first} {SEND_BUFFER}");
        ("net.ipv4.tcp_wmem".to_owned(), value)
    })
}

/// Refuses what cannot hold together, before anything is made.
pub(super) fn validate(config: &Config) -> Result<()> {
    let security = &config.security;
    if security.uts != NamespaceMode::Private && config.process.hostname.is_some() {
        return Err(Error::usage(
            "use --hostname",
            "",
            "the UTS namespace is shared (--uts)",
        ));
    }
    let host_network = !config.network.mode.is_own();
    for name in security.sysctls.keys() {
        let refused = (name.starts_with("net.") && host_network)
            || (security.ipc.is_joined()
                && (name.starts_with("kernel.") || name.starts_with("fs.mqueue")))
            || name.contains('/')
            || name.split('.').any(|part| part.is_empty());
        if refused {
            return Err(Error::usage(
                "set kernel parameter",
                name.clone(),
                "it would change a namespace of the host or of another container",
            ));
        }
    }
    Ok(())
}
