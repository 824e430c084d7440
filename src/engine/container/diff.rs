//! `diff`: what a container, or the last layer of an image, changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat};
use serde::{Deserialize, Serialize};

use super::inside::has_own_ids;
use super::list;
use super::lower::Lower;
use crate::common::{Error, Kind, Mode};
use crate::engine::image;
use crate::engine::{Engine, identity};
use crate::store::ContainerEntry;
use crate::sys::{file, node, xattr};

/// Levels of directories, two descriptors each.
const DEPTH_MAX: usize = 400;

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// It is new.
    Added,
    /// It is another, or its mode, owner or times are.
    Changed,
    /// It is gone.
    Deleted,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// How.
    pub(crate) change: Change,
    /// Absolute path in the container.
    pub(crate) path: PathBuf,
}

/// What a container changed of its image; with `images`, also what the last layer of an image
/// changed of those below it. In the order of paths.
///
/// # Errors
/// `NotFound` for an unknown name, `Unsupported` for a container of a plain directory.
pub(crate) fn diff(engine: &Engine<'_>, name: &str, images: bool) -> Result<Vec<Difference>> {
    let entry = match engine.store.containers().find(name) {
        Ok(dir) => dir.entry()?,
        Err(error) if images && error.kind() == Kind::NotFound => {
            let record = image::find(&engine.store, name)?.record;
            let paths = record.layers.iter().rev();
            let mut paths: Vec<PathBuf> = paths
                .map(|layer| engine.store.layers().path(layer))
                .collect();
            if paths.is_empty() {
                return Ok(Vec::new());
            }
            let upper = paths.remove(0);
            return identity::as_owner(engine, || {
                let lower = Lower::new(engine, paths.into_iter());
                let walk = Walk::new(lower, family(engine.mode), BTreeSet::new());
                Ok(walk.run(&upper)?.0)
            });
        }
        Err(error) => return Err(error.into()),
    };
    identity::as_owner(engine, || Ok(of_container(engine, &entry)?.0))
}

/// The changes of a container, and the paths that ketch itself made for its mounts.
pub(super) fn of_container(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
) -> Result<(Vec<Difference>, BTreeSet<PathBuf>)> {
    let record = &entry.record;
    if record.rootfs.is_some() {
        return Err(
            Error::new(Kind::Unsupported, "list changes of", &record.name)
                .because("its root is a plain directory, without a layer of its own".to_owned())
                .into(),
        );
    }
    let layers = engine.store.layers();
    let mut paths: Vec<PathBuf> = record.layers.iter().rev().map(|l| layers.path(l)).collect();
    paths.extend(layers.places().map(|name| layers.dir().join(name)));
    let lower = Lower::new(engine, paths.into_iter());
    let family = match has_own_ids(record) {
        true => "user",
        false => family(engine.mode),
    };
    let mut walk = Walk::new(lower, family, targets(entry));
    walk.folders = image::stack::of(&engine.store, &record.layers)
        .folders
        .into_iter()
        .map(|folder| {
            let source = layers.path(&folder.from).join(&folder.path);
            (PathBuf::from(folder.path), source)
        })
        .collect();
    match entry.dir.copy() {
        Some(copy) => {
            walk.whole = true;
            walk.run(&copy)
        }
        None => walk.run(&entry.dir.upper()),
    }
}

fn family(mode: Mode) -> &'static str {
    match mode {
        Mode::Root => "trusted",
        Mode::Subid | Mode::Single => "user",
    }
}

/// Paths below the root that something is mounted at.
fn targets(entry: &ContainerEntry) -> BTreeSet<PathBuf> {
    let spec = file::read_bounded(&entry.dir.path().join("config.json"), 4 << 20)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let of_spec = spec
        .as_ref()
        .and_then(|spec| spec.get("mounts")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|mount| mount.get("destination")?.as_str().map(str::to_owned));
    let asked = list::config(entry).mounts.into_iter().map(|m| m.target);
    let own = ["/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname"].map(str::to_owned);
    of_spec
        .chain(asked)
        .chain(own)
        .chain(["/etc/resolv.conf".to_owned()])
        .map(|path| PathBuf::from(path.trim_matches('/')))
        .collect()
}

struct Walk {
    lower: Lower,
    family: &'static str,
    targets: BTreeSet<PathBuf>,
    /// Directories in the upper one that a start made, and what they look like.
    folders: BTreeMap<PathBuf, PathBuf>,
    /// The upper one holds everything, what was not changed too.
    whole: bool,
    found: Vec<Difference>,
    hidden: BTreeSet<PathBuf>,
}

impl Walk {
    fn new(lower: Lower, family: &'static str, targets: BTreeSet<PathBuf>) -> Walk {
        Walk {
            lower,
            family,
            targets,
            folders: BTreeMap::new(),
            whole: false,
            found: Vec::new(),
            hidden: BTreeSet::new(),
        }
    }

    fn run(mut self, upper: &Path) -> Result<(Vec<Difference>, BTreeSet<PathBuf>)> {
        let failed = |errno| Error::errno("list", upper, errno);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let top = nix::fcntl::open(upper, flags, Permissions::empty()).map_err(failed)?;
        if self.whole {
            self.deleted_below(top.as_fd(), Path::new(""))
                .map_err(failed)?;
        }
        self.level(top.as_fd(), Path::new(""), 0).map_err(failed)?;
        self.add_parents();
        self.found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok((self.found, self.hidden))
    }

