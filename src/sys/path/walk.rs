//! Resolution without openat2: one component at a time over O_PATH descriptors.
//!
//! Links are read and expanded here, never followed by the kernel. `..` goes back to the
//! descriptor we came from and not through the directory's own `..`, so a directory renamed
//! during the walk can't lead out; at the end the directory found is climbed once to see that
//! it still lies below the root.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{self, OFlag};
use nix::sys::stat::{self, Mode, SFlag};

use super::{Links, file_type};

/// The kernel's own limit on links in one lookup (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// Directories held open at once, well below the usual limit of 1024 descriptors.
const DEPTH_MAX: usize = 256;

/// What the walk makes where a component is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    /// Nothing: ENOENT.
    Nothing,
    /// Directories of this mode.
    Dirs(u32),
    /// Directories 0755, and a regular file of this mode as the last component.
    File(u32),
}

/// One lookup in progress.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    root: BorrowedFd<'a>,
    links: Links,
    create: Create,
    /// Directories below the root, the current one last.
    stack: Vec<OwnedFd>,
    /// Components to come, the next one last.
    rest: Vec<OsString>,
    links_seen: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        root: BorrowedFd<'a>,
        path: &Path,
        links: Links,
        create: Create,
    ) -> nix::Result<Walk<'a>> {
        let mut walk = Walk {
            root,
            links,
            create,
            stack: Vec::new(),
            rest: Vec::new(),
            links_seen: 0,
        };
        walk.push(path.as_os_str().as_bytes())?;
        Ok(walk)
    }

    /// Resolves to the end and opens the result with `flags`.
    pub(super) fn run(mut self, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        let flags = flags | OFlag::O_CLOEXEC;
        while let Some(name) = self.rest.pop() {
            match name.as_bytes() {
                b"." => continue,
                b".." if self.stack.pop().is_some() => continue,
                b".." if self.links == Links::Refuse => return Err(Errno::EXDEV),
                b".." => continue,
                _ => {}
            }
            let last = self.rest.is_empty();
            if last && self.links == Links::FollowParents {
                return self.finish(&name, flags, mode);
            }
            let found = match self.open(&name) {
                Err(Errno::ENOENT) if last && flags.contains(OFlag::O_CREAT) => {
                    return self.finish(&name, flags, mode);
                }
                Err(Errno::ENOENT) if self.create != Create::Nothing => {
                    self.make(&name, last)?;
                    self.open(&name)?
                }
                other => other?,
            };
            match file_type(&found)? {
                SFlag::S_IFLNK => self.expand(&found)?,
                SFlag::S_IFDIR if self.stack.len() >= DEPTH_MAX => {
                    return Err(Errno::ENAMETOOLONG);
                }
                SFlag::S_IFDIR => self.stack.push(found),
                _ if last => return self.finish(&name, flags, mode),
                _ => return Err(Errno::ENOTDIR),
            }
        }
        self.verify()?;
        fcntl::openat(self.here(), ".", flags, mode)
    }

    /// Queues the components of `path` before those waiting.
    fn push(&mut self, path: &[u8]) -> nix::Result<()> {
        if path.first() == Some(&b'/') {
            if self.links == Links::Refuse {
                return Err(Errno::EXDEV);
            }
            self.stack.clear();
        }
        // What ends in a slash must be a directory, as if a dot followed.
        if path.last() == Some(&b'/') {
            self.rest.push(OsString::from("."));
        }
        let names = path.split(|byte| *byte == b'/').rev();
        self.rest.extend(
            names
                .filter(|name| !name.is_empty())
                .map(|name| OsString::from_vec(name.to_vec())),
        );
        Ok(())
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.stack.last().map_or(self.root, |dir| dir.as_fd())
    }

    fn open(&self, name: &OsString) -> nix::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        fcntl::openat(self.here(), name.as_os_str(), flags, Mode::empty())
    }

    /// Opens the last component, which is no link to follow. Should it have become one since,
    /// O_NOFOLLOW refuses it.
    fn finish(&self, name: &OsString, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        self.verify()?;
        let flags = flags | OFlag::O_NOFOLLOW;
        fcntl::openat(self.here(), name.as_os_str(), flags, mode)
    }

    fn expand(&mut self, link: &OwnedFd) -> nix::Result<()> {
        self.links_seen += 1;
        if self.links == Links::Refuse || self.links_seen > LINKS_MAX {
            return Err(Errno::ELOOP);
        }
        let target = fcntl::readlinkat(link, "")?;
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.push(target.as_bytes())
    }

    fn make(&self, name: &OsString, last: bool) -> nix::Result<()> {
        let made = match self.create {
            Create::File(mode) if last => stat::mknodat(
                self.here(),
                name.as_os_str(),
                SFlag::S_IFREG,
                Mode::from_bits_truncate(mode),
                0,
            ),
            Create::Dirs(mode) => self.make_dir(name, mode),
            Create::File(_) | Create::Nothing => self.make_dir(name, 0o755),
        };
        match made {
            // Somebody else made it: what it is will be seen when it is opened.
            Err(Errno::EEXIST) => Ok(()),
            other => other,
        }
    }

    fn make_dir(&self, name: &OsString, mode: u32) -> nix::Result<()> {
        stat::mkdirat(
            self.here(),
            name.as_os_str(),
            Mode::from_bits_truncate(mode),
        )
    }

    /// EAGAIN unless the current directory still lies below the root.
    pub(super) fn verify(&self) -> nix::Result<()> {
        let root = identity(self.root)?;
        let mut at = identity(self.here())?;
        if at == root {
            return Ok(());
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut dir = fcntl::openat(self.here(), "..", flags, Mode::empty())?;
        for _ in 0..=DEPTH_MAX {
            let parent = identity(dir.as_fd())?;
            if parent == root {
                return Ok(());
            }
            if parent == at {
                break;
            }
            at = parent;
            dir = fcntl::openat(&dir, "..", flags, Mode::empty())?;
        }
        Err(Errno::EAGAIN)
    }
}

/// What tells two directories apart.
fn identity(dir: BorrowedFd<'_>) -> nix::Result<(u64, u64)> {
    let facts = stat::fstat(dir)?;
    Ok((facts.st_dev, facts.st_ino))
}

#[cfg(test)]
impl Walk<'_> {
    /// The walk as it is after it has entered `dir`.
    pub(super) fn standing_in(mut self, dir: OwnedFd) -> Self {
        self.stack.push(dir);
        self
    }
}
