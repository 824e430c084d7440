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
        let mode = Permissions::S_IRUSR | Permissions::S_IWUSR;
        let file = match fcntl::openat(parent, name, flags, mode) {
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
        xattr::fset(&dir, self.overlay_name("opaque"), b"y", Existing::Replace).map_err(
            |errno| {
                failed("mark directory opaque", path, errno)
                    .hint("keep the store on a file system with extended attributes")
            },
        )?;
        if self.mode == Mode::Root {
            // For `--userns=auto`, whose overlay is mounted in a user namespace and reads this
            // family. Where user attributes are refused only such a container misses it.
            let _ = xattr::fset(&dir, b"user.overlay.opaque", b"y", Existing::Replace);
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::UnpackOptions;
    use crate::archive::contents;
    use std::fs::{self, File};

    #[test]
    fn where_nodes_are_refused_a_marked_file_stands_for_one() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("d")).unwrap();
        let target = File::open(top.path()).unwrap();
        let options = UnpackOptions::new(Mode::Single);
        let mut layer = Extractor::new(target.as_fd(), &options, contents::channel().0).unwrap();
        let parent = layer.parent(b"d").unwrap();
        let name = OsStr::new("gone");
        match layer.whiteout_by_xattr(b"d/gone", &parent, name) {
            // No user attributes on this file system: nothing to see.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return,
            other => other.unwrap(),
        }
        layer.whiteout_by_xattr(b"d/gone", &parent, name).unwrap();
        layer
            .whiteout_by_xattr(b"d/other", &parent, OsStr::new("other"))
            .unwrap();
        let facts = node::stat_at(parent.as_fd(), name).unwrap();
        assert!(layer.is_whiteout(&parent, name, &facts).unwrap());
        let key = b"user.overlay.opaque";
        let mark = || xattr::lget(&top.path().join("d"), key).unwrap();
        assert_eq!(mark().unwrap(), b"x");
        layer.opaque(b"d").unwrap();
        layer
            .whiteout_by_xattr(b"d/third", &parent, OsStr::new("third"))
            .unwrap();
        assert_eq!(mark().unwrap(), b"y");
    }
}
