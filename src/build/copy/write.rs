//! Writing a selection into a layer.
//!
//! Runs in the child of a step, in whose mount namespace the layer lies on its parents. Every
//! object is made by one name in an open directory; what it replaces is removed, never written
//! through.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat, futimens, mkdirat};
use nix::sys::time::TimeSpec;
use nix::unistd::{UnlinkatFlags, getegid, geteuid, unlinkat};

use super::attributes::{self, Attributes};
use super::chmod::Chmod;
use super::crew::Crew;
use super::digest::split;
use super::dress::{Looks, owner_failed, set_times};
use super::object::{Links, New, create, is_plain, open_file};
use super::place::{Place, destination, open_dir};
use super::select::{Item, Selection};
use super::tree::{Filter, Level, Owners, Verdict, Wanted, kind, open_below, show, wanted};
use crate::archive::{self, PlaceOptions, PlacedOwner, Spot};
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::path::Root;
use crate::sys::tree::remove_at;

/// Where a copy is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The root of the layer on its parents.
    pub(crate) root: &'a Root,
    /// Which owners and types can be made.
    pub(crate) mode: Mode,
}

/// How it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteOptions {
    /// Absolute; one that ends in `/` is a directory.
    pub(crate) destination: String,
    /// Whose everything becomes.
    pub(crate) chown: Option<(u32, u32)>,
    /// What modes become.
    pub(crate) chmod: Option<Chmod>,
    /// Local archives are unpacked.
    pub(crate) unpack: bool,
    /// Files take the place of directories and the other way round (`--link`).
    pub(crate) replace: bool,
    /// Time of what no source has, in seconds.
    pub(crate) epoch: Option<i64>,
}

/// A file whose content is at hand.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its name.
    pub(crate) name: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
    /// Permissions.
    pub(crate) mode: u32,
    /// Modification time in seconds; now without.
    pub(crate) modified: Option<i64>,
}

/// Writes selections and documents to one destination.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(super) target: Target<'a>,
    pub(super) options: &'a WriteOptions,
    /// Links to nothing that were completed.
    pub(super) links: usize,
    /// For the content of small files.
    pub(super) buffer: Vec<u8>,
    pub(super) shared: Arc<Shared>,
    /// Owners of what cannot carry them, by path.
    pub(super) owners: Vec<(PathBuf, String)>,
}

/// What the threads of a copy share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) links: Links,
    /// Whose the files are that are made here.
    pub(super) writer: (u32, u32),
    crew: Crew,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            links: Links::default(),
            writer: (geteuid().as_raw(), getegid().as_raw()),
            crew: Crew::default(),
        }
    }
}

/// A directory that is written into.
#[derive(Debug, Clone, Copy)]
struct Within<'a> {
    dir: &'a OwnedFd,
    path: &'a Path,
    /// It was made just now: nothing is in the way in it.
    fresh: bool,
}

