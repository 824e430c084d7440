//! The resource group: cgroup limits and rlimits.

use serde::{Deserialize, Serialize};

use crate::cgroup::Limits;

/// Limits asked for; `None` means the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    /// Limits that control groups enforce.
    #[serde(flatten)]
    pub(crate) limits: Limits,
    /// `--ulimit`.
    pub(crate) ulimits: Vec<Ulimit>,
    /// `--oom-score-adj`.
    pub(crate) oom_score_adj: Option<i32>,
    /// `--oom-kill-disable`.
    pub(crate) oom_kill_disable: bool,
    /// `--memory-swappiness`, 0 to 100.
    pub(crate) swappiness: Option<i64>,
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
