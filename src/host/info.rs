//! What `ketch info` and docker's `info` say about the machine.

use std::fs;

use serde::Serialize;

use super::Host;
use super::cgroups::CgroupVersion;

/// Facts for `info`, in ketch's own words; `cli` gives them docker's keys.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Info {
    /// Whole kernel release.
    pub(crate) kernel: String,
    /// `PRETTY_NAME` of os-release, or `Linux`.
    pub(crate) operating_system: String,
    /// Machine name in uname's words: `x86_64`.
    pub(crate) architecture: String,
    /// Host name.
    pub(crate) hostname: String,
    /// CPUs this process may use.
    pub(crate) cpus: usize,
    /// Memory of the machine in bytes.
    pub(crate) memory: u64,
    /// Swap of the machine in bytes.
    pub(crate) swap: u64,
    /// `2`, `1` or empty.
    pub(crate) cgroup_version: &'static str,
    /// `systemd`, `cgroupfs` or `none`.
    pub(crate) cgroup_driver: &'static str,
    /// docker's list: `name=seccomp,profile=builtin`, `name=rootless`, `name=cgroupns`…
    pub(crate) security_options: Vec<String>,
}

pub(super) fn gather(host: &Host) -> Info {
    let name = nix::sys::utsname::uname().ok();
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map(|text| text.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let version = host.cgroups().version();
    Info {
        kernel: text(name.as_ref().map(|name| name.release())),
        operating_system: os_release("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
        architecture: text(name.as_ref().map(|name| name.machine())),
        hostname: text(name.as_ref().map(|name| name.nodename())),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        memory: meminfo_bytes(&meminfo, "MemTotal"),
        swap: meminfo_bytes(&meminfo, "SwapTotal"),
        cgroup_version: match version {
            CgroupVersion::None => "",
            CgroupVersion::V2 => "2",
            CgroupVersion::V1 | CgroupVersion::Hybrid => "1",
        },
        cgroup_driver: match version {
            CgroupVersion::None => "none",
            CgroupVersion::V2 if host.systemd_bus().is_some() => "systemd",
            _ => "cgroupfs",
        },
        security_options: security_options(host),
    }
}

fn security_options(host: &Host) -> Vec<String> {
    let exists = |path: &str| fs::metadata(path).is_ok();
    let mut options = Vec::new();
    if fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.trim() == "Y")
    {
        options.push("name=apparmor".to_owned());
    }
    if exists("/proc/sys/kernel/seccomp/actions_avail") {
        options.push("name=seccomp,profile=builtin".to_owned());
    }
    if exists("/sys/fs/selinux/enforce") {
        options.push("name=selinux".to_owned());
    }
    if !(host.euid() == 0 && host.is_admin() && host.in_initial_userns()) {
        options.push("name=rootless".to_owned());
    }
    if exists("/proc/self/ns/cgroup") {
        options.push("name=cgroupns".to_owned());
    }
    options
}

/// A value of os-release(5), without its quotes.
pub(super) fn os_release(key: &str) -> Option<String> {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"));
    os_release_value(&text.ok()?, key)
}

fn os_release_value(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix('=')?.trim();
        Some(value.trim_matches(['"', '\'']).to_owned())
    })
}

fn meminfo_bytes(text: &str, key: &str) -> u64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

impl Host {
    /// The distribution's id and the ids it is like, from os-release: `["ubuntu", "debian"]`.
    pub(crate) fn distribution(&self) -> Vec<String> {
        let mut ids: Vec<String> = os_release("ID").into_iter().collect();
        let like = os_release("ID_LIKE").unwrap_or_default();
        ids.extend(like.split_ascii_whitespace().map(str::to_owned));
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostEnv;

    #[test]
    fn values_are_read_in_their_units() {
        assert_eq!(
            meminfo_bytes("MemTotal:  10 kB\nX: 1 kB\n", "MemTotal"),
            10_240
        );
        assert_eq!(meminfo_bytes("X: 1 kB\n", "MemTotal"), 0);
        let text = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";
        assert_eq!(
            os_release_value(text, "PRETTY_NAME").unwrap(),
            "Debian GNU/Linux 12"
        );
        assert_eq!(os_release_value(text, "NAME"), None);
    }

    #[test]
    fn the_running_machine_has_a_kernel_memory_and_cpus() {
        let info = Host::new(HostEnv::default()).info();
        assert!(!info.kernel.is_empty() && info.memory > 1 << 20 && info.cpus > 0);
        let rootless = info.security_options.iter().any(|o| o == "name=rootless");
        assert!(rootless || nix::unistd::geteuid().is_root());
    }
}
