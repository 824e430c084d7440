//! A tree that files are copied from, and what of it is wanted.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, SFlag};

use crate::build::context::ignore::Ignore;
use crate::build::context::pattern::{Inherited, Patterns};
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::path::{Links, Root};

/// Levels of directories, of which each costs descriptors.
pub(super) const DEPTH_MAX: usize = 400;

/// What says whose a tree's files are, and of which type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// All are root's: a context.
    Root,
    /// The files themselves.
    Disk,
    /// They do, but for those whose attributes say something else: devices of mode `subid`.
    DiskOrMark,
    /// Their attributes; root without (mode `single`).
    Mark,
}

impl Owners {
    /// Those of a layer.
    pub(crate) fn of(mode: Mode) -> Owners {
        match mode {
            Mode::Root => Owners::Disk,
            Mode::Subid => Owners::DiskOrMark,
            Mode::Single => Owners::Mark,
        }
    }

    /// Whether attributes count.
    pub(super) fn has_marks(self) -> bool {
        matches!(self, Owners::DiskOrMark | Owners::Mark)
    }
}

/// A tree of files: a context, or the root of a stage.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Its top.
    pub(crate) root: Root,
    /// What is no part of it.
    pub(crate) ignore: Ignore,
    /// Whose its files are.
    pub(crate) owners: Owners,
}

impl Tree {
    /// A context: what is in a directory, but for what is ignored.
    pub(crate) fn context(root: Root, ignore: Ignore) -> Tree {
        Tree {
            root,
            ignore,
            owners: Owners::Root,
        }
    }

    /// Opens a directory by its path below the top, in which no part may be a link.
    pub(super) fn open_dir(&self, path: &[u8]) -> Result<OwnedFd> {
        let path = Path::new(OsStr::from_bytes(path));
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        self.root
            .lookup(path, flags, Links::Refuse)
            .map_err(|errno| Error::errno("open directory", path, errno))
    }
}

/// Path of a name in a directory.
pub(super) fn join(dir: &[u8], name: &OsStr) -> Vec<u8> {
    match dir {
        b"" => name.as_bytes().to_vec(),
        dir => [dir, b"/", name.as_bytes()].concat(),
    }
}

/// A path for errors.
pub(super) fn show(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

/// The type part of a mode.
pub(super) fn kind(facts: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits())
}

/// Which names below a source are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter<'a> {
    pub(super) ignore: &'a Ignore,
    /// Of paths below the source.
    pub(super) excludes: &'a Patterns,
    /// Of paths below the source; all without.
    pub(super) includes: Option<&'a Patterns>,
}

/// A directory on the way through a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// Its path below the tree's top, and below the source.
    pub(super) path: Vec<u8>,
    pub(super) below: Vec<u8>,
    ignored: Inherited,
    excluded: Inherited,
    included: Inherited,
    pub(super) depth: usize,
}

/// What happens to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Skip,
    /// It is taken.
    Take,
    /// It is a directory that is taken if something in it is.
    Look,
}

impl Filter<'_> {
    /// The source itself; `None` when it is hidden with everything in it.
    pub(super) fn top(&self, path: &[u8], directory: bool) -> Option<Level> {
        let mut level = Level {
            path: path.to_vec(),
            ..Level::default()
        };
        let hidden = self.ignore.hides_below(path, &mut level.ignored);
        let open = directory && self.ignore.has_exceptions_below(path);
        (!hidden || open).then_some(level)
    }

    /// A name in a directory, with the level that it opens when it is one.
    pub(super) fn judge(
        &self,
        level: &Level,
        name: &OsStr,
        directory: bool,
    ) -> (Verdict, Option<Level>) {
        let path = join(&level.path, name);
        let below = match self.excludes.is_empty() && self.includes.is_none() {
            true => Vec::new(),
            false => join(&level.below, name),
        };
        if !directory {
            let taken = !self.ignore.hides(&path, &level.ignored, None)
                && !self.excludes.matches(&below, &level.excluded, None)
                && self
                    .includes
                    .is_none_or(|list| list.matches(&below, &level.included, None));
            let verdict = if taken { Verdict::Take } else { Verdict::Skip };
            return (verdict, None);
        }
        let mut own = Level {
            depth: level.depth + 1,
            ..Level::default()
        };
        let ignored = self
            .ignore
            .hides(&path, &level.ignored, Some(&mut own.ignored));
        let excluded = self
            .excludes
            .matches(&below, &level.excluded, Some(&mut own.excluded));
        let missed = self
            .includes
            .is_some_and(|list| !list.matches(&below, &level.included, Some(&mut own.included)));
        let closed = ignored && !self.ignore.has_exceptions_below(&path)
            || excluded && !self.excludes.has_exceptions_below(&below)
            || missed
                && self
                    .includes
                    .is_some_and(|list| !list.may_match_below(&below));
        if closed {
            return (Verdict::Skip, None);
        }
        (own.path, own.below) = (path, below);
        match ignored || excluded || missed {
            true => (Verdict::Look, Some(own)),
            false => (Verdict::Take, Some(own)),
        }
    }
}

/// A name that is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: std::ffi::OsString,
    pub(super) facts: FileStat,
    pub(super) verdict: Verdict,
    /// Of a directory.
    pub(super) level: Option<Level>,
}

/// The wanted names of a directory in the order of their bytes. Sockets are no files.
pub(super) fn wanted(
    dir: BorrowedFd<'_>,
    level: &Level,
    filter: &Filter<'_>,
) -> Result<Vec<Wanted>> {
    if level.depth >= DEPTH_MAX {
        return Err(Error::new(Kind::Unsupported, "read", show(&level.path))
            .because(format!("more than {DEPTH_MAX} levels of directories")));
    }
    let names = node::names(dir)
        .map_err(|errno| Error::errno("read directory", show(&level.path), errno))?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let facts = match node::stat_at(dir, &name) {
            // Removed meanwhile.
            Err(Errno::ENOENT) => continue,
            other => other
                .map_err(|errno| Error::errno("stat", show(&join(&level.path, &name)), errno))?,
        };
        if kind(&facts) == SFlag::S_IFSOCK {
            continue;
        }
        let (verdict, level) = filter.judge(level, &name, node::is_dir(&facts));
        if verdict != Verdict::Skip {
            found.push(Wanted {
                name,
                facts,
                verdict,
                level,
            });
        }
    }
    Ok(found)
}

/// Opens a directory that was found as a name of another.
pub(super) fn open_below(dir: BorrowedFd<'_>, wanted: &Wanted, level: &Level) -> Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mode = nix::sys::stat::Mode::empty();
    nix::fcntl::openat(dir.as_fd(), wanted.name.as_os_str(), flags, mode)
        .map_err(|errno| Error::errno("open directory", show(&level.path), errno))
}
