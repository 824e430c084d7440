//! Health checks of a container.

/// The check and its times.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct HealthArgs {
    /// Command to run to check health
    #[arg(long, value_name = "COMMAND")]
    pub(crate) health_cmd: Option<String>,

    /// Time between running the check (ms|s|m|h) (default 30s)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_interval: Option<String>,

    /// Consecutive failures needed to report unhealthy (default 3)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) health_retries: Option<String>,

    /// Maximum time to allow one check to run (ms|s|m|h) (default 30s)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_timeout: Option<String>,

    /// Start period for the container to initialize before failures count (ms|s|m|h)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_start_period: Option<String>,

    /// Time between running the check during the start period (ms|s|m|h) (default 5s)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_start_interval: Option<String>,

    /// Action when the container becomes unhealthy: none, kill, restart or stop
    #[arg(long, value_name = "ACTION")]
    pub(crate) health_on_failure: Option<String>,

    /// Command that has to succeed before the check begins
    #[arg(long, value_name = "COMMAND")]
    pub(crate) health_startup_cmd: Option<String>,

    /// Time between running it (ms|s|m|h) (default 30s)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_startup_interval: Option<String>,

    /// Failures in a row after which the container is restarted; 0 for never
    #[arg(long, value_name = "NUMBER")]
    pub(crate) health_startup_retries: Option<String>,

    /// Successes in a row needed (default 1)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) health_startup_success: Option<String>,

    /// Maximum time to allow it to run (ms|s|m|h) (default 30s)
    #[arg(long, value_name = "DURATION")]
    pub(crate) health_startup_timeout: Option<String>,

    /// Where results go as well: local, events_logger or a directory
    #[arg(long, value_name = "PLACE")]
    pub(crate) health_log_destination: Option<String>,

    /// How many results are kept; 0 for as many as can be, 1000 (default 5)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) health_max_log_count: Option<String>,

    /// How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)
    #[arg(long, value_name = "BYTES")]
    pub(crate) health_max_log_size: Option<String>,

    /// Disable any container-specified HEALTHCHECK
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
}
