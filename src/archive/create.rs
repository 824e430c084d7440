//! Makes one object of each type on its parent directory's descriptor. What exists under its
//! name is removed, never written through; no call follows a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, Mode as Permissions, SFlag, UtimensatFlags};
use nix::unistd::{self, Gid, Uid};

use super::apply::{Extractor, failed, time_spec};
use super::field::{corrupt, show};
use super::metadata::{Override, override_text, xattr_allowed};
use super::name;
use super::reader::{Data, Entry, EntryKind};
use super::sparse::Segment;
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::node;
use crate::sys::xattr::{self, Existing, OVERRIDE_STAT};

impl Extractor {
    pub(super) fn file<R: BufRead>(
        &mut self,
        path: &[u8],
        entry: &Entry,
        mut data: Data<'_, R>,
    ) -> Result<()> {
        let file = self.new_file(path, entry)?;
        if self.is_plain(entry) {
            return self.hand_over(file, path, entry, data);
        }
        write(&file, path, entry, &mut data)?;
        self.end_file(&file, path, entry)
    }

    /// Whether a file that was just made needs nothing but its bytes and times.
    fn is_plain(&self, entry: &Entry) -> bool {
        let done = !self.owner_differs(entry) && !self.overridden(entry);
        let mode = self.first_mode(entry) & !self.umask;
        done && entry.xattrs.is_empty() && entry.sparse.is_none() && mode == entry.mode
    }

    /// Leaves a file to the thread that fills them.
    fn hand_over<R: BufRead>(
        &mut self,
        file: File,
        path: &[u8],
        entry: &Entry,
        mut data: Data<'_, R>,
    ) -> Result<()> {
        self.contents.begin(file, path)?;
        loop {
            let ready = data.peek(u64::MAX)?;
            if ready.is_empty() {
                break;
            }
            let count = self.contents.push(ready)?;
            data.consume(count);
        }
        self.contents.end(time_spec(entry.mtime));
        Ok(())
    }

    /// Creates the file with its final mode where that does no harm.
    fn new_file(&mut self, path: &[u8], entry: &Entry) -> Result<File> {
        let mode = Permissions::from_bits_truncate(self.first_mode(entry));
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = self.place("create", path, |parent, name| {
            fcntl::openat(parent, name, flags, mode)
        })?;
        Ok(File::from(file))
    }

    /// Mode a file is created with: never setuid before its owner is right, and writable for
    /// us while attributes are to be set.
    fn first_mode(&self, entry: &Entry) -> u32 {
        let mode = entry.mode & 0o777;
        if entry.xattrs.is_empty() && !self.overridden(entry) {
            mode
        } else {
            mode | 0o600
        }
    }

    fn end_file(&mut self, file: &File, path: &[u8], entry: &Entry) -> Result<()> {
        if self.owner_differs(entry) {
            let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
            unistd::fchown(file, Some(uid), Some(gid))
                .map_err(|errno| self.chown_failed(path, entry, errno))?;
        }
        self.xattrs(file, path, entry)?;
        let first = self.first_mode(entry);
        if first & !self.umask != entry.mode {
            stat::fchmod(file, Permissions::from_bits_truncate(entry.mode))
                .map_err(|errno| failed("set mode", path, errno))?;
        }
        let time = time_spec(entry.mtime);
        stat::futimens(file, &time, &time).map_err(|errno| failed("set times", path, errno))
    }

    pub(super) fn top(&mut self, entry: &Entry) -> Result<()> {
        let dir = self.root.as_fd().try_clone_to_owned();
        let dir = dir.map_err(|error| Error::io("open directory", "/", error))?;
        self.end_dir(&dir, b"", entry, true)
    }

