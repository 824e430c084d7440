//! Limits as files to write: pure, one function for each version of cgroups. See the kernel's
//! admin-guide/cgroup-v2 and admin-guide/cgroup-v1.

use super::limits::Limits;

/// One write that enforces a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Controller that has the file.
    pub(crate) controller: &'static str,
    /// Name of the file in the cgroup's folder.
    pub(crate) file: &'static str,
    /// What to write.
    pub(crate) value: String,
    /// The flag that asked for it; `None` when it is a default nobody asked for, which is left
    /// out without a word where it cannot be had.
    pub(crate) flag: Option<&'static str>,
}

fn setting(
    controller: &'static str,
    file: &'static str,
    value: impl ToString,
    flag: &'static str,
) -> Setting {
    Setting {
        controller,
        file,
        value: value.to_string(),
        flag: Some(flag),
    }
}

/// A setting that follows from another flag or from a default.
fn implied(controller: &'static str, file: &'static str, value: impl ToString) -> Setting {
    Setting {
        flag: None,
        ..setting(controller, file, value, "")
    }
}

/// `--cpu-shares` (2 to 262144) as version 2's weight (1 to 10000), by runc's formula.
pub(crate) fn weight(shares: u64) -> u64 {
    let shares = shares.clamp(2, 262_144);
    1 + (shares - 2) * 9999 / 262_142
}

/// The writes on version 2, in order.
pub(crate) fn v2(limits: &Limits) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Some(memory) = limits.memory.filter(|bytes| *bytes > 0) {
        out.push(setting("memory", "memory.max", memory, "--memory"));
    }
    if let Some(swap) = limits.swap() {
        let value = if swap < 0 {
            "max".to_owned()
        } else {
            swap.to_string()
        };
        out.push(match limits.memory_swap {
            Some(_) => setting("memory", "memory.swap.max", value, "--memory-swap"),
            None => implied("memory", "memory.swap.max", value),
        });
    }
    if let Some(soft) = limits.memory_reservation.filter(|bytes| *bytes > 0) {
        out.push(setting(
            "memory",
            "memory.low",
            soft,
            "--memory-reservation",
        ));
    }
    if let Some((quota, period)) = limits.quota() {
        let quota = if quota < 0 {
            "max".to_owned()
        } else {
            quota.to_string()
        };
        let flag = quota_flag(limits);
        out.push(setting("cpu", "cpu.max", format!("{quota} {period}"), flag));
    }
    if let Some(shares) = limits.cpu_shares.filter(|shares| *shares > 0) {
        out.push(setting("cpu", "cpu.weight", weight(shares), "--cpu-shares"));
    }
    push_cpuset(&mut out, limits);
    push_pids(&mut out, limits);
    out
}

/// The writes on version 1 into a new cgroup, in order: memory before memory and swap together,
/// which may never be the smaller; the period before the quota that is measured by it.
pub(crate) fn v1(limits: &Limits) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Some(memory) = limits.memory.filter(|bytes| *bytes > 0) {
        out.push(setting(
            "memory",
            "memory.limit_in_bytes",
            memory,
            "--memory",
        ));
        let swap = limits.swap().unwrap_or(-1);
        let total = if swap < 0 {
            "-1".to_owned()
        } else {
            memory.saturating_add(swap.unsigned_abs()).to_string()
        };
        let file = "memory.memsw.limit_in_bytes";
        out.push(match limits.memory_swap {
            Some(_) => setting("memory", file, total, "--memory-swap"),
            None => implied("memory", file, total),
        });
    }
    if let Some(soft) = limits.memory_reservation.filter(|bytes| *bytes > 0) {
        let file = "memory.soft_limit_in_bytes";
        out.push(setting("memory", file, soft, "--memory-reservation"));
    }
    if let Some((quota, period)) = limits.quota() {
        let flag = quota_flag(limits);
        out.push(setting("cpu", "cpu.cfs_period_us", period, flag));
        out.push(setting("cpu", "cpu.cfs_quota_us", quota.max(-1), flag));
    }
    if let Some(shares) = limits.cpu_shares.filter(|shares| *shares > 0) {
        let shares = shares.clamp(2, 262_144);
        out.push(setting("cpu", "cpu.shares", shares, "--cpu-shares"));
    }
    push_cpuset(&mut out, limits);
    push_pids(&mut out, limits);
    out
}

