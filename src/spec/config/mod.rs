//! What a user asks of one container, in small groups. `cli` fills them from flags and
//! `container.json` keeps them; nothing here knows a flag's spelling or the terminal.

mod copy;
mod lifecycle;
mod mount;
mod network;
mod process;
mod resource;
mod secret;
mod security;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use crate::logs::{LogDriver, Logging};
pub(crate) use copy::{Copies, Copy, CopyOutOn};
pub(crate) use lifecycle::{
    Health, HealthLog, HealthLogPlace, Lifecycle, Notify, OnUnhealthy, RestartPolicy, Startup,
};
pub(crate) use mount::{
    BindOptions, ImageVolumes, Mount, MountKind, Propagation, VolumeMake, VolumesFrom,
};
pub(crate) use network::{
    ExposedPort, HOST_GATEWAY, Helper, HostsFile, Network, NetworkMode, Port,
};
pub(crate) use process::{EnvEntry, Process, Stdio, Systemd, UserNames};
pub(crate) use resource::{Resources, Ulimit};
pub(crate) use secret::{Secret, SecretKind};
pub(crate) use security::{Device, Ipc, NamespaceMode, SeccompChoice, Security, Userns};

/// Everything asked of one container, apart from its image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// What runs and how.
    pub(crate) process: Process,
    /// Mounts in the order given: `-v`, `--mount`, `--tmpfs`.
    pub(crate) mounts: Vec<Mount>,
    /// `--volumes-from`: containers whose mounts were taken over when this one was made.
    pub(crate) volumes_from: Vec<VolumesFrom>,
    /// `--image-volume`.
    #[serde(skip_serializing_if = "ImageVolumes::is_kept")]
    pub(crate) image_volumes: ImageVolumes,
    /// podman: a new volume is the payload's user's where the image has nothing in its place;
    /// docker's is root's. With `--userns keep-id`, which is podman's, it always is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gives_new_volumes: bool,
    /// `--secret`.
    pub(crate) secrets: Vec<Secret>,
    /// `--read-only`: no writable layer.
    pub(crate) read_only: bool,
    /// `--shm-size` in bytes; docker's default is 64 MiB.
    pub(crate) shm_size: Option<u64>,
    /// Limits.
    pub(crate) resources: Resources,
    /// Privileges, namespaces and devices.
    pub(crate) security: Security,
    /// Network.
    pub(crate) network: Network,
    /// `--label`, user labels only; image labels are merged in when the container is made.
    pub(crate) labels: BTreeMap<String, String>,
    /// `--annotation`.
    pub(crate) annotations: BTreeMap<String, String>,
    /// `--requires`: containers that run before this one starts; ids once it is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) requires: Vec<String>,
    /// `--timeout` in seconds: the container is killed after it.
    pub(crate) timeout: Option<u64>,
    /// Data that comes in and results that go out.
    pub(crate) copies: Copies,
    /// Logs, health, restarts and stopping.
    pub(crate) lifecycle: Lifecycle,
}