    pub(super) fn dir(&mut self, path: &[u8], entry: &Entry) -> Result<()> {
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        let (mut existed, mut opaque) = (false, false);
        match stat::mkdirat(&parent, name, Permissions::S_IRWXU) {
            Err(Errno::EEXIST) => {
                let facts = node::stat_at(parent.as_fd(), name)
                    .map_err(|errno| failed("stat", path, errno))?;
                existed = node::is_dir(&facts);
                if !existed {
                    opaque = self.is_whiteout(&parent, name, &facts)?;
                    self.clear(path, &parent)?;
                    stat::mkdirat(&parent, name, Permissions::S_IRWXU)
                        .map_err(|errno| failed("make directory", path, errno))?;
                }
            }
            other => other.map_err(|errno| failed("make directory", path, errno))?,
        }
        let plain = entry.xattrs.is_empty() && !self.overridden(entry);
        if plain && !opaque && !existed && !self.owner_differs(entry) {
            self.finish_later(path, entry);
            return Ok(());
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let dir = fcntl::openat(&parent, name, flags, Permissions::empty())
            .map_err(|errno| failed("open directory", path, errno))?;
        if opaque {
            self.set_opaque(&dir, path)?;
        }
        self.end_dir(&dir, path, entry, existed)
    }

    /// `existed`: the owner may be another entry's and must be set in any case.
    fn end_dir(&mut self, dir: &OwnedFd, path: &[u8], entry: &Entry, existed: bool) -> Result<()> {
        let overridden = self.overridden(entry) || existed && self.mode == Mode::Single;
        if !entry.xattrs.is_empty() || overridden {
            let readable = reopen_dir(dir, path)?;
            self.set_xattrs(&readable, path, entry)?;
            if overridden {
                self.set_override(&readable, path, entry)?;
            }
        }
        if self.mode != Mode::Single && (existed || self.owner_differs(entry)) {
            self.chown_at(dir, OsStr::new(""), path, entry)?;
        }
        self.finish_later(path, entry);
        Ok(())
    }

    /// Undoes what a setgid directory above the layer did to a directory we made up.
    pub(super) fn restore_default_owner(&self, dir: &OwnedFd, path: &[u8]) -> Result<()> {
        if self.mode == Mode::Single || self.default_owner == (0, 0) {
            return Ok(());
        }
        let (uid, gid) = (Some(Uid::from_raw(0)), Some(Gid::from_raw(0)));
        unistd::fchownat(dir, "", uid, gid, AtFlags::AT_EMPTY_PATH)
            .map_err(|errno| failed("set owner", path, errno))
    }

    pub(super) fn symlink(&mut self, path: &[u8], entry: &Entry) -> Result<()> {
        if entry.link.is_empty() || entry.link.contains(&0) || entry.link.len() > 4095 {
            return Err(corrupt(path, "malformed link target"));
        }
        let target = OsStr::from_bytes(&entry.link);
        self.place("make link", path, |parent, name| {
            unistd::symlinkat(target, parent, name)
        })?;
        self.end_special(path, entry)
    }

    pub(super) fn hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        let bad = |why: &str| corrupt(path, format!("hard link to {}: {why}", show(target)));
        let (target_upper, target_name) = name::split(target);
        let source = match self.existing_dir(target_upper) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Err(bad("not in this layer")),
            other => other.map_err(|errno| failed("open directory", target, errno))?,
        };
        let source_name = OsStr::from_bytes(target_name);
        let facts = match node::stat_at(source.as_fd(), source_name) {
            Err(Errno::ENOENT) => return Err(bad("not in this layer")),
            other => other.map_err(|errno| failed("stat", target, errno))?,
        };
        if node::is_dir(&facts) {
            return Err(bad("is a directory"));
        }
        if self.is_whiteout(&source, source_name, &facts)? {
            return Err(bad("not in this layer"));
        }
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        if let Ok(existing) = node::stat_at(parent.as_fd(), OsStr::from_bytes(name))
            && (existing.st_dev, existing.st_ino) == (facts.st_dev, facts.st_ino)
        {
            return Ok(());
        }
        self.place("link", path, |parent, name| {
            unistd::linkat(&source, source_name, parent, name, AtFlags::empty())
        })
    }

    /// A pipe or device; a device that can't be made becomes an empty file that says so.
    pub(super) fn special(&mut self, path: &[u8], entry: &Entry) -> Result<()> {
        let kind = match entry.kind {
            EntryKind::Char => SFlag::S_IFCHR,
            EntryKind::Block => SFlag::S_IFBLK,
            _ => SFlag::S_IFIFO,
        };
        let device = stat::makedev(entry.device.0.into(), entry.device.1.into());
        let mode = Permissions::from_bits_truncate(entry.mode & 0o777);
        if kind == SFlag::S_IFIFO || self.mode != Mode::Single {
            let made = self.try_place(path, |parent, name| {
                stat::mknodat(parent, name, kind, mode, device)
            })?;
            match made {
                Ok(()) => return self.end_special(path, entry),
                Err(Errno::EPERM) if kind != SFlag::S_IFIFO => {}
                Err(errno) => return Err(failed("make node", path, errno)),
            }
        }
        let file = self.new_file(path, entry)?;
        if self.mode != Mode::Single {
            self.set_override(&file, path, entry)?;
        }
        self.end_file(&file, path, entry)
    }

    /// Owner, mode and times of what has no usable descriptor.
    fn end_special(&mut self, path: &[u8], entry: &Entry) -> Result<()> {
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        if self.owner_differs(entry) {
            self.chown_at(&parent, name, path, entry)?;
        } else if self.overridden(entry) {
            self.remember(path, entry);
        }
        self.xattrs_refused += entry.xattrs.len() as u64;
        let first = entry.mode & 0o777 & !self.umask;
        if entry.kind != EntryKind::Symlink && first != entry.mode {
            // We made it a moment ago and nobody else writes here: it is no link.
            let mode = Permissions::from_bits_truncate(entry.mode);
            stat::fchmodat(&parent, name, mode, stat::FchmodatFlags::FollowSymlink)
                .map_err(|errno| failed("set mode", path, errno))?;
        }
        let time = time_spec(entry.mtime);
        stat::utimensat(&parent, name, &time, &time, UtimensatFlags::NoFollowSymlink)
            .map_err(|errno| failed("set times", path, errno))
    }

    /// Runs `make` on the parent and name of `path`, a second time after removing what is there.
    fn place<T>(
        &mut self,
        operation: &str,
        path: &[u8],
        make: impl Fn(&OwnedFd, &OsStr) -> nix::Result<T>,
    ) -> Result<T> {
        self.try_place(path, make)?
            .map_err(|errno| failed(operation, path, errno))
    }

    fn try_place<T>(
        &mut self,
        path: &[u8],
        make: impl Fn(&OwnedFd, &OsStr) -> nix::Result<T>,
    ) -> Result<nix::Result<T>> {
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        match make(&parent, name) {
            Err(Errno::EEXIST) => {
                self.clear(path, &parent)?;
                Ok(make(&parent, name))
            }
            other => Ok(other),
        }
    }

    /// Whether what we create has to be given away.
    fn owner_differs(&self, entry: &Entry) -> bool {
        self.mode != Mode::Single && (entry.uid, entry.gid) != self.default_owner
    }

    /// Whether the file can't be on disk what the entry says.
    fn overridden(&self, entry: &Entry) -> bool {
        let device = matches!(entry.kind, EntryKind::Char | EntryKind::Block);
        self.mode == Mode::Single && (device || (entry.uid, entry.gid) != (0, 0))
    }

    fn chown_at(&self, dir: &OwnedFd, name: &OsStr, path: &[u8], entry: &Entry) -> Result<()> {
        let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH;
        unistd::fchownat(dir, name, Some(uid), Some(gid), flags)
            .map_err(|errno| self.chown_failed(path, entry, errno))
    }

    fn chown_failed(&self, path: &[u8], entry: &Entry, errno: Errno) -> Error {
        // EINVAL: the id has no place in the user namespace's map.
        if errno != Errno::EINVAL || self.mode == Mode::Root {
            return failed("set owner", path, errno);
        }
        let (uid, gid) = (entry.uid, entry.gid);
        let need = u64::from(uid.max(gid));
        Error::new(Kind::Unsupported, "set owner", show(path))
            .because(format!("owner {uid}:{gid} is outside the mapped ids"))
            .hint(format!(
                "give this user a range of at least {need} ids in /etc/subuid and /etc/subgid"
            ))
    }

    fn xattrs(&mut self, file: &File, path: &[u8], entry: &Entry) -> Result<()> {
        self.set_xattrs(file, path, entry)?;
        if self.overridden(entry) {
            self.set_override(file, path, entry)?;
        }
        Ok(())
    }

    fn set_xattrs(&mut self, file: impl AsFd, path: &[u8], entry: &Entry) -> Result<()> {
        for (name, value) in &entry.xattrs {
            if !xattr_allowed(name, self.mode) {
                continue;
            }
            match xattr::fset(&file, name, value, Existing::Replace) {
                Ok(()) => {}
                Err(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EINVAL | Errno::E2BIG) => {
                    self.xattrs_refused += 1;
                }
                Err(errno) => return Err(failed("set attribute", path, errno)),
            }
        }
        Ok(())
    }

    fn set_override(&mut self, file: impl AsFd, path: &[u8], entry: &Entry) -> Result<()> {
        if self.user_xattrs {
            let text = override_text(entry);
            match xattr::fset(file, OVERRIDE_STAT, text.as_bytes(), Existing::Replace) {
                Ok(()) => return Ok(()),
                Err(Errno::EOPNOTSUPP) => self.user_xattrs = false,
                Err(errno) => return Err(failed("set attribute", path, errno)),
            }
        }
        self.remember(path, entry);
        Ok(())
    }

    fn remember(&mut self, path: &[u8], entry: &Entry) {
        self.overrides.push(Override {
            path: OsStr::from_bytes(path).into(),
            stat: override_text(entry),
        });
    }
}

/// Opens an O_PATH directory for calls that need a real descriptor.
pub(super) fn reopen_dir(dir: &OwnedFd, path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    fcntl::openat(dir, ".", flags, Permissions::empty())
        .map_err(|errno| failed("open directory", path, errno))
}

fn write<R: BufRead>(
    mut file: &File,
    path: &[u8],
    entry: &Entry,
    data: &mut Data<'_, R>,
) -> Result<()> {
    let fail = |error| Error::io("write", show(path), error);
    let Some(map) = &entry.sparse else {
        return copy(file, path, data, u64::MAX);
    };
    for Segment { offset, length } in map {
        file.seek(SeekFrom::Start(*offset)).map_err(fail)?;
        copy(file, path, data, *length)?;
    }
    file.set_len(entry.size).map_err(fail)
}

fn copy<R: BufRead>(
    mut file: &File,
    path: &[u8],
    data: &mut Data<'_, R>,
    mut left: u64,
) -> Result<()> {
    while left > 0 {
        let ready = data.peek(left)?;
        let count = ready.len();
        if count == 0 {
            break;
        }
        file.write_all(ready)
            .map_err(|error| Error::io("write", show(path), error))?;
        data.consume(count);
        left -= count as u64;
    }
    Ok(())
}
