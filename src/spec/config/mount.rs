//! The mount group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::common::Digest;

/// One mount asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// Absolute path inside the container, cleaned of `.` and `..`.
    pub(crate) target: String,
    /// What is mounted there.
    pub(crate) kind: MountKind,
    /// `ro`.
    pub(crate) read_only: bool,
    /// `noexec`.
    pub(crate) no_exec: bool,
    /// `nosuid`; rootless mounts always have it.
    pub(crate) no_suid: bool,
    /// `nodev`.
    pub(crate) no_dev: bool,
}

/// Another container whose mounts this one has too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumesFrom {
    /// Name, id or unique id prefix.
    pub(crate) container: String,
    /// `ro`: none of them can be written to.
    pub(crate) read_only: bool,
}

/// Source of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MountKind {
    /// A host path.
    Bind {
        /// Absolute host path (relative ones were joined to the working directory).
        source: String,
        /// Everything else about it.
        options: BindOptions,
    },
    /// A fresh tmpfs.
    Tmpfs {
        /// `size=` in bytes.
        size: Option<u64>,
        /// `mode=`; `None` for that of the image's directory there, 1777 where it has none.
        mode: Option<u32>,
        /// Copy the image's content at the target into it (podman's `tmpcopyup`).
        copy_up: bool,
    },
    /// Directories of the host merged by overlayfs; what is written is thrown away.
    Layers {
        /// The directories, topmost first; two at least.
        lowers: Vec<std::path::PathBuf>,
        /// Deletions in them are `user.` attributes instead of `trusted.` ones.
        attributes_of_user: bool,
    },
    /// Files of an image; what is written is thrown away.
    Image {
        /// The image as the user knows it.
        name: String,
        /// Its layers, base first; chosen when the container is made.
        #[serde(default)]
        layers: Vec<Digest>,
        /// What of it to mount instead of its root, relative to that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subpath: Option<String>,
    },
    /// A named volume (`Some`) or an anonymous one.
    Volume {
        /// Name, grammar checked; of an anonymous one it is chosen when its container is made.
        name: Option<String>,
        /// Made for one container, and removed with it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        anonymous: bool,
        /// Do not copy the image's content into a new volume.
        no_copy: bool,
        /// `U`: give it to the container's user, recursively.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        chown: bool,
        /// `O`: changes go to a throw-away overlay.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        overlay: bool,
        /// `idmap`: the owners that are on disk, or an error; a volume of the store shows them
        /// where it can.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        id_map: bool,
        /// `nocreate`: it has to be there when the container is made.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_create: bool,
        /// How it is made when there is none of its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        make: Option<VolumeMake>,
        /// What of the volume to mount instead of its root, relative to that.
        subpath: Option<String>,
    },
}

/// How a volume is made: `volume-driver`, `volume-opt` and `volume-label`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct VolumeMake {
    /// Driver; `local` without.
    pub(crate) driver: Option<String>,
    /// Its options.
    pub(crate) options: BTreeMap<String, String>,
    /// Labels.
    pub(crate) labels: BTreeMap<String, String>,
}

/// Options of a bind mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BindOptions {
    /// Propagation; private unless asked.
    pub(crate) propagation: Propagation,
    /// `bind` instead of `rbind`: submounts are left out.
    pub(crate) non_recursive: bool,
    /// Make the source as a directory when it is missing (docker's `-v`).
    pub(crate) create_source: bool,
    /// `U`: give the source to the container's user, recursively.
    pub(crate) chown: bool,
    /// `z` or `Z`: SELinux label, nothing where SELinux is absent.
    pub(crate) relabel: bool,
    /// `O`: changes go to a throw-away overlay.
    pub(crate) overlay: bool,
    /// `idmap`: a container with ids of its own sees the owners that are on disk.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) id_map: bool,
    /// `bind-recursive=readonly`: an error when a submount cannot be made read-only.
    pub(crate) recursive_read_only: bool,
}

/// Mount propagation (mount_namespaces(7)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Propagation {
    /// `rprivate`.
    #[default]
    RPrivate,
    /// `private`.
    Private,
    /// `rslave`.
    RSlave,
    /// `slave`.
    Slave,
    /// `rshared`.
    RShared,
    /// `shared`.
    Shared,
    /// `runbindable`.
    RUnbindable,
    /// `unbindable`.
    Unbindable,
}

/// What stands for a volume that the image declares and nothing is mounted at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ImageVolumes {
    /// An anonymous volume.
    #[default]
    Kept,
    /// A tmpfs with what the image has there.
    Tmpfs,
    /// The image's directory.
    Ignored,
}

impl ImageVolumes {
    /// Whether nothing else was asked for.
    pub(crate) fn is_kept(&self) -> bool {
        *self == ImageVolumes::Kept
    }
}
