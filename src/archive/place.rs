//! An archive put into a tree that is in use: the way into containers, and out of them onto the
//! host. Unlike a layer it has no marks, and it merges with what is there as `cp -a` does.
//!
//! Every object is made by one name below the descriptor of its directory. No link is followed,
//! but for those on the way to an entry's directory where the tree is the container's own, and
//! these cannot lead out of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, FileStat, Mode as Permissions, SFlag, UtimensatFlags};
use nix::unistd::{self, Gid, Uid, UnlinkatFlags};

use super::apply::time_spec;
use super::field::{corrupt, show};
use super::limits::Limits;
use super::metadata::{override_text, xattr_allowed};
use super::name;
use super::reader::{Data, Entry, EntryKind, Reader};
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::path::{Links, Root};
use crate::sys::tree;
use crate::sys::xattr::{self, Existing, OVERRIDE_STAT};

/// How to put an archive into a tree.
#[derive(Debug, Clone)]
pub(crate) struct PlaceOptions {
    /// Which owners and types can be made.
    pub(crate) mode: Mode,
    /// Whose all is.
    pub(crate) owner: PlacedOwner,
    /// A directory may take the place of a file, and the other way round.
    pub(crate) overwrite: bool,
    /// Leading path of the entries, and what takes its place.
    pub(crate) rename: Option<(Vec<u8>, Vec<u8>)>,
}

/// Whose files an archive makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlacedOwner {
    /// This process's own.
    Process,
    /// As each entry says.
    Entry,
    /// A user's and group's, whatever the entries say.
    Fixed(u32, u32),
}

/// Where entries go.
#[derive(Debug)]
pub(crate) struct Spot<'a> {
    /// The directory.
    pub(crate) dir: OwnedFd,
    /// The tree it is in and its path there, when links inside may lead on to other places of
    /// that tree.
    pub(crate) within: Option<(&'a Root, PathBuf)>,
}

/// Puts all entries of the tar stream `input` into a directory. Returns the length that they
/// have in docker's reckoning: a block for each, and whole blocks of data.
///
/// # Errors
/// `Corrupt` for a bad archive; `Conflict` where a directory and a file would replace each other;
/// `Denied` for a tree that is mounted read-only. What came before the error stays.
pub(crate) fn place(input: impl BufRead, spot: Spot<'_>, options: &PlaceOptions) -> Result<u64> {
    let limits = Limits::default();
    let mut reader = Reader::new(input, limits);
    let mut placer = Placer {
        top: Root::from_fd(spot.dir),
        within: spot.within,
        options,
        limits,
        dirs: Vec::new(),
        parent: None,
    };
    let mut length = 1024;
    let mut all = || -> Result<()> {
        while let Some(entry) = reader.next()? {
            length += 512 + entry.size.next_multiple_of(512);
            placer.apply(entry, reader.data())?;
        }
        reader.drain()
    };
    let done = all();
    // Also after a failure: no directory is left closed to its users.
    let finished = placer.finish();
    done.and(finished).map(|()| length)
}

struct Placer<'a> {
    top: Root,
    within: Option<(&'a Root, PathBuf)>,
    options: &'a PlaceOptions,
    limits: Limits,
    /// Directories whose mode and times wait for the end.
    dirs: Vec<(Vec<u8>, u32, (i64, u32))>,
    parent: Option<(Vec<u8>, OwnedFd)>,
}

const DIR: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC);

