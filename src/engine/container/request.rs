//! What the container verbs take and give back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::common::{ContainerId, Digest, ExitStatus, Timestamp};
use crate::engine::image::pull::RegistryOptions;
use crate::oci::Platform;
use crate::spec::config::{Config, Port, RestartPolicy};
use crate::store::HealthStatus;

/// When an image is fetched before a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PullPolicy {
    /// When it is not here.
    #[default]
    Missing,
    /// Each time.
    Always,
    /// Never; an image that is not here is an error.
    Never,
    /// When the registry has another one.
    Newer,
}

/// `run`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunRequest {
    /// Image name, id or digest; the directory when `rootfs` is set.
    pub(crate) image: String,
    /// `--rootfs`: `image` is a plain directory.
    pub(crate) rootfs: bool,
    /// `--name`.
    pub(crate) name: Option<String>,
    /// `--rm`.
    pub(crate) remove: bool,
    /// `--rmi`: the image goes with the container, unless another has it.
    pub(crate) remove_image: bool,
    /// `--replace`: a container that has the name is removed first.
    pub(crate) replace: bool,
    /// `--cidfile`: an error when it exists.
    pub(crate) cidfile: Option<PathBuf>,
    /// `--pull`.
    pub(crate) pull: PullPolicy,
    /// `--platform`.
    pub(crate) platform: Option<Platform>,
    /// Registry options of an implied pull.
    pub(crate) registry: RegistryOptions,
    /// Descriptors of the caller that the payload of this first run inherits.
    pub(crate) preserve: Vec<i32>,
    /// What the container is.
    pub(crate) config: Config,
    /// The caller's command line, program first, as inspect shows it.
    pub(crate) command_line: Vec<String>,
    /// `--sig-proxy`, on by default: signals of the caller go to the container.
    pub(crate) sig_proxy: bool,
}

/// State of a container, derived from its lock and its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContainerState {
    /// Made, never started.
    Created,
    /// Its first process waits for the start (`container init`).
    Initialized,
    /// Its first process lives.
    Running,
    /// It ended.
    Exited,
    /// Its first process lives and is stopped.
    Paused,
    /// It ended, and its supervisor will start it again.
    Restarting,
    /// It was running when its supervisor or the machine died: no exit record, no process.
    Dead,
}

impl ContainerState {
    /// docker's word, or podman's where docker has none.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ContainerState::Created => "created",
            ContainerState::Initialized => "initialized",
            ContainerState::Running => "running",
            ContainerState::Exited => "exited",
            ContainerState::Paused => "paused",
            ContainerState::Restarting => "restarting",
            ContainerState::Dead => "dead",
        }
    }

    /// Its payload exists.
    pub(crate) fn has_process(self) -> bool {
        matches!(self, ContainerState::Running | ContainerState::Paused)
    }

    /// `ps` shows it without `-a`.
    pub(crate) fn is_active(self) -> bool {
        self.has_process() || self == ContainerState::Restarting
    }
}

/// One row of `ps`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ContainerSummary {
    /// Id.
    pub(crate) id: ContainerId,
    /// Name.
    pub(crate) name: String,
    /// Image name as asked for.
    pub(crate) image: String,
    /// Image id; `None` for `--rootfs`.
    pub(crate) image_id: Option<Digest>,
    /// Entrypoint and arguments.
    pub(crate) command: Vec<String>,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When its first process began.
    pub(crate) started: Option<Timestamp>,
    /// When it ended.
    pub(crate) finished: Option<Timestamp>,
    /// State.
    pub(crate) state: ContainerState,
    /// How it ended.
    pub(crate) exit: Option<ExitStatus>,
    /// What its health checks say, while it runs and has some.
    pub(crate) health: Option<HealthStatus>,
    /// Host pid of its first process while running.
    pub(crate) pid: Option<i32>,
    /// Labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// `host`, `none`, …
    pub(crate) networks: Vec<String>,
    /// Mount targets or sources as `ps` shows them.
    pub(crate) mounts: Vec<String>,
    /// Where they are in the container.
    pub(crate) targets: Vec<String>,
    /// How many of them are volumes.
    pub(crate) volumes: usize,
    /// Published ports.
    pub(crate) ports: Vec<Port>,
    /// What happens when the payload ends by itself, and how often at most.
    pub(crate) restart: RestartPolicy,
    /// How often that happened.
    pub(crate) restarts: u32,
    /// Whether its restart policy wants it started when the machine is.
    pub(crate) starts_at_boot: bool,
    /// Whether it will be: its policy wants it, and `boot --enable` has been called.
    pub(crate) will_start_at_boot: bool,
    /// Whether it is removed at its end.
    pub(crate) auto_remove: bool,
    /// Bytes of the writable layer, when sizes were asked for.
    pub(crate) size: Option<u64>,
}
