//! The limits of one container as data, and docker's checks of them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::common::{Error, Result};

use super::cpuset::{self, CpuSet};

/// Below this the kernel cannot start a process (docker's minimum).
const MIN_MEMORY: u64 = 6 << 20;
/// Number of processes a container may have unless the user says otherwise (podman's default).
const DEFAULT_PIDS: i64 = 2048;
/// The period docker gives to `--cpus`, in microseconds.
const CPU_PERIOD: u64 = 100_000;

/// What was asked for; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// `--memory` in bytes.
    pub(crate) memory: Option<u64>,
    /// `--memory-swap` in bytes, memory and swap together; -1 is unlimited.
    pub(crate) memory_swap: Option<i64>,
    /// `--memory-reservation` in bytes.
    pub(crate) memory_reservation: Option<u64>,
    /// `--cpus` in billionths of a CPU.
    pub(crate) nano_cpus: Option<u64>,
    /// `--cpu-period` in microseconds.
    pub(crate) cpu_period: Option<u64>,
    /// `--cpu-quota` in microseconds per period; -1 is unlimited.
    pub(crate) cpu_quota: Option<i64>,
    /// `--cpu-shares`, 2 to 262144.
    pub(crate) cpu_shares: Option<u64>,
    /// `--cpuset-cpus`.
    pub(crate) cpuset_cpus: Option<String>,
    /// `--cpuset-mems`.
    pub(crate) cpuset_mems: Option<String>,
    /// `--pids-limit`; 0 or less is unlimited, `None` the default where it costs nothing to have.
    pub(crate) pids: Option<i64>,
}

/// What of the machine the checks need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Online {
    /// CPUs online.
    pub(crate) cpus: CpuSet,
    /// Memory nodes online.
    pub(crate) mems: CpuSet,
}

impl Online {
    /// Reads sysfs; call it only when a CPU limit was asked for.
    pub(crate) fn read() -> Online {
        Online {
            cpus: CpuSet::online("/sys/devices/system/cpu/online"),
            mems: CpuSet::online("/sys/devices/system/node/online"),
        }
    }
}

impl Limits {
    /// Says whether the user asked for any limit.
    pub(crate) fn any_asked(&self) -> bool {
        *self != Limits::default() && (self.pids.is_none_or(|pids| pids > 0) || self.others_asked())
    }

    fn others_asked(&self) -> bool {
        let others = Limits {
            pids: None,
            ..self.clone()
        };
        others != Limits::default()
    }

    /// The process limit to set: the one asked for, else the default; `None` is unlimited.
    pub(super) fn effective_pids(&self) -> Option<i64> {
        Some(self.pids.unwrap_or(DEFAULT_PIDS)).filter(|pids| *pids > 0)
    }

    /// CPU quota and period in microseconds, from `--cpus` or from the two flags.
    pub(super) fn quota(&self) -> Option<(i64, u64)> {
        if let Some(nano) = self.nano_cpus.filter(|nano| *nano > 0) {
            let quota = u128::from(nano) * u128::from(CPU_PERIOD) / 1_000_000_000;
            return Some((i64::try_from(quota).unwrap_or(i64::MAX), CPU_PERIOD));
        }
        let period = self.cpu_period.filter(|period| *period > 0);
        let quota = self.cpu_quota.filter(|quota| *quota != 0);
        if period.is_none() && quota.is_none() {
            return None;
        }
        Some((quota.unwrap_or(-1), period.unwrap_or(CPU_PERIOD)))
    }

    /// Swap alone in bytes: `None` leaves it as it is, -1 is unlimited. Without
    /// `--memory-swap` a container gets as much swap as memory, as in docker.
    pub(super) fn swap(&self) -> Option<i64> {
        let memory = i64::try_from(self.memory.filter(|m| *m > 0)?).unwrap_or(i64::MAX);
        match self.memory_swap {
            Some(total) if total < 0 => Some(-1),
            Some(total) if total > 0 => Some(total.saturating_sub(memory).max(0)),
            _ => Some(memory),
        }
    }

