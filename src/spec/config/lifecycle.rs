//! The lifecycle group: logs, health, restarts and the way a container is stopped.

use serde::{Deserialize, Serialize};

use crate::logs::Logging;
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
    /// `--pidfile`: absolute path of a file for the payload's process number.
    pub(crate) pidfile: Option<String>,
    /// `--conmon-pidfile`: the same for the process that keeps the container.
    pub(crate) keeper_pidfile: Option<String>,
    /// `--sdnotify`.
    pub(crate) notify: Notify,
    /// `--health-*` and `--no-healthcheck`, over the image's own.
    pub(crate) health: Health,
}

/// Who tells the manager of a service that the container is ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Notify {
    /// Nobody (`ignore`).
    #[default]
    Nobody,
    /// The payload (`container`).
    Payload,
    /// ketch, when the payload runs (`conmon`).
    Ketch,
    /// ketch, when the container is healthy (`healthy`).
    Healthy,
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

/// Changes to the image's health check; unset fields keep the image's, then docker's defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Health {
    /// `--no-healthcheck`.
    pub(crate) disabled: bool,
    /// `--health-cmd` and the durations in nanoseconds; 0 is unset.
    pub(crate) check: Healthcheck,
    /// `--health-on-failure`.
    pub(crate) on_unhealthy: OnUnhealthy,
    /// `--health-startup-*`; without a command there is none.
    #[serde(skip_serializing_if = "Startup::is_none")]
    pub(crate) startup: Startup,
    /// `--health-log-*` and `--health-max-log-*`.
    #[serde(skip_serializing_if = "HealthLog::is_usual")]
    pub(crate) log: HealthLog,
}

/// A check that has to succeed before the other one begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Startup {
    /// Command, times, and failures in a row that restart the container; 0 is never.
    pub(crate) check: Healthcheck,
    /// Successes in a row; 0 is one.
    pub(crate) successes: u32,
}

impl Startup {
    /// Whether nothing was asked for.
    pub(crate) fn is_none(&self) -> bool {
        *self == Startup::default()
    }
}

/// What is kept of health checks, and where else it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HealthLog {
    /// `--health-log-destination`.
    pub(crate) destination: Option<HealthLogPlace>,
    /// Results; 0 for as many as can be.
    pub(crate) count: Option<u32>,
    /// Bytes of each; 0 for as many as can be.
    pub(crate) size: Option<u32>,
}

impl HealthLog {
    /// Whether nothing was asked for.
    pub(crate) fn is_usual(&self) -> bool {
        *self == HealthLog::default()
    }
}

/// Where results go beside the container's own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthLogPlace {
    /// Nowhere.
    Local,
    /// Into the journal of events.
    Events,
    /// Into a file of this directory.
    Directory(String),
}

/// What happens to a container that has become unhealthy (podman's `--health-on-failure`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnUnhealthy {
    /// Nothing.
    #[default]
    None,
    /// It is killed; its restart policy holds.
    Kill,
    /// It is stopped and started again.
    Restart,
    /// It is stopped.
    Stop,
}