    /// docker: a directory in which something came or went is changed, whatever its times say.
    fn add_parents(&mut self) {
        let known: BTreeSet<PathBuf> = self.found.iter().map(|found| found.path.clone()).collect();
        let touched: BTreeSet<PathBuf> = self
            .found
            .iter()
            .filter(|found| found.change != Change::Changed)
            .filter_map(|found| found.path.parent().map(Path::to_owned))
            .filter(|parent| parent != Path::new("/") && !known.contains(parent))
            .collect();
        for path in touched {
            self.found.push(Difference {
                change: Change::Changed,
                path,
            });
        }
    }

    fn push(&mut self, change: Change, path: &Path) {
        self.found.push(Difference {
            change,
            path: Path::new("/").join(path),
        });
    }

    /// Whether anything is in the directory, and whether all of it was made for mounts.
    fn level(&mut self, dir: BorrowedFd<'_>, at: &Path, depth: usize) -> nix::Result<(bool, bool)> {
        if depth >= DEPTH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let names = node::names(dir)?;
        let mut ours = true;
        for name in &names {
            let path = at.join(name);
            match node::stat_at(dir, name) {
                Err(Errno::ENOENT) => {}
                Err(errno) => return Err(errno),
                Ok(facts) => ours &= self.one(dir, name, &facts, &path, depth)?,
            }
        }
        Ok((!names.is_empty(), ours))
    }

    fn one(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        facts: &FileStat,
        path: &Path,
        depth: usize,
    ) -> nix::Result<bool> {
        let before = self.lower.find(path);
        if node::is_whiteout(facts) || self.is_marked(parent, name, facts) {
            if before.is_some() {
                self.push(Change::Deleted, path);
            }
            return Ok(false);
        }
        let folder = node::is_dir(facts);
        if before.is_none() && self.targets.contains(path) && (folder || facts.st_size == 0) {
            self.hidden.insert(path.to_owned());
            return Ok(true);
        }
        let (mut ours, mut full) = (false, true);
        if folder && let Some(dir) = open_dir(parent, name)? {
            let opaque = xattr::fget(&dir, self.attribute("opaque").as_bytes());
            let was_dir = before.as_ref().is_some_and(|facts| facts.is_dir());
            let hides = self.whole || matches!(opaque, Ok(Some(value)) if value == b"y");
            if hides && was_dir {
                self.deleted_below(dir.as_fd(), path)?;
            }
            let all;
            (full, all) = self.level(dir.as_fd(), path, depth + 1)?;
            ours = full && all && self.leads_to_target(path);
        }
        match before {
            None if ours => drop(self.hidden.insert(path.to_owned())),
            None => self.push(Change::Added, path),
            Some(before) if folder && before.is_dir() => {
                let before = self.shown(path).unwrap_or(before);
                let same = same_dir(facts, &before, ours);
                if same && (ours || !full) {
                    self.hidden.insert(path.to_owned());
                } else if !same {
                    self.push(Change::Changed, path);
                }
            }
            Some(before) if self.whole && same_file(facts, &before) => {}
            Some(_) => self.push(Change::Changed, path),
        }
        Ok(ours)
    }

    /// Facts of a directory that a start shows as another layer describes it.
    fn shown(&self, path: &Path) -> Option<std::fs::Metadata> {
        self.folders.get(path)?.symlink_metadata().ok()
    }

    fn leads_to_target(&self, path: &Path) -> bool {
        self.targets.iter().any(|target| target.starts_with(path))
    }

    /// What a directory that hides those below it does not have again.
    fn deleted_below(&mut self, dir: BorrowedFd<'_>, path: &Path) -> nix::Result<()> {
        let here: BTreeSet<OsString> = node::names(dir)?.into_iter().collect();
        for name in self.lower.names(path).difference(&here) {
            self.push(Change::Deleted, &path.join(name));
        }
        Ok(())
    }

    fn attribute(&self, what: &str) -> String {
        format!("{}.overlay.{what}", self.family)
    }

    /// An empty file that stands for a deleted name.
    fn is_marked(&self, parent: BorrowedFd<'_>, name: &OsStr, facts: &FileStat) -> bool {
        let regular = facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
        if !regular || facts.st_size != 0 {
            return false;
        }
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let Ok(file) = openat(parent, name, flags, Permissions::empty()) else {
            return false;
        };
        let mark = xattr::fget(&file, self.attribute("whiteout").as_bytes());
        matches!(mark, Ok(Some(_)))
    }
}

/// Whether a directory that was copied up differs in nothing that counts; making a mount point
/// in it changes its times.
fn same_dir(now: &FileStat, before: &std::fs::Metadata, ours: bool) -> bool {
    let owner = (now.st_uid, now.st_gid) == (before.uid(), before.gid());
    let mode = now.st_mode & 0o7777 == before.mode() & 0o7777;
    let time = (now.st_mtime, now.st_mtime_nsec) == (before.mtime(), before.mtime_nsec());
    owner && mode && (time || ours)
}

/// Whether a file is the copy of one that was not changed since.
fn same_file(now: &FileStat, before: &std::fs::Metadata) -> bool {
    let what = (now.st_mode, now.st_size) == (before.mode(), before.size() as i64);
    let owner = (now.st_uid, now.st_gid) == (before.uid(), before.gid());
    let time = (now.st_mtime, now.st_mtime_nsec) == (before.mtime(), before.mtime_nsec());
    what && owner && time
}

/// The directory; `None` when it is one no more.
fn open_dir(parent: BorrowedFd<'_>, name: &OsStr) -> nix::Result<Option<OwnedFd>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match openat(parent, name, flags, Permissions::empty()) {
        Ok(dir) => fstat(&dir).map(|_| Some(dir)),
        Err(Errno::ENOENT | Errno::ELOOP | Errno::ENOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}