    /// Checks the limits as docker does, with docker's words for what is wrong.
    pub(crate) fn check(&self) -> Result<()> {
        let cpu = self.nano_cpus.is_some() || self.cpuset_cpus.is_some();
        let online = if cpu || self.cpuset_mems.is_some() {
            Online::read()
        } else {
            Online::default()
        };
        self.check_with(&online)
    }

    /// [`Limits::check`] against the given machine.
    pub(crate) fn check_with(&self, online: &Online) -> Result<()> {
        self.check_memory()?;
        self.check_cpu(online.cpus.len())?;
        if let Some(text) = &self.cpuset_cpus {
            cpuset::check("--cpuset-cpus", "CPUs", text, &online.cpus)?;
        }
        if let Some(text) = &self.cpuset_mems {
            cpuset::check("--cpuset-mems", "memory nodes", text, &online.mems)?;
        }
        Ok(())
    }

    fn check_memory(&self) -> Result<()> {
        let bad = |flag: &str, why: &str| Err(Error::usage("check", flag, why));
        let memory = self.memory.filter(|bytes| *bytes > 0);
        let soft = self.memory_reservation.filter(|bytes| *bytes > 0);
        if memory.is_some_and(|bytes| bytes < MIN_MEMORY) {
            return bad("--memory", "Minimum memory limit allowed is 6MB");
        }
        let total = self.memory_swap.filter(|total| *total > 0);
        match (memory, total) {
            (None, Some(_)) => {
                let why = "You should always set the Memory limit when using Memoryswap limit, \
                           see usage";
                return bad("--memory-swap", why);
            }
            (Some(memory), Some(total)) if u64::try_from(total).unwrap_or(0) < memory => {
                let why = "Minimum memoryswap limit should be larger than memory limit, see usage";
                return bad("--memory-swap", why);
            }
            _ => {}
        }
        if soft.is_some_and(|bytes| bytes < MIN_MEMORY) {
            return bad(
                "--memory-reservation",
                "Minimum memory reservation allowed is 6MB",
            );
        }
        if let (Some(memory), Some(soft)) = (memory, soft)
            && memory < soft
        {
            let why = "Minimum memory limit can not be less than memory reservation limit, \
                       see usage";
            return bad("--memory", why);
        }
        Ok(())
    }

    fn check_cpu(&self, cpus: usize) -> Result<()> {
        let bad = |flag: &str, why: String| Err(Error::usage("check", flag, why));
        let nano = self.nano_cpus.filter(|nano| *nano > 0);
        let period = self.cpu_period.filter(|period| *period > 0);
        let quota = self.cpu_quota.filter(|quota| *quota > 0);
        if nano.is_some() && period.is_some() {
            let why = "Conflicting options: Nano CPUs and CPU Period cannot both be set.";
            return bad("--cpus", why.to_owned());
        }
        if nano.is_some() && quota.is_some() {
            let why = "Conflicting options: Nano CPUs and CPU Quota cannot both be set.";
            return bad("--cpus", why.to_owned());
        }
        let most = (cpus as u64).saturating_mul(1_000_000_000);
        if nano.is_some_and(|nano| nano < 10_000_000 || (cpus > 0 && nano > most)) {
            let why = format!(
                "Range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
            );
            return bad("--cpus", why);
        }
        if period.is_some_and(|period| !(1000..=1_000_000).contains(&period)) {
            let why = "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s \
                       (i.e. 1000000)";
            return bad("--cpu-period", why.to_owned());
        }
        if quota.is_some_and(|quota| quota < 1000) {
            let why = "CPU cfs quota can not be less than 1ms (i.e. 1000)";
            return bad("--cpu-quota", why.to_owned());
        }
        Ok(())
    }
}

