//! Where a copy goes: the directories on the way, made when missing, and the name at its end.
//!
//! Links of the root are followed inside it, as BuildKit does.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode as Permissions, mkdirat};

use super::write::Writer;
use crate::common::{Error, Result};
use crate::sys::node;
use crate::sys::path::Links;

/// Links followed at the end of a path.
const LINKS_MAX: usize = 40;

/// Mode of directories that are made on the way.
const DIRECTORY: u32 = 0o755;

/// A destination.
#[derive(Debug)]
pub(super) enum Place {
    /// A directory that is there.
    Dir(OwnedFd, PathBuf),
    /// A name in a directory, where no directory is.
    Name(OwnedFd, PathBuf, OsString),
}

impl Writer<'_> {
    /// Finds the destination, whose directory is made. A path that ends in `/` is a directory.
    pub(super) fn find(&mut self, path: &Path, directory: bool) -> Result<Place> {
        if directory {
            let dir = self.make_dirs(path)?;
            return Ok(Place::Dir(dir, path.to_owned()));
        }
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            let (Some(upper), Some(name)) = (path.parent(), path.file_name()) else {
                let dir = self.make_dirs(&path)?;
                return Ok(Place::Dir(dir, path));
            };
            let parent = self.make_dirs(upper)?;
            match node::stat_at(parent.as_fd(), name) {
                Ok(facts) if node::is_symlink(&facts) => {
                    let target = readlinkat(&parent, name)
                        .map_err(|errno| Error::errno("read link", &path, errno))?;
                    path = upper.join(target);
                }
                Ok(facts) if node::is_dir(&facts) => {
                    let dir = self.make_dirs(&path)?;
                    return Ok(Place::Dir(dir, path));
                }
                Ok(_) | Err(Errno::ENOENT) => {
                    return Ok(Place::Name(parent, upper.to_owned(), name.to_owned()));
                }
                Err(errno) => return Err(Error::errno("stat", &path, errno)),
            }
        }
        Err(Error::errno("find", &path, Errno::ELOOP))
    }

    /// Opens a directory, made with those on the way.
    pub(super) fn make_dirs(&mut self, path: &Path) -> Result<OwnedFd> {
        let root = self.target.root;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let failed = |errno| Error::errno("make directory", path, errno);
        match root.lookup(path, flags, Links::Follow) {
            Err(Errno::ENOENT) => {}
            other => return other.map_err(failed),
        }
        let Some(upper) = path.parent() else {
            return Err(failed(Errno::ENOENT));
        };
        let Some(name) = path.file_name() else {
            self.make_dirs(upper)?;
            return root.lookup(path, flags, Links::Follow).map_err(failed);
        };
        let parent = self.make_dirs(upper)?;
        match mkdirat(&parent, name, Permissions::S_IRWXU) {
            Ok(()) => {}
            // A link to nothing: what it leads to is made.
            Err(Errno::EEXIST) => {
                let target = readlinkat(&parent, name).map_err(failed)?;
                self.links += 1;
                if self.links > LINKS_MAX {
                    return Err(failed(Errno::ELOOP));
                }
                return self.make_dirs(&upper.join(target));
            }
            Err(errno) => return Err(failed(errno)),
        }
        let made = open_dir(parent.as_fd(), name).map_err(failed)?;
        let owner = self.options.chown.unwrap_or((0, 0));
        self.finish_made(&made, path, owner, self.made_mode(DIRECTORY))?;
        Ok(made)
    }

    /// Mode of a directory that no source has.
    fn made_mode(&self, usual: u32) -> u32 {
        match &self.options.chmod {
            Some(super::Chmod::Octal(mode)) => *mode,
            _ => usual,
        }
    }
}

/// Opens a directory by its name in another.
pub(super) fn open_dir(parent: std::os::fd::BorrowedFd<'_>, name: &OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(parent, name, flags, Permissions::empty())
}

/// The path of a destination and whether it has to be a directory.
pub(super) fn destination(text: &str) -> (PathBuf, bool) {
    let directory = text.ends_with('/') || text.ends_with("/.");
    let clean = crate::build::context::pattern::clean(text.as_bytes());
    let path = Path::new("/").join(OsStr::from_bytes(&clean));
    (path, directory)
}