impl<'a> Writer<'a> {
    /// Begins.
    pub(crate) fn new(target: Target<'a>, options: &'a WriteOptions) -> Writer<'a> {
        Writer::beside(target, options, Arc::default())
    }

    fn beside(target: Target<'a>, options: &'a WriteOptions, shared: Arc<Shared>) -> Writer<'a> {
        Writer {
            target,
            options,
            links: 0,
            buffer: Vec::new(),
            shared,
            owners: Vec::new(),
        }
    }

    /// Owners of what cannot carry them itself, by path below the top.
    pub(crate) fn finish(self) -> Vec<(PathBuf, String)> {
        self.owners
    }

    /// Copies everything that is selected. `several`: there is more than this one source.
    ///
    /// # Errors
    /// `Conflict` where a directory and a file would replace each other; what reading or writing
    /// gave.
    pub(crate) fn write(&mut self, selection: &Selection<'_>, several: bool) -> Result<()> {
        for item in &selection.items {
            let several = several || selection.items.len() > 1;
            self.item(selection, item, several)?;
        }
        Ok(())
    }

    fn item(&mut self, selection: &Selection<'_>, item: &Item, several: bool) -> Result<()> {
        let filter = selection.filter(item);
        let directory = node::is_dir(&item.facts);
        let (path, as_directory) = destination(&self.options.destination);
        let Some(level) = filter.top(&item.path, directory) else {
            return Ok(());
        };
        if directory {
            let from = selection.tree.open_dir(&item.path)?;
            let to = self.make_dirs(&path)?;
            let into = Within {
                dir: &to,
                path: &path,
                fresh: false,
            };
            self.contents(selection, from.as_fd(), into, &level, &filter)?;
            let facts = fstat(&from).map_err(|e| failed("stat", &path, e))?;
            return set_times(&to, &facts).map_err(|e| failed("set times of", &path, e));
        }
        let (upper, name) = split(&item.path);
        let dir = selection.tree.open_dir(upper)?;
        let name = OsStr::from_bytes(name);
        if self.options.unpack
            && kind(&item.facts) == SFlag::S_IFREG
            && self.unpack(dir.as_fd(), name, &path)?
        {
            return Ok(());
        }
        let (parent, at, new) = self.name(&path, as_directory, &item.name, several)?;
        let whole = at.join(&new);
        self.clear(parent.as_fd(), &new, false, &whole)?;
        let made = New {
            dir: parent.as_fd(),
            name: &new,
            path: &whole,
            plain: is_plain(&parent),
        };
        let owners = selection.tree.owners;
        self.object((dir.as_fd(), name), &item.facts, made, owners)
    }

    /// The name that a file gets.
    fn name(
        &mut self,
        path: &Path,
        directory: bool,
        own: &[u8],
        several: bool,
    ) -> Result<(OwnedFd, PathBuf, OsString)> {
        match self.find(path, directory)? {
            Place::Dir(dir, at) => Ok((dir, at, OsStr::from_bytes(own).to_owned())),
            Place::Name(..) if several => Err(Error::usage(
                "copy to",
                &self.options.destination,
                "with more than one source file the destination must be a directory and end with a /",
            )),
            Place::Name(parent, at, name) => Ok((parent, at, name)),
        }
    }

    /// Writes a file whose content is at hand.
    ///
    /// # Errors
    /// As [`write`](Writer::write).
    pub(crate) fn document(&mut self, document: &Document, several: bool) -> Result<()> {
        let (path, directory) = destination(&self.options.destination);
        let name = document.name.as_bytes();
        let (parent, at, new) = self.name(&path, directory, name, several)?;
        let whole = at.join(&new);
        self.clear(parent.as_fd(), &new, false, &whole)?;
        let mut file =
            create(parent.as_fd(), &new, 0o600).map_err(|e| failed("create", &whole, e))?;
        file.write_all(&document.bytes)
            .map_err(|error| Error::io("write", &whole, error))?;
        let mode = match &self.options.chmod {
            Some(chmod) => chmod.apply(document.mode, false),
            None => document.mode,
        };
        let owner = self.options.chown.unwrap_or((0, 0));
        self.own(&file, owner, mode, SFlag::S_IFREG, 0)
            .map_err(|e| owner_failed(&whole, owner, e))?;
        let time = match document.modified.or(self.options.epoch) {
            Some(seconds) => TimeSpec::new(seconds, 0),
            None => TimeSpec::UTIME_NOW,
        };
        futimens(&file, &time, &time).map_err(|e| failed("set times of", &whole, e))
    }

    /// Unpacks a file if it is an archive.
    fn unpack(&mut self, dir: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<bool> {
        let open = || open_file(dir, name).map_err(|e| failed("open", Path::new(name), e));
        if !archive::is_archive(open()?.0) {
            return Ok(false);
        }
        let to = self.make_dirs(path)?;
        let (file, _) = open()?;
        let options = PlaceOptions {
            mode: self.target.mode,
            owner: match self.options.chown {
                Some((uid, gid)) => PlacedOwner::Fixed(uid, gid),
                None => PlacedOwner::Entry,
            },
            overwrite: true,
            rename: None,
        };
        let spot = Spot {
            dir: to,
            within: Some((self.target.root, path.to_owned())),
        };
        let tar = archive::decompress(file).map_err(|error| Error::io("unpack", name, error))?;
        let tar = std::io::BufReader::with_capacity(256 << 10, tar);
        archive::place(tar, spot, &options)?;
        Ok(true)
    }

    /// Copies what a directory holds.
    fn contents(
        &mut self,
        selection: &Selection<'_>,
        from: BorrowedFd<'_>,
        into: Within<'_>,
        level: &Level,
        filter: &Filter<'_>,
    ) -> Result<()> {
        let names = wanted(from, level, filter)?;
        let (target, options, shared) = (self.target, self.options, Arc::clone(&self.shared));
        let plain = is_plain(into.dir);
        let begin = || Writer::beside(target, options, Arc::clone(&shared));
        let others = shared.crew.share(names.len(), self, begin, |writer, at| {
            writer.one(selection, from, (into, plain), &names[at], filter)
        })?;
        self.owners
            .extend(others.into_iter().flat_map(Writer::finish));
        Ok(())
    }

    /// Copies one name of a directory.
    fn one(
        &mut self,
        selection: &Selection<'_>,
        from: BorrowedFd<'_>,
        (into, plain): (Within<'_>, bool),
        name: &Wanted,
        filter: &Filter<'_>,
    ) -> Result<()> {
        let owners = selection.tree.owners;
        let path = into.path.join(&name.name);
        let Some(own) = &name.level else {
            if !into.fresh {
                self.clear(into.dir.as_fd(), &name.name, false, &path)?;
            }
            let made = New {
                dir: into.dir.as_fd(),
                name: &name.name,
                path: &path,
                plain,
            };
            return self.object((from, &name.name), &name.facts, made, owners);
        };
        let source = open_below(from, name, own)?;
        if name.verdict == Verdict::Look && !has_wanted(source.as_fd(), own, filter)? {
            return Ok(());
        }
        let (target, fresh) = self.directory(into, name, &path)?;
        let below = Within {
            dir: &target,
            path: &path,
            fresh,
        };
        self.contents(selection, source.as_fd(), below, own, filter)?;
        let attributes = attributes::read(&source, owners);
        let looks = self.looks(&name.facts, &attributes, owners);
        self.finish_like(&target, &path, &looks, false)
    }

    /// Opens the directory of a name, made when missing; whether it was made.
    fn directory(&self, into: Within<'_>, name: &Wanted, path: &Path) -> Result<(OwnedFd, bool)> {
        let to = into.dir.as_fd();
        if !into.fresh {
            self.clear(to, &name.name, true, path)?;
        }
        let fresh = match mkdirat(to, name.name.as_os_str(), Permissions::S_IRWXU) {
            Ok(()) => true,
            Err(Errno::EEXIST) => false,
            Err(errno) => return Err(failed("make directory", path, errno)),
        };
        let dir = open_dir(to, &name.name).map_err(|e| failed("open directory", path, e))?;
        Ok((dir, fresh))
    }

    /// Removes what a new object replaces.
    fn clear(&self, to: BorrowedFd<'_>, name: &OsStr, directory: bool, path: &Path) -> Result<()> {
        let facts = match node::stat_at(to, name) {
            Err(Errno::ENOENT) => return Ok(()),
            other => other.map_err(|e| failed("stat", path, e))?,
        };
        match (node::is_dir(&facts), directory) {
            (true, true) => Ok(()),
            (true, false) if self.options.replace => remove_at(to, Path::new(name)),
            (true, false) => Err(conflict(path, "cannot replace to directory with file")),
            (false, true) if !self.options.replace => {
                Err(conflict(path, "cannot copy to non-directory"))
            }
            (false, _) => unlinkat(to, name, UnlinkatFlags::NoRemoveDir)
                .map_err(|e| failed("replace", path, e)),
        }
    }

    pub(super) fn looks<'l>(
        &self,
        facts: &'l FileStat,
        attributes: &'l Attributes,
        owners: Owners,
    ) -> Looks<'l> {
        let own = attributes.owner(facts, owners);
        let mode = attributes.mode(facts);
        Looks {
            owner: self.options.chown.unwrap_or(own),
            mode: match &self.options.chmod {
                Some(chmod) => chmod.apply(mode, node::is_dir(facts)),
                None => mode,
            },
            facts,
            attributes,
        }
    }
}

/// Whether something in a directory is wanted.
fn has_wanted(dir: BorrowedFd<'_>, level: &Level, filter: &Filter<'_>) -> Result<bool> {
    for name in wanted(dir, level, filter)? {
        if name.verdict == Verdict::Take {
            return Ok(true);
        }
        if let Some(own) = &name.level {
            let below = open_below(dir, &name, own)?;
            if has_wanted(below.as_fd(), own, filter)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

pub(super) fn failed(operation: &str, path: &Path, errno: Errno) -> Error {
    Error::errno(operation, path, errno)
}

fn conflict(path: &Path, why: &str) -> Error {
    Error::new(
        Kind::Conflict,
        "copy to",
        show(&path.as_os_str().as_bytes()[1..]),
    )
    .because(why)
}
