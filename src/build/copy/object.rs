//! Copying what is no directory.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat, mknodat};
use nix::unistd::{linkat, symlinkat};

use super::attributes::{self, Attributes, Intended};
use super::dress::{Looks, text};
use super::tree::{Owners, kind};
use super::write::{Writer, failed};
use crate::common::{Error, Mode, Result};
use crate::sys::xattr::{self, Existing, OVERRIDE_STAT};

/// Files below this many bytes are small.
const SMALL: usize = 128 << 10;

/// First places of files with several names, by device and inode: an open directory would cost a
/// descriptor each.
pub(super) type Links = Mutex<HashMap<(u64, u64), (PathBuf, OsString)>>;

/// The place of a new object.
#[derive(Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) dir: BorrowedFd<'a>,
    pub(super) name: &'a OsStr,
    pub(super) path: &'a Path,
    /// The directory gives what is made in it neither a group nor an access list.
    pub(super) plain: bool,
}

/// Whether what is made in a directory has its maker's group and the permissions that are asked.
pub(super) fn is_plain(dir: &OwnedFd) -> bool {
    let set_group = fstat(dir).map_or(true, |facts| facts.st_mode & libc::S_ISGID != 0);
    !set_group && !matches!(xattr::fget(dir, b"system.posix_acl_default"), Ok(Some(_)))
}

impl Writer<'_> {
    /// Makes what is no directory.
    pub(super) fn object(
        &mut self,
        (from, name): (BorrowedFd<'_>, &OsStr),
        facts: &FileStat,
        new: New<'_>,
        owners: Owners,
    ) -> Result<()> {
        let nothing = Attributes::default();
        match kind(facts) {
            SFlag::S_IFREG => self.file((from, name), new, owners),
            SFlag::S_IFLNK => {
                let text = readlinkat(from, name).map_err(|e| failed("read link", new.path, e))?;
                symlinkat(text.as_os_str(), new.dir, new.name)
                    .map_err(|e| failed("make link", new.path, e))?;
                let looks = self.looks(facts, &nothing, owners);
                self.own_named((new.dir, new.name), new.path, &looks, SFlag::S_IFLNK)
            }
            other => {
                let looks = self.looks(facts, &nothing, owners);
                self.special(new, &looks, other, facts.st_rdev)
            }
        }
    }

    fn file(
        &mut self,
        (from, name): (BorrowedFd<'_>, &OsStr),
        new: New<'_>,
        owners: Owners,
    ) -> Result<()> {
        let path = new.path;
        let (source, facts) = open_file(from, name).map_err(|e| failed("open", path, e))?;
        let attributes = attributes::read(&source, owners);
        let looks = self.looks(&facts, &attributes, owners);
        if let Some(Intended { kind, device, .. }) = attributes.intended
            && kind != SFlag::S_IFREG
        {
            return self.special(new, &looks, kind, device);
        }
        if facts.st_nlink < 2 {
            return self.fill(&source, new, &looks);
        }
        // Held until the file is there: its other names may be copied at the same time.
        let shared = Arc::clone(&self.shared);
        let mut links = shared.links.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = (facts.st_dev, facts.st_ino);
        if let Some((upper, first)) = links.get(&identity)
            && let Ok(dir) = self.target.root.open_path(upper)
            && linkat(&dir, first.as_os_str(), new.dir, new.name, AtFlags::empty()).is_ok()
        {
            return Ok(());
        }
        self.fill(&source, new, &looks)?;
        let upper = path.parent().unwrap_or(Path::new("/")).to_owned();
        links.insert(identity, (upper, new.name.to_owned()));
        Ok(())
    }

    /// Makes a file with a content.
    fn fill(&mut self, source: &File, new: New<'_>, looks: &Looks<'_>) -> Result<()> {
        // What is made with its mode needs no change of it.
        let mode = match new.plain {
            true => looks.mode & 0o777,
            false => 0o600,
        };
        let failed_to = |what: &'static str| move |errno| failed(what, new.path, errno);
        let mut made = create(new.dir, new.name, mode).map_err(failed_to("create"))?;
        self.bytes(source, &mut made, looks.facts.st_size)
            .map_err(|error| Error::io("write", new.path, error))?;
        self.finish_like(&made, new.path, looks, new.plain)
    }

    /// Copies content: what is small by one read and one write, what is not by
    /// copy_file_range(2), which shares blocks where the file system can.
    fn bytes(&mut self, mut source: &File, made: &mut File, size: i64) -> std::io::Result<()> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size >= SMALL {
            return std::io::copy(&mut source, made).map(drop);
        }
        self.buffer.resize(SMALL, 0);
        let mut left = size;
        while left > 0 {
            match source.read(&mut self.buffer[..left]) {
                Ok(0) => break,
                Ok(count) => {
                    made.write_all(&self.buffer[..count])?;
                    left -= count;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn special(&mut self, new: New<'_>, looks: &Looks<'_>, kind: SFlag, device: u64) -> Result<()> {
        let mode = Permissions::from_bits_truncate(looks.mode);
        match mknodat(new.dir, new.name, kind, mode, device) {
            Ok(()) => self.own_named((new.dir, new.name), new.path, looks, kind),
            // A file stands for a device that nobody here can make.
            Err(Errno::EPERM) if self.target.mode != Mode::Root => {
                let file =
                    create(new.dir, new.name, 0o600).map_err(|e| failed("create", new.path, e))?;
                let text = text(looks.owner, looks.mode, kind, device);
                xattr::fset(&file, OVERRIDE_STAT, text.as_bytes(), Existing::Replace)
                    .map_err(|e| failed("describe", new.path, e))
            }
            Err(errno) => Err(failed("make node", new.path, errno)),
        }
    }
}

pub(super) fn open_file(dir: BorrowedFd<'_>, name: &OsStr) -> nix::Result<(File, FileStat)> {
    let flags = OFlag::O_RDONLY
        | OFlag::O_NOFOLLOW
        | OFlag::O_NONBLOCK
        | OFlag::O_NOCTTY
        | OFlag::O_CLOEXEC;
    let file = openat(dir, name, flags, Permissions::empty())?;
    let facts = fstat(&file)?;
    match kind(&facts) {
        SFlag::S_IFREG => Ok((File::from(file), facts)),
        // Something else took its place.
        _ => Err(Errno::ESTALE),
    }
}

/// Makes a file; the caller's umask is nothing.
pub(super) fn create(dir: BorrowedFd<'_>, name: &OsStr, mode: u32) -> nix::Result<File> {
    let flags =
        OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Permissions::from_bits_truncate(mode)).map(File::from)
}
