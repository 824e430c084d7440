//! Into a container that does not run: its root mounted as a start would mount it, where nobody
//! but the child sees it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Tree, View, settle};
use crate::common::{Error, Kind, Mode};
use crate::engine::container::{list, userns};
use crate::engine::image::stack;
use crate::engine::worker::{self, Where, Worker};
use crate::engine::{Engine, identity};
use crate::runtime::{self, Overlay};
use crate::spec::config::{Mount, MountKind};
use crate::store::{ContainerEntry, ContainerRecord, Phase};
use crate::sys::mount::{self, attr};
use crate::sys::path::Root;
use crate::sys::{credentials, namespace};

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
        View::Whole => (config.mounts, config.read_only),
        View::Bare => (Vec::new(), false),
    };
    // With one id the payload's own number is given to it in a namespace below.
    let maps = match userns::recorded(&entry.record.asked) {
        Some(maps) if engine.mode == Mode::Subid => maps,
        _ => engine.host.id_maps(engine.mode)?,
    };
    let place = Where {
        namespaces: match engine.mode {
            Mode::Root => CloneFlags::CLONE_NEWNS,
            _ => CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER,
        },
        maps: (engine.mode == Mode::Subid).then_some(&maps),
        ours,
    };
    let mode = engine.mode;
    worker::spawn(engine, place, |tie| {
        match mode {
            Mode::Root => {}
            Mode::Subid => identity::become_owner()?,
            Mode::Single => {
                namespace::write_maps("self", &maps.uids, &maps.gids, true)?;
                credentials::set_ids(0, 0)?;
            }
        }
        tie.tighten()?;
        settle();
        mount::set_propagation("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)
            .map_err(|errno| Error::errno("cut mount propagation of", "/", errno))?;
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
    Overlay { overlay: Overlay, fresh: bool },
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
            None => {
                let fresh = match entry.dir.phase()? {
                    None => true,
                    Some(Phase::Ended(exit)) => exit.started.is_none(),
                    Some(Phase::Started(_)) => false,
                };
                let overlay = overlay(engine, entry, fresh)?;
                Ok(Source::Overlay { overlay, fresh })
            }
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
            Source::Overlay { overlay, fresh } => runtime::mount_stopped(overlay, *fresh)?,
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

fn overlay(engine: &Engine<'_>, entry: &ContainerEntry, fresh: bool) -> Result<Overlay> {
    let record = &entry.record;
    let layers = engine.store.layers();
    let look = || stack::of(&engine.store, &record.layers);
    // Only a first mount has directories to look at, which may be another id's.
    let stack = match fresh {
        true => identity::as_owner(engine, || Ok(look()))?,
        false => look(),
    };
    let mut lowers: Vec<PathBuf> = Vec::new();
    for layer in record.layers.iter().skip(stack.hidden).rev() {
        if !layers.has(layer) {
            return Err(Error::new(Kind::NotFound, "find layer", layer.to_string())
                .hint("run: ketch system check --repair")
                .into());
        }
        let name = PathBuf::from(layer.hex());
        if !lowers.contains(&name) {
            lowers.push(name);
        }
    }
    lowers.extend(layers.places());
    let folders = stack.folders.iter().map(|folder| {
        let path = PathBuf::from(&folder.path);
        let source = Path::new(&folder.from.hex()).join(&path);
        (path, source)
    });
    Ok(Overlay {
        base: layers.dir(),
        lowers,
        folders: folders.collect(),
        container: entry.dir.path().to_owned(),
        on_tmpfs: false,
        volatile: false,
        // A container with ids of its own has its marks in this family; its files belong to the
        // ids that it sees, so that root needs no map to work on them.
        userxattr: engine.mode != Mode::Root || has_own_ids(record),
        mapped: false,
    })
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
