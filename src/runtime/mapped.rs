//! The store of root, shown to a container with ids of its own (`--userns=auto`).
//!
//! Layers and the container's directory belong to true owners on disk, behind a directory that
//! only root enters. The caller makes detached copies of the two mounts before the clone and has
//! the kernel map their owners once the id maps are written (mount_setattr(2), microseconds and
//! no chown); init, which has the same descriptors, attaches them and mounts its overlay there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::Mode;

use super::init::subtree;
use super::plan::{Overlay, Plan, Rootfs, Source};
use crate::common::{Error, Kind, Result};
use crate::host::KernelVersion;
use crate::sys::descriptor::path_of;
use crate::sys::file_system::file_system;
use crate::sys::mount;

/// The kernel that takes id-mapped mounts as layers of an overlay.
const OVERLAY_ON_MAPPED: KernelVersion = KernelVersion::new(5, 19);

/// One directory: where it is, and a detached copy of its mount.
struct Tree {
    path: PathBuf,
    copy: OwnedFd,
}

/// The directories of the store that a container needs.
pub(super) struct Trees {
    /// Common parent of the layers; none for the host's own root, which stays as it is.
    layers: Option<Tree>,
    container: Tree,
    /// Volumes of the store, in which containers of all kinds see the same owners, and binds that
    /// are to be mapped.
    volumes: Vec<Tree>,
}

impl Tree {
    fn copy(path: &Path, recursive: bool) -> Result<Tree> {
        let copy =
            mount::clone_tree(AT_FDCWD, path, recursive).map_err(|errno| refused(path, errno))?;
        Ok(Tree {
            path: path.to_owned(),
            copy,
        })
    }

    /// A volume, or what of it is to be mounted.
    fn volume(path: &Path, below: Option<&Path>) -> Result<Tree> {
        let Some(below) = below else {
            return Tree::copy(path, false);
        };
        Ok(Tree {
            copy: subtree(path, below)?,
            path: path.join(below),
        })
    }

    /// A descriptor of the directory itself, as a place to attach the copy to.
    fn place(&self) -> Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        nix::fcntl::open(&self.path, flags, Mode::empty())
            .map_err(|errno| Error::errno("open", &self.path, errno))
    }

    fn attach(&self, place: BorrowedFd<'_>) -> Result<()> {
        mount::attach(self.copy.as_fd(), place)
            .map_err(|errno| Error::errno("attach id-mapped mount at", &self.path, errno))
    }

    fn text(&self) -> PathBuf {
        PathBuf::from(path_of(&self.copy))
    }
}

impl Trees {
    /// Copies the mounts, for a plan that needs them mapped.
    pub(super) fn of(plan: &Plan) -> Result<Option<Trees>> {
        match &plan.rootfs {
            Rootfs::Overlay(overlay) if overlay.mapped => Ok(Some(Trees {
                layers: if overlay.base == Path::new("/") {
                    None
                } else {
                    Some(Tree::copy(&overlay.base, false)?)
                },
                container: Tree::copy(&overlay.container, false)?,
                volumes: plan
                    .mounts
                    .iter()
                    .filter_map(|step| match &step.source {
                        Source::Bind { path, .. }
                            if step.volume || step.id_map && step.subpath.is_some() =>
                        {
                            Some(Tree::volume(path, step.subpath.as_deref()))
                        }
                        Source::Bind {
                            path, recursive, ..
                        } if step.id_map => Some(Tree::copy(path, *recursive)),
                        _ => None,
                    })
                    .collect::<Result<_>>()?,
            })),
            _ => Ok(None),
        }
    }

    fn both(&self) -> impl Iterator<Item = &Tree> {
        self.layers.iter().chain([&self.container])
    }

    /// Maps the owners as the user namespace of process `pid` does. Before anyone attaches them.
    pub(super) fn map(&self, pid: i32) -> Result<()> {
        let path = format!("/proc/{pid}/ns/user");
        let userns = std::fs::File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        self.both().chain(&self.volumes).try_for_each(|tree| {
            mount::map_owners(tree.copy.as_fd(), userns.as_fd())
                .map_err(|errno| refused(&tree.path, errno))
        })?;
        if KernelVersion::running() < OVERLAY_ON_MAPPED {
            return Err(refused(&self.container.path, Errno::EOPNOTSUPP));
        }
        Ok(())
    }

    /// Init, while it may still enter the store: the places where the copies will be attached.
    pub(super) fn places(&self) -> Result<Vec<OwnedFd>> {
        self.both().map(Tree::place).collect()
    }

    /// Init, with its new identity: attaches the copies to what `places` gave.
    pub(super) fn attach(&self, places: &[OwnedFd]) -> Result<()> {
        self.both()
            .zip(places)
            .try_for_each(|(tree, place)| tree.attach(place.as_fd()))
    }

    /// The copy of a volume's mount, for init to put into the container.
    pub(super) fn volume(&self, path: &Path, below: Option<&Path>) -> Option<Result<OwnedFd>> {
        let wanted = below.map_or_else(|| path.to_owned(), |below| path.join(below));
        let tree = self.volumes.iter().find(|tree| tree.path == wanted)?;
        let copy = tree.copy.try_clone();
        Some(copy.map_err(|error| Error::io("share", path, error)))
    }

    /// Where init finds what lies at `path` in the container's directory; `None` for others.
    pub(super) fn within(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.container.path).ok()?;
        Some(self.container.text().join(below))
    }

    /// The overlay as init has to mount it: every path through a mapped mount.
    pub(super) fn overlay(&self, overlay: &Overlay) -> Overlay {
        let mut found = overlay.clone();
        if let Some(layers) = &self.layers {
            found.base = layers.text();
        }
        found.container = self.container.text();
        if overlay.on_tmpfs {
            // A mount on top of the copy would not be seen through its descriptor.
            found.container.push("work");
        }
        for lower in &mut found.lowers {
            if let Some(own) = self.within(lower) {
                *lower = own;
            }
        }
        found
    }
}

fn refused(path: &Path, errno: Errno) -> Error {
    let name = file_system(path).map_or("unknown", |found| found.name());
    let error = Error::new(
        Kind::Unsupported,
        "map the owners of",
        path.display().to_string(),
    );
    match errno {
        Errno::ENOSYS | Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EPERM => error
            .because(format!(
                "Linux {} has no id-mapped mounts of {name} for overlays ({})",
                KernelVersion::running(),
                errno.desc()
            ))
            .hint(
                "--userns=auto needs Linux 5.19 and a store on a file system that can map owners \
                 (ext4, xfs, btrfs); put it there with KETCH_ROOT",
            ),
        _ => Error::errno("map the owners of", path, errno),
    }
}
