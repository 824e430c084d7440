//! A directory tree as an archive: the way out of containers and of their writable layers.
//!
//! The tree may be changed by somebody else all the while. Every object is reached by one name
//! below the descriptor of its directory, no link is followed, and nothing but a regular file or
//! a directory is ever opened; what vanishes or changes its type meanwhile is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{self, OFlag};
use nix::sys::stat::{self, FileStat, Mode as Permissions, SFlag};

use super::encode::Encoder;
use super::field::show;
use super::metadata::{FileKind, parse_override, unbound, xattr_allowed};
use super::reader::{Entry, EntryKind};
use super::sparse::{self, Segment};
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::xattr::{self, OVERRIDE_STAT};

/// Levels of directories, a descriptor each.
const DEPTH_MAX: usize = 900;

/// Bytes read from a file at once.
const CHUNK: usize = 128 << 10;

/// What the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Files as they are.
    Plain,
    /// An overlay's upper directory whose marks are `trusted.overlay.*` attributes.
    Upper,
    /// The same with `user.overlay.*` (mounted with `userxattr`).
    UserUpper,
}

/// The owner that the archive says, of the path below the top and the owner found.
pub(crate) type Owner<'a> = dyn Fn(&Path, u32, u32) -> (u32, u32) + 'a;

/// How to pack a tree.
pub(crate) struct PackOptions<'a> {
    /// Files, or differences in overlayfs's form, which become OCI's.
    pub(crate) form: Form,
    /// Which attributes are taken, as for a layer of this mode.
    pub(crate) mode: Mode,
    /// Ids of the archive.
    pub(crate) owner: &'a Owner<'a>,
    /// Owners, modes and types that files of mode `single` are meant to have are in their
    /// attributes and, for what has none, in here by path.
    pub(crate) intended: Option<&'a BTreeMap<PathBuf, String>>,
    /// Paths below the top that are left out with everything in them.
    pub(crate) skip: BTreeSet<PathBuf>,
    /// The time that everything gets, in seconds; its own without.
    pub(crate) time: Option<i64>,
    /// Whether the layers below have a directory at a path. An opaque one hides nothing where they
    /// have none: overlayfs also marks directories that it was cheaper to mark.
    pub(crate) covers: &'a dyn Fn(&Path) -> bool,
}

impl PackOptions<'_> {
    /// Files as they are, owners as found.
    pub(crate) fn plain(mode: Mode) -> PackOptions<'static> {
        PackOptions {
            form: Form::Plain,
            mode,
            owner: &|_, uid, gid| (uid, gid),
            intended: None,
            skip: BTreeSet::new(),
            time: None,
            covers: &|_| true,
        }
    }
}

/// An archive being made of trees.
pub(crate) struct Packer<'a, W> {
    out: Encoder<W>,
    options: &'a PackOptions<'a>,
    /// Path in the archive of the first name of each file that has several.
    links: HashMap<(u64, u64), Vec<u8>>,
    /// Length of the path in the archive that the tree's own paths follow.
    base: usize,
    entries: u64,
    buffer: Vec<u8>,
}

