//! Into a container that does not run: its root mounted as a start would mount it, where nobody
//! but the child sees it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::mount::MsFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Tree, View, settle};
use crate::common::{Error, Kind, Mode};
use crate::engine::container::{Asked, list, plan, userns, volume};
use crate::engine::worker::Worker;
use crate::engine::{Engine, identity};
use crate::host::IdMaps;
use crate::runtime::{self, Overlay, Rootfs};
use crate::spec::config::{Mount, MountKind};
use crate::store::{ContainerEntry, ContainerRecord, Phase};
use crate::sys::mount::{self, attr};
use crate::sys::path::Root;

/// Forks a child that works there. The caller holds the container's lock.
pub(super) fn spawn<T, F>(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    view: View,
    ours: Option<OwnedFd>,
    work: F,
) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce(&Tree) -> Result<T>,
{
    let source = Source::of(engine, entry)?;
    let config = list::config(entry);
    let (mounts, read_only) = match view {
        View::Whole => (volume::as_binds(engine, config.mounts), config.read_only),
        View::Bare => (Vec::new(), false),
    };
    // With one id the payload's own number is given to it in a namespace below.
    let maps = match recorded_maps(&entry.record) {
        Some(maps) if engine.mode == Mode::Subid => maps,
        _ => engine.host.id_maps(engine.mode)?,
    };
    let mode = engine.mode;
    identity::apart(engine, &maps, ours, || {
        settle();
        let root = source.open()?;
        for mount in &mounts {
            attach(&root, mount)?;
        }
        if read_only {
            mount::set_attributes(root.as_fd(), attr::RDONLY, MsFlags::empty(), false)
                .map_err(|errno| Error::errno("make read-only", "/", errno))?;
        }
        work(&Tree { root, mode })
    })
}

/// Where the root of a container comes from.
#[derive(Debug)]
pub(in crate::engine::container) enum Source {
    Directory(PathBuf),
    Overlay(Box<Overlay>),
}

impl Source {
    /// Of a container that does not run.
    ///
    /// # Errors
    /// `Unsupported` for a container whose files were in memory; `NotFound` for one whose
    /// layers are not here.
    pub(in crate::engine::container) fn of(
        engine: &Engine<'_>,
        entry: &ContainerEntry,
    ) -> Result<Source> {
        let record = &entry.record;
        if record.mode != engine.mode {
            return Err(other_mode(record));
        }
        match &record.rootfs {
            Some(path) if path == Path::new("/") => {
                Err(Error::new(Kind::Unsupported, "open files of", &record.name)
                    .because(
                        "what a container of the host's own root writes is gone at its end"
                            .to_owned(),
                    )
                    .into())
            }
            Some(path) => Ok(Source::Directory(path.clone())),
            None => Ok(match entry.dir.copy() {
                Some(copy) => Source::Directory(copy),
                None => Source::Overlay(Box::new(overlay(engine, entry)?)),
            }),
        }
    }

    /// Mounts it in this process's mount namespace.
    pub(in crate::engine::container) fn open(&self) -> Result<Root> {
        let path = match self {
            Source::Directory(path) => {
                mount::bind_onto_itself(path)
                    .map_err(|errno| Error::errno("bind root file system", path, errno))?;
                path.clone()
            }
            Source::Overlay(overlay) => runtime::mount_stopped(overlay)?,
        };
        Ok(Root::open(&path)?)
    }
}

fn other_mode(record: &ContainerRecord) -> anyhow::Error {
    Error::new(Kind::Unsupported, "open files of", &record.name)
        .because(format!("it was made in identity mode {}", record.mode))
        .hint(format!("set KETCH_IDENTITY={}", record.mode))
        .into()
}

/// Its overlay as a start mounts it, but kept across a crash, and without a map: a container with
/// ids of its own has its files owned by the ids that it sees.
fn overlay(engine: &Engine<'_>, entry: &ContainerEntry) -> Result<Overlay> {
    let record = &entry.record;
    let missing = record
        .layers
        .iter()
        .find(|layer| !engine.store.layers().has(layer));
    if let Some(layer) = missing {
        return Err(Error::new(Kind::NotFound, "find layer", layer.to_string())
            .hint("run: ketch system check --repair")
            .into());
    }
    let Rootfs::Overlay(mut overlay) =
        plan::rootfs(engine, record, &Asked::of(record)?, &entry.dir)?
    else {
        return Err(Error::new(Kind::Bug, "open files of", &record.name).into());
    };
    overlay.shown = match entry.dir.phase()? {
        None => false,
        Some(Phase::Ended(exit)) => exit.started.is_some(),
        Some(Phase::Started(_)) => true,
    };
    (overlay.volatile, overlay.mapped) = (false, false);
    Ok(overlay)
}

/// The id maps that a container was made with; `None` for one without a user namespace.
pub(in crate::engine::container) fn recorded_maps(record: &ContainerRecord) -> Option<IdMaps> {
    userns::from_json(record.asked.get("maps")?)
}

/// Whether it is a root's container with ids of its own.
pub(in crate::engine::container) fn has_own_ids(record: &ContainerRecord) -> bool {
    record.mode == Mode::Root && record.asked.get("maps").is_some_and(|maps| !maps.is_null())
}

/// Puts a bind mount where the container would have it.
fn attach(root: &Root, mount: &Mount) -> Result<()> {
    let MountKind::Bind { source, options } = &mount.kind else {
        return Ok(());
    };
    if options.overlay {
        return Ok(());
    }
    let failed = |errno| Error::errno("bind", source, errno);
    let path = Path::new(source);
    let tree = match mount::clone_tree(AT_FDCWD, path, !options.non_recursive) {
        // A start would say so, or make it.
        Err(Errno::ENOENT) => return Ok(()),
        // Mounts below it that this user may not lay bare.
        Err(Errno::EINVAL) => mount::clone_tree(AT_FDCWD, path, true).map_err(failed)?,
        other => other.map_err(failed)?,
    };
    if mount.read_only {
        mount::set_attributes(tree.as_fd(), attr::RDONLY, MsFlags::empty(), true)
            .map_err(failed)?;
    }
    let facts = nix::sys::stat::fstat(&tree).map_err(failed)?;
    let target = match crate::sys::node::is_dir(&facts) {
        true => root.make_dirs(&mount.target, 0o755)?,
        false => root.make_file(&mount.target, 0o644)?,
    };
    Ok(mount::attach(tree.as_fd(), target.as_fd()).map_err(failed)?)
}
