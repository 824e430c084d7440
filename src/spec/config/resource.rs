//! The resource group: cgroup limits and rlimits.

use serde::{Deserialize, Serialize};

/// Limits asked for; `None` means unlimited or the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    /// `--memory` in bytes.
    pub(crate) memory: Option<u64>,
    /// `--memory-swap` in bytes, memory and swap together; -1 unlimited.
    pub(crate) memory_swap: Option<i64>,
    /// `--memory-reservation` in bytes.
    pub(crate) memory_reservation: Option<u64>,
    /// `--cpus` in billionths of a CPU.
    pub(crate) nano_cpus: Option<u64>,
    /// `--cpu-period` in microseconds.
    pub(crate) cpu_period: Option<u64>,
    /// `--cpu-quota` in microseconds; -1 unlimited.
    pub(crate) cpu_quota: Option<i64>,
    /// `--cpu-shares`, 2 to 262144.
    pub(crate) cpu_shares: Option<u64>,
    /// `--cpuset-cpus`, a list such as `0-3,7`.
    pub(crate) cpuset_cpus: Option<String>,
    /// `--cpuset-mems`.
    pub(crate) cpuset_mems: Option<String>,
    /// `--pids-limit`; -1 unlimited, `None` the default of 2048.
    pub(crate) pids: Option<i64>,
    /// `--ulimit`.
    pub(crate) ulimits: Vec<Ulimit>,
    /// `--oom-score-adj`.
    pub(crate) oom_score_adj: Option<i32>,
    /// `--cgroup-parent`.
    pub(crate) cgroup_parent: Option<String>,
}

/// One resource limit of `setrlimit(2)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ulimit {
    /// Lower-case name without `RLIMIT_`: `nofile`.
    pub(crate) name: String,
    /// Soft limit; `None` unlimited.
    pub(crate) soft: Option<u64>,
    /// Hard limit; `None` unlimited.
    pub(crate) hard: Option<u64>,
}
