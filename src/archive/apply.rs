//! Puts entries onto a directory: where an entry goes, what stands in its way, and the work
//! that has to wait for the end.
//!
//! Directories are made 0700 and get their mode and times last: an ordinary user can then
//! unpack below directories that are not writable, a setgid directory can't hand its group to
//! what is unpacked below it, and times stay exact.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{self, Mode as Permissions};
use nix::sys::time::TimeSpec;
use nix::unistd;

use super::contents::Contents;
use super::field::{corrupt, show};
use super::limits::Limits;
use super::metadata::Override;
use super::name::{self, Target};
use super::reader::{Data, Entry, EntryKind};
use crate::common::{Digest, Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::path::{Links, Root};
use crate::sys::tree;

/// How to unpack a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnpackOptions {
    /// Which owners and types can be made; in `Subid` the process is root of its user namespace.
    pub(crate) mode: Mode,
    /// Bounds.
    pub(crate) limits: Limits,
    /// Bytes of the tar stream that may wait between the stages. On a quiet machine a fraction
    /// is used; where many processes want the CPU, each stage runs in slices and idles when the
    /// one before it could not fill its whole slice ahead.
    pub(crate) ahead: usize,
}

impl UnpackOptions {
    /// Default bounds.
    pub(crate) fn new(mode: Mode) -> UnpackOptions {
        UnpackOptions {
            mode,
            limits: Limits::default(),
            ahead: 2 << 20,
        }
    }
}

/// What came of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Digest of the tar stream.
    pub(crate) diff_id: Digest,
    /// Entries in the archive.
    pub(crate) files: u64,
    /// Bytes of the tar stream.
    pub(crate) bytes: u64,
    /// Intended owners and types that no attribute could hold.
    pub(crate) overrides: Vec<Override>,
    /// Attributes the file system or our rights refused.
    pub(crate) xattrs_refused: u64,
    /// The layer hides everything below it. Overlayfs ignores an opaque mark on a layer's top,
    /// so whoever stacks layers must leave out the lower ones.
    pub(crate) opaque_top: bool,
    /// Directories that no entry names, the top ("") included. What they look like is said by a
    /// layer below, if one names them.
    pub(crate) unnamed: Vec<PathBuf>,
}

/// What waits for the end: a directory's mode and times.
#[derive(Debug, Clone, Copy)]
struct DirEnd {
    mode: u32,
    /// `None` for a directory that no entry names.
    mtime: Option<(i64, u32)>,
}

/// A directory that an entry below it implies.
const UNNAMED: DirEnd = DirEnd {
    mode: 0o755,
    mtime: None,
};

/// A layer being put onto a directory.
#[derive(Debug)]
pub(super) struct Extractor {
    pub(super) root: Root,
    pub(super) mode: Mode,
    limits: Limits,
    pub(super) umask: u32,
    /// Owner of what we create when nothing is said.
    pub(super) default_owner: (u32, u32),
    /// Where plain files get their bytes.
    pub(super) contents: Contents,
    /// The directory the last entry went to.
    parent: Option<(Vec<u8>, Rc<OwnedFd>)>,
    dirs: BTreeMap<Vec<u8>, DirEnd>,
    made: u64,
    pub(super) user_xattrs: bool,
    pub(super) overrides: Vec<Override>,
    pub(super) xattrs_refused: u64,
    pub(super) opaque_top: bool,
    pub(super) unnamed: Vec<PathBuf>,
}

impl Extractor {
    pub(super) fn new(
        target: BorrowedFd<'_>,
        options: &UnpackOptions,
        contents: Contents,
    ) -> Result<Extractor> {
        let fail = |errno| Error::errno("open layer directory", "", errno);
        let facts = stat::fstat(target).map_err(fail)?;
        let group = if facts.st_mode & libc::S_ISGID != 0 {
            facts.st_gid
        } else {
            unistd::getegid().as_raw()
        };
        let dir = target.try_clone_to_owned();
        let dir = dir.map_err(|error| Error::io("open layer directory", "", error))?;
        Ok(Extractor {
            root: Root::from_fd(dir),
            mode: options.mode,
            limits: options.limits,
            umask: node::umask(),
            default_owner: (unistd::geteuid().as_raw(), group),
            contents,
            parent: None,
            dirs: BTreeMap::from([(Vec::new(), UNNAMED)]),
            made: 0,
            user_xattrs: true,
            overrides: Vec::new(),
            xattrs_refused: 0,
            opaque_top: false,
            unnamed: Vec::new(),
        })
    }

