//! The lifecycle group: logs, health, restarts and the way a container is stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::oci::Healthcheck;

/// How a container lives on without its caller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lifecycle {
    /// `--restart`.
    pub(crate) restart: RestartPolicy,
    /// `--stop-timeout` in seconds; -1 waits for ever, `None` is docker's ten seconds.
    pub(crate) stop_timeout: Option<i64>,
    /// `--log-driver` and `--log-opt`.
    pub(crate) log: Logging,
    /// `--health-*` and `--no-healthcheck`, over the image's own.
    pub(crate) health: Health,
}

/// What happens when the payload ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RestartPolicy {
    /// It stays ended.
    #[default]
    No,
    /// Started again after a code other than 0, `max` times at most; 0 is without a limit.
    OnFailure {
        /// Times.
        max: u32,
    },
    /// Started again, also at boot.
    Always,
    /// As `Always`, but at boot only when nobody had stopped it.
    UnlessStopped,
}

/// Where a container's output is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Logging {
    /// `None`: json-file for what lives on or is kept, passthrough for `run --rm` in the
    /// foreground, whose log nobody could read.
    pub(crate) driver: Option<LogDriver>,
    /// `max-size` in bytes: a file that reaches it is rotated.
    pub(crate) max_size: Option<u64>,
    /// `max-file`: files kept, the one being written included; `None` is 1.
    pub(crate) max_files: Option<u32>,
    /// `path`: another file than the one in the container's directory.
    pub(crate) path: Option<String>,
    /// Options that are kept for `inspect` (`tag`, `labels`, `env`).
    pub(crate) options: BTreeMap<String, String>,
}

/// Form and place of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogDriver {
    /// docker's lines of JSON.
    JsonFile,
    /// Kubernetes' `time stream F|P text`.
    K8sFile,
    /// The systemd journal.
    Journald,
    /// The caller's own streams.
    Passthrough,
    /// Nowhere.
    None,
}

/// Changes to the image's health check; unset fields keep the image's, then docker's defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Health {
    /// `--no-healthcheck`.
    pub(crate) disabled: bool,
    /// `--health-cmd` and the durations in nanoseconds; 0 is unset.
    pub(crate) check: Healthcheck,
}