impl<'a, W: Write> Packer<'a, W> {
    /// Begins an archive.
    pub(crate) fn new(out: W, options: &'a PackOptions<'a>) -> Packer<'a, W> {
        Packer {
            out: Encoder::new(out),
            options,
            links: HashMap::new(),
            base: 0,
            entries: 0,
            buffer: vec![0; CHUNK],
        }
    }

    /// Packs what `name` in the directory `parent` is, with everything below, as `shown`.
    ///
    /// # Errors
    /// `NotFound` when there is no such name.
    pub(crate) fn object(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        shown: &[u8],
    ) -> Result<()> {
        self.base = shown.len();
        let facts =
            node::stat_at(parent, name).map_err(|errno| Error::errno("stat", name, errno))?;
        self.one(parent, name, &facts, shown, 0)
    }

    /// Packs what the directory `dir` holds; with `top`, an entry for itself comes first.
    pub(crate) fn tree(&mut self, dir: &OwnedFd, shown: &[u8], top: bool) -> Result<()> {
        self.base = shown.len();
        let failed = |errno| Error::errno("open directory", show(shown), errno);
        let dir = File::from(node::reopen_dir(dir.as_fd()).map_err(failed)?);
        if top {
            let facts = stat::fstat(&dir).map_err(failed)?;
            let path: &[u8] = if shown.is_empty() { b"./" } else { shown };
            let mut entry = self.describe(&facts, path, EntryKind::Dir);
            self.attributes(&dir, &mut entry)?;
            self.put(&entry)?;
        }
        self.level(dir.as_fd(), shown, 0)
    }

    /// Ends the archive; the stream and the number of entries.
    pub(crate) fn finish(self) -> Result<(W, u64)> {
        Ok((self.out.finish()?, self.entries))
    }

    fn level(&mut self, dir: BorrowedFd<'_>, shown: &[u8], depth: usize) -> Result<()> {
        if depth >= DEPTH_MAX {
            return Err(Error::new(Kind::Unsupported, "pack", show(shown))
                .because(format!("more than {DEPTH_MAX} levels of directories")));
        }
        for name in node::names(dir).map_err(|errno| Error::errno("list", show(shown), errno))? {
            let path = match shown {
                b"" => name.as_bytes().to_vec(),
                _ => [shown, b"/", name.as_bytes()].concat(),
            };
            if self.options.skip.contains(self.below(&path)) {
                continue;
            }
            match node::stat_at(dir, &name) {
                Err(Errno::ENOENT) => {}
                Ok(facts) => self.one(dir, &name, &facts, &path, depth)?,
                Err(errno) => return Err(Error::errno("stat", show(&path), errno)),
            }
        }
        Ok(())
    }

    /// The path below the tree's top.
    fn below<'p>(&self, path: &'p [u8]) -> &'p Path {
        let below = path.get(self.base..).unwrap_or_default();
        Path::new(OsStr::from_bytes(below.strip_prefix(b"/").unwrap_or(below)))
    }

    fn one(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        facts: &FileStat,
        path: &[u8],
        depth: usize,
    ) -> Result<()> {
        let kind = SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits());
        match kind {
            SFlag::S_IFDIR => self.dir(parent, name, path, depth),
            SFlag::S_IFREG => self.regular(parent, name, path),
            SFlag::S_IFLNK => {
                let mut entry = self.describe(facts, path, EntryKind::Symlink);
                match fcntl::readlinkat(parent, name) {
                    Ok(target) => entry.link = target.into_vec(),
                    Err(Errno::ENOENT | Errno::EINVAL) => return Ok(()),
                    Err(errno) => return Err(Error::errno("read link", show(path), errno)),
                }
                self.special(entry, facts)
            }
            SFlag::S_IFCHR if self.options.form != Form::Plain && node::is_whiteout(facts) => {
                self.mark(path)
            }
            SFlag::S_IFCHR => self.special(self.describe(facts, path, EntryKind::Char), facts),
            SFlag::S_IFBLK => self.special(self.describe(facts, path, EntryKind::Block), facts),
            SFlag::S_IFIFO => self.special(self.describe(facts, path, EntryKind::Fifo), facts),
            // A socket means nothing without the process that made it, and no archive has them.
            _ => Ok(()),
        }
    }

    fn dir(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        path: &[u8],
        depth: usize,
    ) -> Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let Some(dir) = opened(
            fcntl::openat(parent, name, flags, Permissions::empty()),
            path,
        )?
        else {
            return Ok(());
        };
        let facts = stat::fstat(&dir).map_err(|errno| Error::errno("stat", show(path), errno))?;
        let mut entry = self.describe(&facts, path, EntryKind::Dir);
        let opaque = self.attributes(&dir, &mut entry)?;
        self.put(&entry)?;
        if opaque && (self.options.covers)(self.below(path)) {
            self.mark(&[path, b"/.wh..opq"].concat())?;
        }
        self.level(dir.as_fd(), path, depth + 1)
    }

    fn regular(&mut self, parent: BorrowedFd<'_>, name: &OsStr, path: &[u8]) -> Result<()> {
        // It may have become a pipe or a device since: neither is waited for.
        let flags = OFlag::O_RDONLY
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_NOCTTY
            | OFlag::O_CLOEXEC;
        let Some(mut file) = opened(
            fcntl::openat(parent, name, flags, Permissions::empty()),
            path,
        )?
        else {
            return Ok(());
        };
        let facts = stat::fstat(&file).map_err(|errno| Error::errno("stat", show(path), errno))?;
        if facts.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
            return Ok(());
        }
        if self.options.form != Form::Plain && facts.st_size == 0 && self.is_marked(&file) {
            return self.mark(path);
        }
        let mut entry = self.describe(&facts, path, EntryKind::File);
        if self.linked(&mut entry, &facts) {
            return self.put(&entry);
        }
        self.attributes(&file, &mut entry)?;
        if entry.kind == EntryKind::File {
            entry.sparse = sparse::holes(&file, entry.size);
        }
        self.put(&entry)?;
        match entry.sparse {
            None => self.copy(&mut file, entry.size, path),
            Some(segments) => segments.iter().try_for_each(|segment| {
                file.seek(SeekFrom::Start(segment.offset))
                    .map_err(|error| Error::io("read", show(path), error))?;
                self.copy(&mut file, segment.length, path)?;
                self.fill(segment, &mut file)
            }),
        }
    }

    /// A segment that a shrunken file no longer has must not shift those behind it.
    fn fill(&mut self, segment: &Segment, file: &mut File) -> Result<()> {
        let end = segment.offset + segment.length;
        let at = file.stream_position().unwrap_or(end);
        let mut left = end.saturating_sub(at);
        while left > 0 {
            let count = left.min(512);
            self.out.data(&[0; 512][..count as usize])?;
            left -= count;
        }
        Ok(())
    }

    fn copy(&mut self, file: &mut File, mut left: u64, path: &[u8]) -> Result<()> {
        while left > 0 {
            let want = left.min(CHUNK as u64) as usize;
            let count = match file.read(&mut self.buffer[..want]) {
                // It shrank: the encoder fills up with zeros.
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io("read", show(path), error)),
            };
            self.out.data(&self.buffer[..count])?;
            left -= count as u64;
        }
        Ok(())
    }

    fn special(&mut self, mut entry: Entry, facts: &FileStat) -> Result<()> {
        if !self.linked(&mut entry, facts) {
            let known = self
                .options
                .intended
                .and_then(|known| known.get(self.below(&entry.path)));
            if let Some(text) = known {
                intend(&mut entry, text.as_bytes(), self.options.mode);
            }
        }
        self.put(&entry)
    }

    /// Turns the entry of a file that is in the archive already into a link to it.
    fn linked(&mut self, entry: &mut Entry, facts: &FileStat) -> bool {
        if facts.st_nlink < 2 {
            return false;
        }
        match self.links.entry((facts.st_dev, facts.st_ino)) {
            std::collections::hash_map::Entry::Occupied(first) => {
                entry.kind = EntryKind::HardLink;
                entry.link = first.get().clone();
                entry.size = 0;
                true
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entry.path.clone());
                false
            }
        }
    }

    fn describe(&self, facts: &FileStat, path: &[u8], kind: EntryKind) -> Entry {
        let (uid, gid) = (self.options.owner)(self.below(path), facts.st_uid, facts.st_gid);
        let device = (stat::major(facts.st_rdev), stat::minor(facts.st_rdev));
        Entry {
            path: path.to_vec(),
            link: Vec::new(),
            kind,
            mode: facts.st_mode & 0o7777,
            uid,
            gid,
            mtime: match self.options.time {
                Some(time) => (time, 0),
                None => (facts.st_mtime, facts.st_mtime_nsec as u32),
            },
            size: match kind {
                EntryKind::File => facts.st_size as u64,
                _ => 0,
            },
            device: match kind {
                EntryKind::Char | EntryKind::Block => (device.0 as u32, device.1 as u32),
                _ => (0, 0),
            },
            xattrs: Vec::new(),
            sparse: None,
        }
    }

    /// Takes the attributes of an open file or directory; whether it is marked opaque.
    fn attributes(&self, file: &File, entry: &mut Entry) -> Result<bool> {
        let mut opaque = false;
        let names = match xattr::flist(file) {
            Err(Errno::EOPNOTSUPP) => return Ok(false),
            other => other.map_err(|e| Error::errno("list attributes of", show(&entry.path), e))?,
        };
        for name in names {
            let name = name.as_bytes();
            let Ok(Some(value)) = xattr::fget(file, name) else {
                continue;
            };
            if self.options.form != Form::Plain && name == self.overlay("opaque") {
                opaque |= value == b"y";
            } else if self.options.form != Form::Plain
                && [self.overlay("redirect"), self.overlay("metacopy")].contains(&name.to_vec())
            {
                return Err(incomplete(&entry.path));
            } else if xattr_allowed(name, self.options.mode) {
                let value = match self.options.mode {
                    Mode::Single if name == b"security.capability" => unbound(value),
                    _ => value,
                };
                entry.xattrs.push((name.to_vec(), value));
            } else if name == OVERRIDE_STAT && self.options.intended.is_some() {
                intend(entry, &value, self.options.mode);
            }
        }
        Ok(opaque)
    }

    fn overlay(&self, what: &str) -> Vec<u8> {
        let family = match self.options.form {
            Form::UserUpper => "user",
            _ => "trusted",
        };
        format!("{family}.overlay.{what}").into_bytes()
    }

    /// Whether an empty file stands for a deleted name (Linux 6.7, where nodes are refused).
    fn is_marked(&self, file: &File) -> bool {
        matches!(xattr::fget(file, &self.overlay("whiteout")), Ok(Some(_)))
    }

    /// OCI's mark for a deleted name, or for a directory that hides those below it.
    fn mark(&mut self, path: &[u8]) -> Result<()> {
        let (upper, name) = super::name::split(path);
        let name = [b".wh.", name].concat();
        let path = match upper {
            b"" => name,
            _ => [upper, b"/", &name].concat(),
        };
        let nothing = Entry {
            path,
            link: Vec::new(),
            kind: EntryKind::File,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            size: 0,
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        self.put(&nothing)
    }

    fn put(&mut self, entry: &Entry) -> Result<()> {
        self.entries += 1;
        self.out.entry(entry)
    }
}

