//! The process group: command, user, directory, environment, terminal.

use serde::{Deserialize, Serialize};

/// What runs in the container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Process {
    /// Words after the image; empty means the image's `Cmd`.
    pub(crate) args: Vec<String>,
    /// `--entrypoint`: `Some` replaces the image's and drops its `Cmd`; an empty list clears it.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// `-u`: `user[:group]`, names or numbers, resolved inside the rootfs.
    pub(crate) user: Option<String>,
    /// `--group-add` names or numbers, without `keep-groups`.
    pub(crate) groups: Vec<String>,
    /// `--group-add keep-groups`: the caller's supplementary groups stay.
    pub(crate) keep_groups: bool,
    /// `-w`: absolute directory.
    pub(crate) workdir: Option<String>,
    /// podman: a directory that `-w` names has to be there; docker makes it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) workdir_is_there: bool,
    /// Name of the engine in `/run/.containerenv`, podman's sign of a container; `None` makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) containerenv: Option<String>,
    /// Environment in order of growing precedence: `--env-host`, `--env-file`, `-e`.
    pub(crate) env: Vec<EnvEntry>,
    /// `--hostname`.
    pub(crate) hostname: Option<String>,
    /// `--no-hostname`: the image's `/etc/hostname` stays.
    pub(crate) no_hostname: bool,
    /// `--domainname`.
    pub(crate) domainname: Option<String>,
    /// `--systemd`; settled when the container is made.
    pub(crate) systemd: Systemd,
    /// What the image's passwd and group files are completed with.
    pub(crate) names: UserNames,
    /// `-i`, `-t`.
    pub(crate) stdio: Stdio,
    /// `--init`: a reaper runs as process 1.
    pub(crate) init: bool,
    /// `--stop-signal` by name or number, already checked.
    pub(crate) stop_signal: Option<String>,
    /// `--umask`, octal.
    pub(crate) umask: Option<u32>,
    /// `--tz`: an area's name in the host's zoneinfo, or `local`.
    pub(crate) timezone: Option<String>,
}

/// Whether a container is prepared for systemd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Systemd {
    /// It is not.
    #[default]
    Never,
    /// When that is what it runs.
    Detected,
    /// It is.
    Always,
}

/// Lines for users and groups that the image does not know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserNames {
    /// `--passwd`: false completes nothing, true also for a number that `-u` asks for; `None` is
    /// for a caller that keeps its own number alone.
    pub(crate) complete: Option<bool>,
    /// `--passwd-entry`, its variables not replaced yet.
    pub(crate) passwd_entry: Option<String>,
    /// `--group-entry`, likewise.
    pub(crate) group_entry: Option<String>,
    /// `--hostuser`: names or numbers of the host.
    pub(crate) host_users: Vec<String>,
}

/// One environment entry, already resolved against the caller's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvEntry {
    /// Name, never empty, without `=`.
    pub(crate) key: String,
    /// `None` removes the variable (`--unsetenv`).
    pub(crate) value: Option<String>,
}

impl EnvEntry {
    /// A variable with a value.
    pub(crate) fn set(key: &str, value: &str) -> EnvEntry {
        EnvEntry {
            key: key.to_owned(),
            value: Some(value.to_owned()),
        }
    }
}

/// What becomes of the container's standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stdio {
    /// `-i`: standard input stays open.
    pub(crate) interactive: bool,
    /// `-t`: a terminal of its own.
    pub(crate) tty: bool,
}
