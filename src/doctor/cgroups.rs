//! Checks of the cgroup ladder.

use crate::cgroup;
use crate::host::{CgroupLayout, CgroupVersion, Host};

use super::Check;
use super::advice;

/// Controllers that the limits of `run` need.
const WANTED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Returns the rung and the rows.
pub(super) fn checks(host: &Host) -> (&'static str, Vec<Check>) {
    judge(host.cgroups(), &host.distribution())
}

fn judge(layout: &CgroupLayout, distribution: &[String]) -> (&'static str, Vec<Check>) {
    let version = version(layout);
    let usable: Vec<&str> = WANTED
        .into_iter()
        .filter(|name| cgroup::can_limit(layout, &[name]))
        .collect();
    let systemd = layout.version() == CgroupVersion::V2
        && layout.job.is_none()
        && layout.systemd_bus.is_some();
    let rung = if systemd {
        "systemd"
    } else if usable.is_empty() {
        "none"
    } else if layout.v1.is_empty() {
        "delegated"
    } else {
        "v1"
    };
    (
        rung,
        vec![version, limits(layout, distribution, rung, &usable)],
    )
}

fn version(layout: &CgroupLayout) -> Check {
    let name = "cgroups";
    let meaning = "they limit what a container uses and hold all its processes together";
    match layout.version() {
        CgroupVersion::V2 => Check::ok(name, "version 2", meaning),
        CgroupVersion::V1 => Check::degraded(name, "version 1", meaning),
        CgroupVersion::Hybrid => {
            Check::degraded(name, "version 1 with an empty version 2 tree", meaning)
        }
        CgroupVersion::None => Check::missing(name, "not mounted", meaning)
            .admin("mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
    }
}

fn limits(layout: &CgroupLayout, distribution: &[String], rung: &str, usable: &[&str]) -> Check {
    let name = "limits";
    let meaning = "--memory, --cpus, --cpuset-cpus and --pids-limit need their controllers";
    if rung == "systemd" && !layout.root {
        return session_limits(layout, name, meaning);
    }
    if rung == "systemd" {
        return Check::ok(name, "through systemd scopes", meaning);
    }
    if usable.len() == WANTED.len() {
        return Check::ok(name, usable.join(" "), meaning);
    }
    let check = if usable.is_empty() {
        Check::missing(name, "no controller can be used", meaning)
    } else {
        Check::degraded(name, format!("only {}", usable.join(" ")), meaning)
    };
    if layout.job.is_some() {
        // The batch system's own limits hold; nobody should delegate around them.
        return check;
    }
    match layout.version() {
        CgroupVersion::V2 if !layout.root => delegate(check),
        CgroupVersion::V2 => check.user("systemd-run --scope -p Delegate=yes ketch run ..."),
        _ => {
            let argument = "systemd.unified_cgroup_hierarchy=1";
            check.admin(advice::kernel_argument(distribution, argument))
        }
    }
}

/// What the user's systemd was given is in the folder of its service.
fn session_limits(layout: &CgroupLayout, name: &'static str, meaning: &'static str) -> Check {
    let given = layout.unified.as_ref().and_then(|unified| {
        let uid = nix::unistd::geteuid();
        let service = format!("user.slice/user-{uid}.slice/user@{uid}.service");
        let file = unified.mount.join(service).join("cgroup.controllers");
        std::fs::read_to_string(file).ok()
    });
    let Some(given) = given else {
        return Check::ok(name, "through systemd scopes", meaning);
    };
    let has = |name: &&&str| given.split_ascii_whitespace().any(|one| one == **name);
    let have: Vec<&str> = WANTED.iter().filter(has).copied().collect();
    if have.len() == WANTED.len() {
        return Check::ok(
            name,
            format!("through systemd scopes: {}", have.join(" ")),
            meaning,
        );
    }
    let found = format!("systemd scopes with only: {}", have.join(" "));
    delegate(Check::degraded(name, found, meaning))
}

fn delegate(check: Check) -> Check {
    check.admin(
        "mkdir -p /etc/systemd/system/user@.service.d && \
         printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > \
         /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::host::Unified;

    #[test]
    fn a_folder_that_is_not_delegated_gets_the_drop_in_and_a_job_does_not() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cgroup.controllers"), "pids\n").unwrap();
        let mut layout = CgroupLayout {
            unified: Some(Unified {
                mount: dir.path().into(),
                own: dir.path().into(),
            }),
            ..CgroupLayout::default()
        };
        let (rung, checks) = judge(&layout, &[]);
        assert_eq!((rung, checks[1].verdict), ("delegated", Verdict::Degraded));
        assert!(checks[1].fix[0].contains("Delegate=cpu cpuset io memory pids"));
        layout.job = Some("Slurm");
        assert!(judge(&layout, &[]).1[1].fix.is_empty());
    }

    #[test]
    fn nothing_mounted_is_missing() {
        let (rung, checks) = judge(&CgroupLayout::default(), &[]);
        assert_eq!((rung, checks[0].verdict), ("none", Verdict::Missing));
        assert_eq!(checks[1].verdict, Verdict::Missing);
    }
}