    /// Applies one entry with its stored bytes.
    pub(super) fn apply<R: std::io::BufRead>(
        &mut self,
        entry: &Entry,
        data: Data<'_, R>,
    ) -> Result<()> {
        self.count(&entry.path)?;
        let path = name::clean(&entry.path, &self.limits)?;
        let path = match name::classify(&path)? {
            Target::Ignored => return Ok(()),
            Target::Whiteout(hidden) => return self.whiteout(&hidden),
            Target::Opaque(dir) => return self.opaque(dir),
            Target::Top if entry.kind != EntryKind::Dir => {
                return Err(corrupt(&entry.path, "the layer's top is no directory"));
            }
            Target::Top => return self.top(entry),
            Target::Object(path) => path,
        };
        match entry.kind {
            EntryKind::File => self.file(path, entry, data),
            EntryKind::Dir => self.dir(path, entry),
            EntryKind::Symlink => self.symlink(path, entry),
            EntryKind::HardLink => {
                let target = name::clean(&entry.link, &self.limits)?;
                self.hard_link(path, &target)
            }
            // A layer made from an overlay's upper directory names whiteouts like this.
            EntryKind::Char if entry.device == (0, 0) => self.whiteout(path),
            EntryKind::Char | EntryKind::Block | EntryKind::Fifo => self.special(path, entry),
        }
    }

