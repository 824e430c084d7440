//! Limits of a container.

/// cgroup limits and rlimits.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct ResourceArgs {
    /// Memory limit
    #[arg(short, long, value_name = "BYTES")]
    pub(crate) memory: Option<String>,

    /// Swap limit equal to memory plus swap: -1 to enable unlimited swap
    #[arg(long, value_name = "BYTES")]
    pub(crate) memory_swap: Option<String>,

    /// Memory soft limit
    #[arg(long, value_name = "BYTES")]
    pub(crate) memory_reservation: Option<String>,

    /// Number of CPUs
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) cpus: Option<String>,

    /// CPU shares (relative weight)
    #[arg(short, long, value_name = "NUMBER")]
    pub(crate) cpu_shares: Option<String>,

    /// Limit CPU CFS (Completely Fair Scheduler) period, in microseconds
    #[arg(long, value_name = "MICROSECONDS")]
    pub(crate) cpu_period: Option<String>,

    /// Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds
    #[arg(long, value_name = "MICROSECONDS")]
    pub(crate) cpu_quota: Option<String>,

    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_cpus: Option<String>,

    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_mems: Option<String>,

    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pids_limit: Option<String>,

    /// Tune host's OOM preferences (-1000 to 1000)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) oom_score_adj: Option<String>,

    /// Disable OOM Killer
    #[arg(long)]
    pub(crate) oom_kill_disable: bool,

    /// Tune container memory swappiness (0 to 100, -1 for the system's)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) memory_swappiness: Option<String>,

    /// Optional parent cgroup for the container
    #[arg(long, value_name = "CGROUP")]
    pub(crate) cgroup_parent: Option<String>,

    /// Ulimit options: NAME=SOFT[:HARD]
    #[arg(long, value_name = "ULIMIT")]
    pub(crate) ulimit: Vec<String>,
}