fn quota_flag(limits: &Limits) -> &'static str {
    if limits.nano_cpus.is_some() {
        "--cpus"
    } else if limits.cpu_quota.is_some() {
        "--cpu-quota"
    } else {
        "--cpu-period"
    }
}

fn push_cpuset(out: &mut Vec<Setting>, limits: &Limits) {
    if let Some(cpus) = &limits.cpuset_cpus {
        out.push(setting("cpuset", "cpuset.cpus", cpus, "--cpuset-cpus"));
    }
    if let Some(mems) = &limits.cpuset_mems {
        out.push(setting("cpuset", "cpuset.mems", mems, "--cpuset-mems"));
    }
}

fn push_pids(out: &mut Vec<Setting>, limits: &Limits) {
    if let Some(pids) = limits.effective_pids() {
        out.push(match limits.pids {
            Some(_) => setting("pids", "pids.max", pids, "--pids-limit"),
            None => implied("pids", "pids.max", pids),
        });
    }
}

/// The controllers that settings need, each once, in order.
pub(crate) fn controllers(settings: &[Setting]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for setting in settings {
        if !names.contains(&setting.controller) {
            names.push(setting.controller);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(settings: &[Setting]) -> Vec<String> {
        let line = |s: &Setting| format!("{}={}", s.file, s.value);
        settings.iter().map(line).collect()
    }

    fn everything() -> Limits {
        Limits {
            memory: Some(64 << 20),
            memory_swap: Some(96 << 20),
            memory_reservation: Some(32 << 20),
            nano_cpus: Some(500_000_000),
            cpu_shares: Some(512),
            cpuset_cpus: Some("0-1".into()),
            cpuset_mems: Some("0".into()),
            pids: Some(100),
            ..Limits::default()
        }
    }

    #[test]
    fn version_two_files() {
        assert_eq!(
            lines(&v2(&everything())),
            [
                "memory.max=67108864",
                "memory.swap.max=33554432",
                "memory.low=33554432",
                "cpu.max=50000 100000",
                "cpu.weight=20",
                "cpuset.cpus=0-1",
                "cpuset.mems=0",
                "pids.max=100"
            ]
        );
        let open = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(-1),
            cpu_period: Some(50_000),
            cpu_quota: Some(-1),
            pids: Some(-1),
            ..Limits::default()
        };
        assert_eq!(
            lines(&v2(&open)),
            [
                "memory.max=67108864",
                "memory.swap.max=max",
                "cpu.max=max 50000"
            ]
        );
    }

    #[test]
    fn version_one_files_in_an_order_the_kernel_accepts() {
        assert_eq!(
            lines(&v1(&everything())),
            [
                "memory.limit_in_bytes=67108864",
                "memory.memsw.limit_in_bytes=100663296",
                "memory.soft_limit_in_bytes=33554432",
                "cpu.cfs_period_us=100000",
                "cpu.cfs_quota_us=50000",
                "cpu.shares=512",
                "cpuset.cpus=0-1",
                "cpuset.mems=0",
                "pids.max=100"
            ]
        );
        let open = Limits {
            memory: Some(8 << 20),
            memory_swap: Some(-1),
            ..Limits::default()
        };
        assert_eq!(
            lines(&v1(&open)),
            [
                "memory.limit_in_bytes=8388608",
                "memory.memsw.limit_in_bytes=-1",
                "pids.max=2048"
            ]
        );
    }

    #[test]
    fn shares_become_weights_by_runcs_formula() {
        for (shares, expected) in [
            (0, 1),
            (2, 1),
            (1024, 39),
            (262_144, 10_000),
            (u64::MAX, 10_000),
        ] {
            assert_eq!(weight(shares), expected, "{shares}");
        }
    }

    #[test]
    fn what_nobody_asked_for_names_no_flag() {
        let default = v2(&Limits::default());
        assert_eq!(lines(&default), ["pids.max=2048"]);
        assert_eq!(default[0].flag, None);
        let memory = Limits {
            memory: Some(8 << 20),
            ..Limits::default()
        };
        assert_eq!(v2(&memory)[1].flag, None);
        assert_eq!(
            controllers(&v2(&everything())),
            ["memory", "cpu", "cpuset", "pids"]
        );
    }
}