    /// Gives directories their modes and times.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.contents.flush()?;
        let dirs = std::mem::take(&mut self.dirs);
        let unnamed = dirs.iter().filter(|(_, end)| end.mtime.is_none());
        self.unnamed = unnamed
            .map(|(path, _)| PathBuf::from(OsStr::from_bytes(path)))
            .collect();
        let open = |end: &DirEnd| end.mode & 0o700 == 0o700;
        // An ordinary user can't pass a closed directory: those come last, the deepest first.
        for (path, end) in dirs.iter().rev().filter(|(_, end)| open(end)) {
            self.finish_dir(path, *end)?;
        }
        for (path, end) in dirs.iter().rev().filter(|(_, end)| !open(end)) {
            self.finish_dir(path, *end)?;
        }
        Ok(())
    }

    fn finish_dir(&self, path: &[u8], end: DirEnd) -> Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let name = Path::new(OsStr::from_bytes(path));
        let dir = match self.root.lookup(name, flags, Links::FollowParents) {
            // Replaced by a later entry, under this or another name.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(()),
            other => other.map_err(|errno| failed("open directory", path, errno))?,
        };
        let mode = Permissions::from_bits_truncate(end.mode);
        stat::fchmod(&dir, mode).map_err(|errno| failed("set mode", path, errno))?;
        if let Some(mtime) = end.mtime {
            let time = time_spec(mtime);
            stat::futimens(&dir, &time, &time).map_err(|errno| failed("set times", path, errno))?;
        }
        Ok(())
    }

    /// Records what [`Extractor::finish`] is to do with a directory.
    pub(super) fn finish_later(&mut self, path: &[u8], entry: &Entry) {
        let end = DirEnd {
            mode: entry.mode,
            mtime: Some(entry.mtime),
        };
        self.dirs.insert(path.to_vec(), end);
    }

    /// The directory `path` as O_PATH, made with its parents when missing.
    pub(super) fn parent(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if let Some((cached, dir)) = &self.parent
            && cached == path
        {
            return Ok(dir.clone());
        }
        let dir = Rc::new(self.open_dir(path)?);
        self.parent = Some((path.to_vec(), dir.clone()));
        Ok(dir)
    }

    fn open_dir(&mut self, path: &[u8]) -> Result<OwnedFd> {
        match self.existing_dir(path) {
            Err(Errno::ENOENT | Errno::ENOTDIR) if !path.is_empty() => {}
            other => return other.map_err(|errno| failed("open directory", path, errno)),
        }
        let (upper, name) = name::split(path);
        let upper = self.open_dir(upper)?;
        let name = OsStr::from_bytes(name);
        let mut opaque = false;
        match node::stat_at(upper.as_fd(), name) {
            Err(Errno::ENOENT) => {}
            Ok(facts) if self.is_whiteout(&upper, name, &facts)? => {
                self.clear(path, &upper)?;
                opaque = true;
            }
            // A link to nothing, perhaps to what a lower layer holds: made inside this one.
            Ok(facts) if node::is_symlink(&facts) => {
                return self.root.make_dirs(OsStr::from_bytes(path), 0o755);
            }
            Ok(_) => return Err(corrupt(path, "not a directory, but has entries below it")),
            Err(errno) => return Err(failed("stat", path, errno)),
        }
        self.count(path)?;
        stat::mkdirat(&upper, name, Permissions::S_IRWXU)
            .map_err(|errno| failed("make directory", path, errno))?;
        self.dirs.insert(path.to_vec(), UNNAMED);
        let dir = self.existing_dir(path);
        let dir = dir.map_err(|errno| failed("open directory", path, errno))?;
        self.restore_default_owner(&dir, path)?;
        if opaque {
            self.set_opaque(&dir, path)?;
        }
        Ok(dir)
    }

    /// The directory `path` when it is there: beneath the top without any link or, when the
    /// layer put a link in the way (`lib -> usr/lib`, then `lib/x`), with links that can't leave
    /// the top. Never makes anything.
    pub(super) fn existing_dir(&self, path: &[u8]) -> nix::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let path = Path::new(OsStr::from_bytes(path));
        match self.root.lookup(path, flags, Links::Refuse) {
            // With O_DIRECTORY a link in the last place gives ENOTDIR.
            Err(Errno::ELOOP | Errno::ENOTDIR) => self.root.lookup(path, flags, Links::Follow),
            other => other,
        }
    }

    /// Removes what stands at `path`, whose directory is `parent`.
    pub(super) fn clear(&mut self, path: &[u8], parent: &OwnedFd) -> Result<()> {
        let (_, name) = name::split(path);
        tree::remove_at(parent.as_fd(), Path::new(OsStr::from_bytes(name)))?;
        self.parent = None;
        self.dirs.remove(path);
        // Everything below: the paths from "path/" up to "path0", as '0' follows '/'.
        let (first, end) = ([path, b"/"].concat(), [path, b"0"].concat());
        let below: Vec<_> = self
            .dirs
            .range(first..end)
            .map(|(key, _)| key.clone())
            .collect();
        for key in below {
            self.dirs.remove(&key);
        }
        Ok(())
    }

    fn count(&mut self, path: &[u8]) -> Result<()> {
        self.made += 1;
        if self.made > self.limits.entries {
            let why = format!("more than {} entries", self.limits.entries);
            return Err(corrupt(path, why));
        }
        Ok(())
    }
}

/// A failed system call on an entry. What only a malformed name or tree can cause is blamed on
/// the archive.
pub(super) fn failed(operation: &str, path: &[u8], errno: Errno) -> Error {
    let error = Error::errno(operation, show(path), errno);
    match errno {
        Errno::ENAMETOOLONG | Errno::ELOOP | Errno::ENOTDIR | Errno::EXDEV | Errno::EFBIG => {
            error.with_kind(Kind::Corrupt)
        }
        _ => error,
    }
}

pub(super) fn time_spec((seconds, nanos): (i64, u32)) -> TimeSpec {
    TimeSpec::new(seconds, i64::from(nanos))
}