impl Placer<'_> {
    fn apply<R: BufRead>(&mut self, mut entry: Entry, data: Data<'_, R>) -> Result<()> {
        entry.path = self.renamed(&entry.path)?;
        if let PlacedOwner::Fixed(uid, gid) = self.options.owner {
            (entry.uid, entry.gid) = (uid, gid);
        }
        if entry.path.is_empty() {
            return match entry.kind {
                // The directory itself was not asked to change.
                EntryKind::Dir => Ok(()),
                _ => Err(corrupt(b"/", "the top of the archive is no directory")),
            };
        }
        if entry.kind == EntryKind::HardLink {
            entry.link = self.renamed(&entry.link)?;
        }
        let (upper, name) = name::split(&entry.path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        let existing = match node::stat_at(parent.as_fd(), name) {
            Err(Errno::ENOENT) => None,
            other => Some(other.map_err(|errno| failed("stat", &entry.path, errno))?),
        };
        let there = existing.as_ref();
        let merges = entry.kind == EntryKind::Dir && there.is_some_and(node::is_dir);
        let done = match there {
            Some(facts) if !merges => self.clear(&parent, name, facts, &entry),
            _ => Ok(true),
        };
        let done = done.and_then(|cleared| match entry.kind {
            EntryKind::File => self.file(&parent, name, &entry, data, !cleared),
            EntryKind::Dir => self.dir(&parent, name, &entry),
            EntryKind::Symlink => self.symlink(&parent, name, &entry),
            EntryKind::HardLink => self.hard_link(&parent, name, &entry),
            EntryKind::Char | EntryKind::Block | EntryKind::Fifo => {
                self.special(&parent, name, &entry)
            }
        });
        self.parent = Some((upper.to_vec(), parent));
        done
    }

    /// Whether entries have owners.
    fn owned(&self) -> bool {
        self.options.owner != PlacedOwner::Process
    }

    fn renamed(&self, path: &[u8]) -> Result<Vec<u8>> {
        let path = name::clean(path, &self.limits)?;
        let Some((from, to)) = &self.options.rename else {
            return Ok(path);
        };
        let below = match from.as_slice() {
            b"" => Some(path.as_slice()),
            from => path.strip_prefix(from),
        };
        Ok(match below {
            Some(b"") => to.clone(),
            Some(below) if from.is_empty() => [to.as_slice(), b"/", below].concat(),
            Some(below) if below[0] == b'/' => [to.as_slice(), below].concat(),
            _ => path,
        })
    }

    /// The directory of an entry, made where the archive does not name it.
    fn parent(&mut self, path: &[u8]) -> Result<OwnedFd> {
        if let Some((known, dir)) = self.parent.take()
            && known == path
        {
            return Ok(dir);
        }
        let name = Path::new(OsStr::from_bytes(path));
        let flags = DIR | OFlag::O_PATH;
        match self.top.lookup(name, flags, Links::Refuse) {
            Err(Errno::ELOOP | Errno::ENOTDIR) => {}
            Err(Errno::ENOENT) => return self.make_parent(path),
            other => return other.map_err(|errno| failed("open directory", path, errno)),
        }
        let Some((root, base)) = &self.within else {
            return Err(failed("open directory", path, Errno::ENOTDIR));
        };
        root.lookup(&base.join(name), flags, Links::Follow)
            .map_err(|errno| failed("open directory", path, errno))
    }

    fn make_parent(&mut self, path: &[u8]) -> Result<OwnedFd> {
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        match stat::mkdirat(&parent, name, Permissions::from_bits_truncate(0o755)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(failed("make directory", path, errno)),
        }
        let flags = DIR | OFlag::O_PATH | OFlag::O_NOFOLLOW;
        fcntl::openat(&parent, name, flags, Permissions::empty())
            .map_err(|errno| failed("open directory", path, errno))
    }

    /// Removes what an entry replaces; false for a file that cannot be removed, being mounted,
    /// and has to be written through.
    fn clear(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        existing: &FileStat,
        entry: &Entry,
    ) -> Result<bool> {
        let was_dir = node::is_dir(existing);
        let conflict = match (was_dir, entry.kind == EntryKind::Dir) {
            (true, false) => Some(("directory", "non-directory")),
            (false, true) => Some(("non-directory", "directory")),
            _ => None,
        };
        if let Some((old, new)) = conflict
            && !self.options.overwrite
        {
            return Err(Error::new(Kind::Conflict, "copy to", show(&entry.path))
                .because(format!("cannot overwrite {old} with {new}")));
        }
        if was_dir {
            return tree::remove_at(parent.as_fd(), Path::new(name)).map(|()| true);
        }
        match unistd::unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(true),
            Err(Errno::EBUSY) if entry.kind == EntryKind::File => Ok(false),
            Err(errno) => Err(failed("replace", &entry.path, errno)),
        }
    }

    fn file<R: BufRead>(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        entry: &Entry,
        mut data: Data<'_, R>,
        through: bool,
    ) -> Result<()> {
        let how = match through {
            true => OFlag::O_TRUNC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY,
            false => OFlag::O_CREAT | OFlag::O_EXCL,
        };
        let flags = how | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let private = Permissions::S_IRUSR | Permissions::S_IWUSR;
        let file = fcntl::openat(parent, name, flags, private)
            .map_err(|errno| failed("create", &entry.path, errno))?;
        let file = File::from(file);
        fill(&file, entry, &mut data)?;
        self.own_open(&file, entry)?;
        stat::fchmod(&file, Permissions::from_bits_truncate(entry.mode))
            .map_err(|errno| failed("set mode", &entry.path, errno))?;
        let time = time_spec(entry.mtime);
        stat::futimens(&file, &time, &time).map_err(|errno| failed("set times", &entry.path, errno))
    }

    fn dir(&mut self, parent: &OwnedFd, name: &OsStr, entry: &Entry) -> Result<()> {
        match stat::mkdirat(parent, name, Permissions::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(failed("make directory", &entry.path, errno)),
        }
        let flags = DIR | OFlag::O_RDONLY | OFlag::O_NOFOLLOW;
        let dir = fcntl::openat(parent, name, flags, Permissions::empty())
            .map_err(|errno| failed("open directory", &entry.path, errno))?;
        self.own_open(&File::from(dir), entry)?;
        self.dirs
            .push((entry.path.clone(), entry.mode, entry.mtime));
        Ok(())
    }

    /// Owner and attributes of an open file or directory.
    fn own_open(&self, file: &File, entry: &Entry) -> Result<()> {
        let fail = |errno| failed("set owner", &entry.path, errno);
        if self.owned() && self.options.mode != Mode::Single {
            let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
            unistd::fchown(file, Some(uid), Some(gid))
                .map_err(|errno| unmapped(entry, errno).unwrap_or_else(|| fail(errno)))?;
        }
        for (name, value) in &entry.xattrs {
            if !xattr_allowed(name, self.options.mode) {
                continue;
            }
            match xattr::fset(file, name, value, Existing::Replace) {
                // Not every file system has them, and not everybody may set each.
                Ok(()) | Err(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EINVAL) => {}
                Err(errno) => return Err(failed("set attribute of", &entry.path, errno)),
            }
        }
        if self.owned() && self.options.mode == Mode::Single {
            self.intend(file, entry, (entry.uid, entry.gid) != (0, 0));
        }
        Ok(())
    }

    /// Notes what the file is meant to be. Best effort: a file system may have no attributes.
    fn intend(&self, file: &File, entry: &Entry, differs: bool) {
        if differs {
            let text = override_text(entry);
            let _ = xattr::fset(file, OVERRIDE_STAT, text.as_bytes(), Existing::Replace);
        } else if matches!(xattr::fget(file, OVERRIDE_STAT), Ok(Some(_))) {
            // A directory that was another's.
            let text = format!("0:0:0{:o}:dir", entry.mode);
            let _ = xattr::fset(file, OVERRIDE_STAT, text.as_bytes(), Existing::Replace);
        }
    }

    fn symlink(&self, parent: &OwnedFd, name: &OsStr, entry: &Entry) -> Result<()> {
        unistd::symlinkat(OsStr::from_bytes(&entry.link), parent, name)
            .map_err(|errno| failed("make link", &entry.path, errno))?;
        self.own_named(parent, name, entry)
    }

    fn hard_link(&mut self, parent: &OwnedFd, name: &OsStr, entry: &Entry) -> Result<()> {
        let (upper, target) = name::split(&entry.link);
        let flags = DIR | OFlag::O_PATH;
        let path = Path::new(OsStr::from_bytes(upper));
        let source = self
            .top
            .lookup(path, flags, Links::Refuse)
            .map_err(|errno| failed("open directory", upper, errno))?;
        let target = OsStr::from_bytes(target);
        unistd::linkat(&source, target, parent, name, AtFlags::empty())
            .map_err(|errno| failed("link", &entry.path, errno))
    }

    fn special(&self, parent: &OwnedFd, name: &OsStr, entry: &Entry) -> Result<()> {
        let kind = match entry.kind {
            EntryKind::Char => SFlag::S_IFCHR,
            EntryKind::Block => SFlag::S_IFBLK,
            _ => SFlag::S_IFIFO,
        };
        let device = stat::makedev(entry.device.0.into(), entry.device.1.into());
        let mode = Permissions::from_bits_truncate(entry.mode & 0o777);
        match stat::mknodat(parent, name, kind, mode, device) {
            Ok(()) => self.own_named(parent, name, entry),
            // Inside, a file stands for a device that nobody here can make.
            Err(Errno::EPERM) if self.owned() && self.options.mode != Mode::Root => {
                let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
                let file = fcntl::openat(parent, name, flags, mode)
                    .map_err(|errno| failed("create", &entry.path, errno))?;
                self.intend(&File::from(file), entry, true);
                Ok(())
            }
            Err(errno) => Err(failed("make node", &entry.path, errno)),
        }
    }

    /// Owner and times of what cannot be opened.
    fn own_named(&self, parent: &OwnedFd, name: &OsStr, entry: &Entry) -> Result<()> {
        if self.owned() && self.options.mode != Mode::Single {
            let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
            let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
            unistd::fchownat(parent, name, Some(uid), Some(gid), flags).map_err(|errno| {
                unmapped(entry, errno).unwrap_or_else(|| failed("set owner", &entry.path, errno))
            })?;
        }
        let time = time_spec(entry.mtime);
        stat::utimensat(parent, name, &time, &time, UtimensatFlags::NoFollowSymlink)
            .map_err(|errno| failed("set times", &entry.path, errno))
    }

    /// Gives directories their modes and times, the deepest first.
    fn finish(&mut self) -> Result<()> {
        self.parent = None;
        let mut result = Ok(());
        for (path, mode, mtime) in std::mem::take(&mut self.dirs).iter().rev() {
            let done = self.finish_dir(path, *mode, *mtime);
            result = result.and(done);
        }
        result
    }

    fn finish_dir(&mut self, path: &[u8], mode: u32, mtime: (i64, u32)) -> Result<()> {
        let (upper, name) = name::split(path);
        let flags = DIR | OFlag::O_RDONLY | OFlag::O_NOFOLLOW;
        let found = self.parent(upper).and_then(|parent| {
            let name = OsStr::from_bytes(name);
            fcntl::openat(&parent, name, flags, Permissions::empty())
                .map_err(|errno| failed("open directory", path, errno))
        });
        // Moved away by whoever lives in the tree.
        let Ok(dir) = found else { return Ok(()) };
        set_dir(dir.as_fd(), mode, mtime).map_err(|errno| failed("set mode", path, errno))
    }
}