/// Checks the value of `--cgroup-parent`: a path without `..`, or the name of a systemd slice.
pub(crate) fn check_parent(parent: &str) -> Result<()> {
    use std::path::Component;
    let plain = Path::new(parent)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    if plain && !parent.is_empty() && !parent.contains('\0') {
        return Ok(());
    }
    Err(Error::usage(
        "check --cgroup-parent",
        format!("{parent:?}"),
        "use a path without `.` and `..`, or the name of a slice",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn online() -> Online {
        Online {
            cpus: CpuSet::parse("0-1").unwrap(),
            mems: CpuSet::parse("0").unwrap(),
        }
    }

    type Case = (fn(&mut Limits), &'static str);

    const IMPOSSIBLE: [Case; 12] = [
        (
            |l| l.memory = Some(5 << 20),
            "Minimum memory limit allowed is 6MB",
        ),
        (
            |l| l.memory_swap = Some(9 << 20),
            "always set the Memory limit",
        ),
        (
            |l| (l.memory, l.memory_swap) = (Some(64 << 20), Some(32 << 20)),
            "larger than memory limit",
        ),
        (
            |l| l.memory_reservation = Some(1 << 20),
            "reservation allowed is 6MB",
        ),
        (
            |l| (l.memory, l.memory_reservation) = (Some(8 << 20), Some(9 << 20)),
            "less than memory reservation",
        ),
        (|l| l.nano_cpus = Some(3_000_000_000), "from 0.01 to 2.00"),
        (|l| l.nano_cpus = Some(1), "from 0.01 to 2.00"),
        (
            |l| (l.nano_cpus, l.cpu_quota) = (Some(1 << 30), Some(5000)),
            "Conflicting options",
        ),
        (|l| l.cpu_period = Some(999), "CPU cfs period"),
        (|l| l.cpu_quota = Some(999), "CPU cfs quota"),
        (|l| l.cpuset_cpus = Some("0-7".into()), "Requested CPUs"),
        (
            |l| l.cpuset_mems = Some("5".into()),
            "Requested memory nodes",
        ),
    ];

    #[test]
    fn impossible_limits_are_refused_in_dockers_words() {
        for (set, words) in IMPOSSIBLE {
            let mut limits = Limits::default();
            set(&mut limits);
            let error = limits.check_with(&online()).unwrap_err().to_string();
            assert!(error.contains(words), "{limits:?}: {error}");
        }
    }

    #[test]
    fn possible_limits_pass() {
        let limits = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(-1),
            nano_cpus: Some(1_500_000_000),
            cpuset_cpus: Some("0,1".into()),
            pids: Some(-1),
            ..Limits::default()
        };
        limits.check_with(&online()).unwrap();
        Limits::default().check_with(&online()).unwrap();
    }

    #[test]
    fn swap_and_quota_are_derived_as_docker_derives_them() {
        let swap = |memory, memory_swap| {
            Limits {
                memory,
                memory_swap,
                ..Limits::default()
            }
            .swap()
        };
        assert_eq!(swap(Some(100), None), Some(100));
        assert_eq!(swap(Some(100), Some(150)), Some(50));
        assert_eq!(swap(Some(100), Some(100)), Some(0));
        assert_eq!(swap(Some(100), Some(-1)), Some(-1));
        assert_eq!(swap(None, Some(-1)), None);
        let cpus = |nano| {
            Limits {
                nano_cpus: Some(nano),
                ..Limits::default()
            }
            .quota()
        };
        assert_eq!(cpus(1_500_000_000), Some((150_000, 100_000)));
        assert_eq!(cpus(0), None);
    }

    #[test]
    fn only_real_limits_count_as_asked() {
        let pids = |pids| Limits {
            pids,
            ..Limits::default()
        };
        assert!(!pids(None).any_asked());
        assert!(!pids(Some(-1)).any_asked());
        assert!(pids(Some(5)).any_asked());
        assert!(
            Limits {
                cpu_shares: Some(2),
                ..pids(Some(-1))
            }
            .any_asked()
        );
        assert_eq!(pids(None).effective_pids(), Some(2048));
        assert_eq!(pids(Some(0)).effective_pids(), None);
    }

    #[test]
    fn a_parent_cannot_lead_up() {
        assert!(check_parent("/a/b").is_ok() && check_parent("x.slice").is_ok());
        for bad in ["..", "/a/../b", "", "./a"] {
            assert!(check_parent(bad).is_err(), "{bad}");
        }
    }
}
