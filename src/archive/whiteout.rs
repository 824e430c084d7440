//! Deletions in overlayfs's own form, so that an unpacked layer can be a lower directory as it
//! is (kernel documentation, overlayfs, "whiteouts and opaque directories").
//!
//! A mark deletes what lower layers hold. What its own layer holds stays, whichever comes first.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::fcntl::{self, OFlag};
use nix::sys::stat::{self, FileStat, Mode as Permissions, SFlag};

use super::apply::{Extractor, failed};
use super::create::reopen_dir;
use super::name;
use crate::common::{Mode, Result};
use crate::sys::node;
use crate::sys::xattr::{self, Existing};

impl Extractor {
    /// Deletes `path` from the layers below.
    pub(super) fn whiteout(&mut self, path: &[u8]) -> Result<()> {
        let (upper, name) = name::split(path);
        let parent = self.parent(upper)?;
        let name = OsStr::from_bytes(name);
        // Allowed without privilege since Linux 5.8.
        match stat::mknodat(&parent, name, SFlag::S_IFCHR, Permissions::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::EEXIST) => self.whiteout_existing(path, &parent, name),
            Err(Errno::EPERM) => self.whiteout_by_xattr(path, &parent, name),
            Err(errno) => Err(failed("make whiteout", path, errno)),
        }
    }

    /// The layer holds `path` itself: a file hides lower ones anyway, a directory has to be told.
    fn whiteout_existing(&mut self, path: &[u8], parent: &OwnedFd, name: &OsStr) -> Result<()> {
        let facts = node::stat_at(parent.as_fd(), name);
        let facts = facts.map_err(|errno| failed("stat", path, errno))?;
        if !node::is_dir(&facts) {
            return Ok(());
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let dir = fcntl::openat(parent, name, flags, Permissions::empty())
            .map_err(|errno| failed("open directory", path, errno))?;
        self.set_opaque(&dir, path)
    }

    /// Where device nodes are refused: an empty file and a parent that are marked (Linux 6.7).
    fn whiteout_by_xattr(&mut self, path: &[u8], parent: &OwnedFd, name: &OsStr) -> Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = match fcntl::openat(parent, name, flags, Permissions::S_IRUSR) {
            Err(Errno::EEXIST) => return self.whiteout_existing(path, parent, name),
            other => other.map_err(|errno| failed("make whiteout", path, errno))?,
        };
        let fail = |errno| failed("make whiteout", path, errno);
        xattr::fset(
            &file,
            self.overlay_name("whiteout"),
            b"y",
            Existing::Replace,
        )
        .map_err(fail)?;
        let dir = reopen_dir(parent, path)?;
        match xattr::fset(&dir, self.overlay_name("opaque"), b"x", Existing::Refuse) {
            // Marked before, or opaque: then nothing below shows through.
            Err(Errno::EEXIST) => Ok(()),
            other => other.map_err(fail),
        }
    }

    /// Hides what lower layers hold in the directory `path`.
    pub(super) fn opaque(&mut self, path: &[u8]) -> Result<()> {
        if path.is_empty() {
            self.opaque_top = true;
            return Ok(());
        }
        let dir = self.parent(path)?;
        self.set_opaque(&dir, path)
    }

    pub(super) fn set_opaque(&self, dir: &OwnedFd, path: &[u8]) -> Result<()> {
        let dir = reopen_dir(dir, path)?;
        xattr::fset(&dir, self.overlay_name("opaque"), b"y", Existing::Replace).map_err(|errno| {
            failed("mark directory opaque", path, errno)
                .hint("keep the store on a file system with extended attributes")
        })
    }

    /// Whether `name` is a mark that [`Extractor::whiteout`] made.
    pub(super) fn is_whiteout(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        facts: &FileStat,
    ) -> Result<bool> {
        let regular = facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
        if !regular || facts.st_size != 0 {
            return Ok(node::is_whiteout(facts));
        }
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let Ok(file) = fcntl::openat(parent, name, flags, Permissions::empty()) else {
            return Ok(false);
        };
        let mark = xattr::fget(&file, self.overlay_name("whiteout"));
        Ok(matches!(mark, Ok(Some(_))))
    }

    /// The attribute family overlayfs reads: `trusted` in a mount by root, `user` with
    /// `userxattr` in all others.
    fn overlay_name(&self, what: &str) -> &'static [u8] {
        match (self.mode, what) {
            (Mode::Root, "opaque") => b"trusted.overlay.opaque",
            (Mode::Root, _) => b"trusted.overlay.whiteout",
            (_, "opaque") => b"user.overlay.opaque",
            (_, _) => b"user.overlay.whiteout",
        }
    }
}
