//! The security group: privileges, namespaces, devices.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Privileges and isolation of a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Security {
    /// `--privileged`.
    pub(crate) privileged: bool,
    /// `--cap-add`, upper case with `CAP_`, or `ALL`; names checked.
    pub(crate) cap_add: Vec<String>,
    /// `--cap-drop`, likewise.
    pub(crate) cap_drop: Vec<String>,
    /// `--security-opt no-new-privileges`.
    pub(crate) no_new_privileges: bool,
    /// `--security-opt seccomp=`.
    pub(crate) seccomp: SeccompChoice,
    /// `--security-opt apparmor=`.
    pub(crate) apparmor: Option<String>,
    /// `--security-opt mask=`: extra paths to hide.
    pub(crate) mask: Vec<String>,
    /// `--security-opt unmask=`: paths not to hide; `ALL` for all.
    pub(crate) unmask: Vec<String>,
    /// `--userns`.
    pub(crate) userns: Userns,
    /// `--pid`.
    pub(crate) pid: NamespaceMode,
    /// `--ipc`.
    pub(crate) ipc: Ipc,
    /// `--uts`.
    pub(crate) uts: NamespaceMode,
    /// `--cgroupns`.
    pub(crate) cgroup: NamespaceMode,
    /// `--device`.
    pub(crate) devices: Vec<Device>,
    /// Devices by name: `vendor.com/class=name` of `--device`, `gpu=name` of `--gpus`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cdi: Vec<String>,
    /// Where the files are that describe them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cdi_dirs: Vec<PathBuf>,
    /// `--device-cgroup-rule`, checked; no rung of this program can give them.
    pub(crate) device_rules: Vec<String>,
    /// `--sysctl`.
    pub(crate) sysctls: BTreeMap<String, String>,
}

/// Which seccomp filter is loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeccompChoice {
    /// docker's default profile.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// A profile file of the user, by absolute path.
    File(String),
}

/// User namespace of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Userns {
    /// Nothing asked: the mode's own map.
    #[default]
    Default,
    /// podman's `container:NAME`: another container's; its id once settled.
    Container(String),
    /// podman's `host`: for root no namespace; rootless the same as the default.
    Host,
    /// The caller keeps its own numbers inside, or gets the given ones.
    KeepId {
        /// `uid=`.
        uid: Option<u32>,
        /// `gid=`.
        gid: Option<u32>,
    },
    /// A range of its own, also for root.
    Auto {
        /// `size=`.
        size: Option<u32>,
    },
    /// `--uidmap` and `--gidmap`: ids inside, ids outside and how many, 0 among those inside.
    Maps {
        /// User ids.
        uids: Vec<(u32, u32, u32)>,
        /// Group ids.
        gids: Vec<(u32, u32, u32)>,
    },
    /// `--subuidname` and `--subgidname`: the subordinate ids of these names, from 0 on.
    Names {
        /// In `/etc/subuid`.
        users: String,
        /// In `/etc/subgid`.
        groups: String,
    },
}

/// Private, or shared with the caller or another container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NamespaceMode {
    /// A new one.
    #[default]
    Private,
    /// The caller's.
    Host,
    /// Another container's: its name, its id once settled.
    Container(String),
}

/// `--ipc`: queues and shared memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ipc {
    /// A container's own, which no other one gets: docker's default.
    #[default]
    Private,
    /// A container's own, which others may ask for: podman's default.
    Shareable,
    /// Its own, without `/dev/shm`.
    None,
    /// The caller's.
    Host,
    /// Another container's: its name, its id once settled.
    Container(String),
}

impl Ipc {
    /// Whether others use it too from the start.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self, Ipc::Host | Ipc::Container(_))
    }
}

/// A host device given to the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// Host path; a directory gives every device below it.
    pub(crate) source: String,
    /// Path in the container.
    pub(crate) target: String,
    /// Some of `r`, `w`, `m`.
    pub(crate) access: String,
}