/// What a file is meant to be that could not be that. With a range of ids only devices are such.
fn intend(entry: &mut Entry, text: &[u8], on: Mode) {
    let Some((uid, gid, mode, kind)) = parse_override(text) else {
        return;
    };
    if on == Mode::Single {
        (entry.uid, entry.gid) = (uid, gid);
    }
    let device = match kind {
        FileKind::Char(major, minor) => Some((EntryKind::Char, (major, minor))),
        FileKind::Block(major, minor) => Some((EntryKind::Block, (major, minor))),
        _ => None,
    };
    // Modes of all others are on disk, and may have been changed there since.
    if let Some((kind, device)) = device
        && entry.kind == EntryKind::File
    {
        (entry.kind, entry.device, entry.size, entry.mode) = (kind, device, 0, mode);
    }
}

fn incomplete(path: &[u8]) -> Error {
    Error::new(Kind::Unsupported, "pack", show(path))
        .because("the overlay keeps a part of it in a layer below (redirect_dir or metacopy)".to_owned())
        .hint("turn both off: echo N > /sys/module/overlay/parameters/redirect_dir, the same for metacopy")
}

/// What an open gave; `None` for what vanished or is something else by now.
fn opened(result: nix::Result<OwnedFd>, path: &[u8]) -> Result<Option<File>> {
    match result {
        Ok(file) => Ok(Some(File::from(file))),
        Err(Errno::ENOENT | Errno::ELOOP | Errno::ENOTDIR | Errno::ENXIO | Errno::ENODEV) => {
            Ok(None)
        }
        Err(errno) => Err(Error::errno("open", show(path), errno)),
    }
}
