//! One OCI mount to one step: options into flags, attributes and data.

use std::path::PathBuf;

use nix::mount::MsFlags;

use crate::common::{Error, Kind, Result};
use crate::sys::mount::attr;

/// Option of a volume: what of it is mounted.
const SUBPATH: &str = "x-ketch.subpath=";

/// One mount for init to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountStep {
    /// Absolute path in the container.
    pub(crate) target: String,
    /// What is mounted.
    pub(crate) source: Source,
    /// `attr::*` bits.
    pub(crate) attributes: u64,
    /// The attributes reach submounts too.
    pub(crate) recursive_attributes: bool,
    /// Propagation to set; empty leaves it.
    pub(crate) propagation: MsFlags,
    /// What is mounted becomes the payload's user's, recursively (podman's `U`).
    pub(crate) chown: bool,
    /// The source is a volume of the store.
    pub(crate) volume: bool,
    /// A container with ids of its own sees the owners that the source has on disk (OCI's `idmap`).
    pub(crate) id_map: bool,
    /// An empty source first gets what the image has at the target.
    pub(crate) fill: bool,
    /// With `fill`: where the image has nothing at the target, it becomes the payload's user's.
    pub(crate) give: bool,
    /// What below the source is mounted; no link leads out of the source.
    pub(crate) subpath: Option<PathBuf>,
}

/// Source of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A new instance of a file system.
    New {
        /// Type.
        fstype: String,
        /// Options for the file system itself.
        data: String,
        /// Copy the image's content at the target into it.
        copy_up: bool,
    },
    /// A host path.
    Bind {
        /// Absolute path.
        path: PathBuf,
        /// With its submounts.
        recursive: bool,
        /// Changes go to this directory's `upper` (podman's `O`).
        overlay: Option<PathBuf>,
    },
}

impl MountStep {
    /// A new file system without a name, for a specification to say what it is.
    fn at(target: String) -> MountStep {
        MountStep {
            target,
            source: Source::New {
                fstype: String::new(),
                data: String::new(),
                copy_up: false,
            },
            attributes: 0,
            recursive_attributes: false,
            propagation: MsFlags::empty(),
            chown: false,
            volume: false,
            id_map: false,
            fill: false,
            give: false,
            subpath: None,
        }
    }
}

/// Translates one mount of a specification.
pub(crate) fn step(mount: &oci_spec::runtime::Mount) -> Result<MountStep> {
    let target = mount.destination().display().to_string();
    if !target.starts_with('/') {
        return Err(
            Error::new(Kind::Usage, "mount at", target).because("not an absolute path".to_owned())
        );
    }
    let mut step = MountStep::at(target);
    let mut bind = mount.typ().as_deref() == Some("bind");
    let (mut recursive, mut overlay, mut copy_up) = (false, None, false);
    let mut data: Vec<&str> = Vec::new();
    for option in mount.options().iter().flatten() {
        match option.as_str() {
            "bind" => bind = true,
            "rbind" => (bind, recursive) = (true, true),
            "ro" => step.attributes |= attr::RDONLY,
            "rro" => {
                (step.attributes, step.recursive_attributes) =
                    (step.attributes | attr::RDONLY, true)
            }
            "nosuid" => step.attributes |= attr::NOSUID,
            "nodev" => step.attributes |= attr::NODEV,
            "noexec" => step.attributes |= attr::NOEXEC,
            "rw" | "suid" | "dev" | "exec" | "relatime" | "strictatime" | "noatime"
            | "defaults" => {}
            "U" => step.chown = true,
            "x-ketch.volume" => step.volume = true,
            "idmap" => step.id_map = true,
            "x-ketch.fill" => step.fill = true,
            "x-ketch.give" => step.give = true,
            "tmpcopyup" => copy_up = true,
            other if other.starts_with(SUBPATH) => {
                step.subpath = Some(PathBuf::from(&other[SUBPATH.len()..]));
            }
            other => match (propagation(other), other.strip_prefix("O=")) {
                (Some(flags), _) => step.propagation = flags,
                (None, Some(dir)) => overlay = Some(PathBuf::from(dir)),
                (None, None) => data.push(other),
            },
        }
    }
    step.source = if bind {
        let path = mount.source().clone().unwrap_or_default();
        Source::Bind {
            path,
            recursive,
            overlay,
        }
    } else {
        let fstype = mount.typ().clone().unwrap_or_default();
        Source::New {
            fstype,
            data: data.join(","),
            copy_up,
        }
    };
    Ok(step)
}

fn propagation(word: &str) -> Option<MsFlags> {
    let rec = MsFlags::MS_REC;
    Some(match word {
        "private" => MsFlags::MS_PRIVATE,
        "rprivate" => MsFlags::MS_PRIVATE | rec,
        "slave" => MsFlags::MS_SLAVE,
        "rslave" => MsFlags::MS_SLAVE | rec,
        "shared" => MsFlags::MS_SHARED,
        "rshared" => MsFlags::MS_SHARED | rec,
        "unbindable" => MsFlags::MS_UNBINDABLE,
        "runbindable" => MsFlags::MS_UNBINDABLE | rec,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::MountBuilder;

    #[test]
    fn options_are_told_apart() {
        let mount = MountBuilder::default()
            .destination("/x")
            .typ("tmpfs")
            .source("tmpfs")
            .options(
                ["nosuid", "mode=755", "ro", "rslave"]
                    .map(str::to_owned)
                    .to_vec(),
            )
            .build()
            .unwrap();
        let step = step(&mount).unwrap();
        assert_eq!(step.attributes, attr::NOSUID | attr::RDONLY);
        assert_eq!(step.propagation, MsFlags::MS_SLAVE | MsFlags::MS_REC);
        assert!(matches!(step.source, Source::New { ref data, .. } if data == "mode=755"));
    }

    #[test]
    fn a_relative_target_is_refused() {
        let mount = MountBuilder::default()
            .destination("x")
            .typ("tmpfs")
            .build()
            .unwrap();
        assert_eq!(step(&mount).unwrap_err().kind(), Kind::Usage);
    }
}