fn set_dir(dir: BorrowedFd<'_>, mode: u32, mtime: (i64, u32)) -> nix::Result<()> {
    stat::fchmod(dir, Permissions::from_bits_truncate(mode))?;
    let time = time_spec(mtime);
    stat::futimens(dir, &time, &time)
}

/// Writes an entry's bytes; holes stay holes.
fn fill<R: BufRead>(mut file: &File, entry: &Entry, data: &mut Data<'_, R>) -> Result<()> {
    let Some(segments) = &entry.sparse else {
        return copy(file, entry, data, entry.size);
    };
    for segment in segments {
        file.seek(SeekFrom::Start(segment.offset))
            .map_err(|error| unwritten(entry, error))?;
        copy(file, entry, data, segment.length)?;
    }
    file.set_len(entry.size)
        .map_err(|error| unwritten(entry, error))
}

fn copy<R: BufRead>(
    mut file: &File,
    entry: &Entry,
    data: &mut Data<'_, R>,
    mut left: u64,
) -> Result<()> {
    while left > 0 {
        let ready = data.peek(left)?;
        let count = ready.len();
        if count == 0 {
            return Ok(());
        }
        file.write_all(ready)
            .map_err(|error| unwritten(entry, error))?;
        data.consume(count);
        left -= count as u64;
    }
    Ok(())
}

fn unwritten(entry: &Entry, error: std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::EROFS) => failed("write", &entry.path, Errno::EROFS),
        _ => Error::io("write", show(&entry.path), error),
    }
}

/// An owner who has no place in the user namespace.
fn unmapped(entry: &Entry, errno: Errno) -> Option<Error> {
    (errno == Errno::EINVAL).then(|| {
        Error::new(Kind::Unsupported, "set owner", show(&entry.path)).because(format!(
            "owner {}:{} is outside the ids of the container",
            entry.uid, entry.gid
        ))
    })
}

fn failed(operation: &str, path: &[u8], errno: Errno) -> Error {
    match errno {
        Errno::EROFS => Error::new(Kind::Denied, operation, show(path))
            .because("container rootfs or mounted volume is marked read-only".to_owned()),
        _ => Error::errno(operation, show(path), errno),
    }
}
