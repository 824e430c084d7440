//! Checks of the identity ladder: user namespaces, subordinate ids and their helpers.

use std::fs;

use crate::common::{Mode, passwd_entries};
use crate::host::{Host, UsernsBlock, free_range};
use crate::sys::probe::{self, Trial};

use super::advice;
use super::{Check, Verdict};

/// The check without which an ordinary user runs nothing.
pub(super) const USER_NAMESPACES: &str = "user-namespaces";

pub(super) fn checks(host: &Host, mode: Mode) -> Vec<Check> {
    let mut checks = vec![rung(host, mode), user_namespaces(host)];
    checks.extend(restriction(host));
    // Root needs ranges and helpers for nothing but --userns=auto, which has its own default;
    // root of a user namespace has its ids already.
    if mode != Mode::Root && !host.owns_ids() {
        checks.push(ranges(host));
        checks.push(helpers(host));
    }
    checks
}

fn rung(host: &Host, mode: Mode) -> Check {
    let name = "identity";
    match mode {
        Mode::Root => Check::ok(
            name,
            "root",
            "containers have every id and true owners on disk",
        ),
        Mode::Subid if host.owns_ids() => Check::ok(
            name,
            "subid, root of a user namespace",
            "containers have the ids of this namespace; no range and no helper is needed",
        ),
        Mode::Subid => Check::ok(
            name,
            "subid",
            "container root is you, other users of an image have ids of your range",
        ),
        Mode::Single => Check::degraded(
            name,
            "single",
            "every file is yours on disk; owners that images intend are kept beside and faked \
             for package managers",
        ),
    }
}

/// Tries for real: switches, security modules and filters of a surrounding container all count.
fn user_namespaces(host: &Host) -> Check {
    let meaning = "an ordinary user's containers live in a user namespace";
    match probe::user_namespace() {
        Ok(Trial::Works) => Check::ok(USER_NAMESPACES, "can be made", meaning),
        Ok(Trial::Failed { step, errno }) => {
            let error = std::io::Error::from_raw_os_error(errno);
            let found = format!("cannot {step}: {error}");
            let check = Check::missing(USER_NAMESPACES, found, meaning);
            switch_fix(host, check)
        }
        Err(error) => Check::missing(
            USER_NAMESPACES,
            format!("cannot be tried: {error}"),
            meaning,
        ),
    }
}

fn switch_fix(host: &Host, check: Check) -> Check {
    match host.userns().block() {
        Some(UsernsBlock::MaxZero) => {
            check.admin(advice::sysctl("user.max_user_namespaces", "28633"))
        }
        Some(UsernsBlock::CloneOff) => {
            check.admin(advice::sysctl("kernel.unprivileged_userns_clone", "1"))
        }
        Some(UsernsBlock::AppArmor) => check.admin(apparmor_profile()),
        Some(UsernsBlock::Absent) => {
            let argument = "user_namespace.enable=1";
            check.admin(advice::kernel_argument(&host.distribution(), argument))
        }
        // Only an outer sandbox is left: a container engine's seccomp filter as a rule.
        None => check.admin("docker run --security-opt seccomp=unconfined ..."),
    }
}

/// Ubuntu lets only programs with a profile make useful user namespaces.
fn apparmor_profile() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "/usr/local/bin/ketch".into());
    format!(
        "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile ketch {} \
         flags=(unconfined) {{\\n  userns,\\n}}\\n' > /etc/apparmor.d/ketch && \
         apparmor_parser -r /etc/apparmor.d/ketch",
        program.display()
    )
}

/// AppArmor's switch is its own row: the namespace can be made there, but in it nothing works.
fn restriction(host: &Host) -> Option<Check> {
    host.userns().apparmor?;
    let name = "apparmor-userns-restriction";
    let meaning = "where it is on, a program needs a profile to get privileges in its namespace";
    if host.userns().block() == Some(UsernsBlock::AppArmor) && host.euid() != 0 {
        let check = Check::degraded(name, "on", meaning);
        return Some(check.admin(apparmor_profile()));
    }
    Some(Check::ok(name, "off", meaning))
}

fn ranges(host: &Host) -> Check {
    let name = "subordinate-ids";
    let meaning = "a range of ids gives each user of an image an id of its own";
    let count = |list: &[crate::host::SubRange]| {
        list.iter().map(|range| u64::from(range.count)).sum::<u64>()
    };
    let (uids, gids) = (count(host.subuids()), count(host.subgids()));
    if uids >= 65_535 && gids >= 65_535 {
        return Check::ok(name, format!("{uids} user ids, {gids} group ids"), meaning);
    }
    let user = advice::user(host);
    let verdict = if uids == 0 || gids == 0 {
        Verdict::Missing
    } else {
        Verdict::Degraded
    };
    let found = format!("{uids} user ids, {gids} group ids for {user}");
    let mut check = Check {
        verdict,
        ..Check::ok(name, found, meaning)
    };
    let both = ["/etc/subuid", "/etc/subgid"]
        .map(|file| fs::read_to_string(file).unwrap_or_default())
        .join("\n");
    // One range that is free in both files, so that user and group numbers agree.
    if let Some(free) = free_range(&both) {
        let last = free.end() - 1;
        check = check.admin(add_range(host, &user, free.start, last, free.count));
    }
    check
}

fn add_range(host: &Host, user: &str, first: u32, last: u64, count: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let local = passwd_entries(&passwd).any(|entry| entry.name == user);
    let has_usermod = ["/usr/sbin/usermod", "/sbin/usermod"]
        .iter()
        .any(|path| std::path::Path::new(path).exists());
    if local && has_usermod && host.user_name().is_some() {
        return format!("usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {user}");
    }
    // usermod knows only users of /etc/passwd; the files themselves take anybody's.
    format!("echo {user}:{first}:{count} | tee -a /etc/subuid /etc/subgid")
}

fn helpers(host: &Host) -> Check {
    let name = "id-map-helpers";
    let meaning = "newuidmap and newgidmap write the map of a range into the kernel";
    if let Some((uid, gid)) = host.map_helpers() {
        let found = format!("{}, {}", uid.display(), gid.display());
        return Check::ok(name, found, meaning);
    }
    match (host.tool("newuidmap"), host.tool("newgidmap")) {
        (Some(uid), Some(gid)) => Check::missing(name, "installed without privilege", meaning)
            .admin(format!("chmod u+s {} {}", uid.display(), gid.display())),
        _ => Check::missing(name, "not installed", meaning)
            .admin(advice::install(&host.distribution(), "newuidmap")),
    }
}
