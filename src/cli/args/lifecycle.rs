//! How a container lives on without its caller.

/// Restarts, logs and stopping.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct LifecycleArgs {
    /// Restart policy when the container exits: no, on-failure[:MAX], always or unless-stopped
    #[arg(long, value_name = "POLICY")]
    pub(crate) restart: Option<String>,

    /// Timeout (in seconds) to stop the container; -1 waits for ever
    #[arg(long, value_name = "SECONDS")]
    pub(crate) stop_timeout: Option<String>,

    /// Who notifies the manager of a service (NOTIFY_SOCKET): container, conmon, healthy or ignore
    #[arg(long, value_name = "WHO")]
    pub(crate) sdnotify: Option<String>,

    /// Logging driver: json-file, k8s-file, journald, passthrough or none
    #[arg(long, value_name = "DRIVER")]
    pub(crate) log_driver: Option<String>,

    /// Log driver options: max-size, max-file, path, tag, labels, env
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) log_opt: Vec<String>,

    /// Write the host's process number of the container to the file at each start
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) pidfile: Option<String>,

    /// Write the number of the process that keeps the container to the file at each start
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) conmon_pidfile: Option<String>,
}
