//! Checks of the kernel itself: version, seccomp, resource limits.

use std::fs;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::host::{Host, KernelVersion};

use super::{Check, Verdict};

/// The oldest kernel on which every part has a fallback.
const OLDEST: KernelVersion = KernelVersion::new(4, 18);
/// From here on no fallback is needed.
const BEST: KernelVersion = KernelVersion::new(5, 14);

pub(super) fn version(host: &Host) -> Check {
    let kernel = host.kernel();
    let verdict = if kernel >= BEST {
        Verdict::Ok
    } else if kernel >= OLDEST {
        Verdict::Degraded
    } else {
        Verdict::Missing
    };
    Check {
        verdict,
        ..Check::ok(
            "kernel",
            kernel.to_string(),
            "from 5.14 on nothing needs a fallback; 4.18 is the oldest that is tried",
        )
    }
}

pub(super) fn seccomp() -> Vec<Check> {
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    judge_seccomp(actions.ok().as_deref())
}

fn judge_seccomp(actions: Option<&str>) -> Vec<Check> {
    let filter = "a filter keeps dangerous system calls from containers";
    let notify = "without a user range, owners that packages set are recorded through it";
    let has = |word: &str| {
        actions.is_some_and(|list| list.split_ascii_whitespace().any(|one| one == word))
    };
    let row = |name, there: bool, meaning| {
        if there {
            Check::ok(name, "available", meaning)
        } else {
            Check::missing(name, "not in this kernel", meaning)
        }
    };
    vec![
        row("seccomp", has("errno"), filter),
        row("seccomp-notification", has("user_notif"), notify),
    ]
}

pub(super) fn resource_limits() -> Vec<Check> {
    let rows = [
        (
            "open-files-limit",
            Resource::RLIMIT_NOFILE,
            4096,
            "nofile",
            "programs in containers open as many files as this",
        ),
        (
            "locked-memory-limit",
            Resource::RLIMIT_MEMLOCK,
            64 << 20,
            "memlock",
            "RDMA and GPU programs lock memory up to this many bytes",
        ),
    ];
    let check = |(name, resource, enough, word, meaning)| {
        let (_, hard) = getrlimit(resource).ok()?;
        if hard == RLIM_INFINITY {
            return Some(Check::ok(name, "unlimited", meaning));
        }
        if hard >= enough {
            return Some(Check::ok(name, hard.to_string(), meaning));
        }
        let check = Check::degraded(name, hard.to_string(), meaning);
        let value = if word == "nofile" {
            "1048576"
        } else {
            "unlimited"
        };
        let line = format!("echo '* - {word} {value}' > /etc/security/limits.d/99-{word}.conf");
        Some(check.admin(line))
    };
    rows.into_iter().filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seccomp_is_judged_by_its_actions() {
        let verdicts = |text| -> Vec<Verdict> {
            judge_seccomp(text)
                .into_iter()
                .map(|check| check.verdict)
                .collect()
        };
        assert_eq!(verdicts(None), [Verdict::Missing, Verdict::Missing]);
        assert_eq!(
            verdicts(Some("kill errno log\n")),
            [Verdict::Ok, Verdict::Missing]
        );
        assert_eq!(
            verdicts(Some("errno user_notif\n")),
            [Verdict::Ok, Verdict::Ok]
        );
    }
}
