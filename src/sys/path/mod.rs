//! Paths inside a tree that somebody else can write: a rootfs, a layer being unpacked, a volume.
//!
//! [`Root`] is a descriptor of the tree's top directory. Every lookup starts there and can't
//! leave it, whatever symbolic links, `..` or renames the tree holds: openat2(2) does it where
//! the kernel has it (5.6), an own walk over O_PATH descriptors elsewhere ([`walk`]). Callers
//! keep the descriptor they get and never join strings.

mod walk;

#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{self, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{self, Mode, SFlag};

use crate::common::{Error, Kind, Result};
use walk::{Create, Walk};

/// openat2 answers EAGAIN while something on the path is being renamed; one who renames for
/// ever must not hold us for ever (the number libpathrs uses).
const RACE_RETRIES: usize = 128;

/// Who resolves a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolver {
    /// openat2(2), and the walk when the kernel or a seccomp filter refuses that call.
    Kernel,
    /// The walk alone.
    #[cfg(test)]
    Walk,
}

/// What a lookup does with symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Follows all, each as if the root were `/`.
    Follow,
    /// Follows all but the last component.
    FollowParents,
    /// Refuses any with ELOOP, and `..` or `/` that would leave the root with EXDEV.
    Refuse,
}

/// The top directory of an untrusted tree.
#[derive(Debug)]
pub(crate) struct Root {
    dir: OwnedFd,
    resolver: Resolver,
}

impl Root {
    /// Opens the directory `path` as a root. `path` itself is trusted: its links are followed.
    pub(crate) fn open(path: &Path) -> Result<Root> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let dir = fcntl::open(path, flags, Mode::empty())
            .map_err(|errno| Error::errno("open directory", path, errno))?;
        Ok(Root::from_fd(dir))
    }

    /// Makes a root of a directory descriptor (O_PATH is enough).
    pub(crate) fn from_fd(dir: OwnedFd) -> Root {
        Root {
            dir,
            resolver: Resolver::Kernel,
        }
    }

    /// The same root with a fixed resolver.
    #[cfg(test)]
    pub(crate) fn with_resolver(mut self, resolver: Resolver) -> Root {
        self.resolver = resolver;
        self
    }

    /// The root directory itself.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Opens what `path` names as O_PATH, links followed inside the root.
    pub(crate) fn open_path(&self, path: impl AsRef<Path>) -> Result<OwnedFd> {
        let path = path.as_ref();
        self.lookup(path, OFlag::O_PATH, Links::Follow)
            .map_err(|errno| Error::errno("open", path, errno))
    }

    /// Opens `path` as O_PATH; a link in the last component is opened itself.
    pub(crate) fn open_path_nofollow(&self, path: impl AsRef<Path>) -> Result<OwnedFd> {
        let path = path.as_ref();
        self.lookup(path, OFlag::O_PATH, Links::FollowParents)
            .map_err(|errno| Error::errno("open", path, errno))
    }

    /// Opens a regular file (or, with O_DIRECTORY, a directory) for reading or writing, links
    /// followed. A fifo or device in its place is refused: an image's `/etc/passwd` must not
    /// hang or drive hardware.
    pub(crate) fn open_file(&self, path: impl AsRef<Path>, flags: OFlag) -> Result<OwnedFd> {
        let path = path.as_ref();
        let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = self
            .lookup_mode(path, flags, Mode::from_bits_truncate(0o644), Links::Follow)
            .map_err(|errno| Error::errno("open", path, errno))?;
        let kind = file_type(&file).map_err(|errno| Error::errno("stat", path, errno))?;
        if kind == SFlag::S_IFREG || kind == SFlag::S_IFDIR {
            return Ok(file);
        }
        Err(irregular(path))
    }

    /// As [`open_file`](Root::open_file), of a regular file alone, with its length in bytes.
    pub(crate) fn open_regular(
        &self,
        path: impl AsRef<Path>,
        flags: OFlag,
    ) -> Result<(OwnedFd, u64)> {
        let path = path.as_ref();
        let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = self
            .lookup_mode(path, flags, Mode::from_bits_truncate(0o644), Links::Follow)
            .map_err(|errno| Error::errno("open", path, errno))?;
        let facts = stat::fstat(&file).map_err(|errno| Error::errno("stat", path, errno))?;
        if facts.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
            return Err(irregular(path));
        }
        Ok((file, u64::try_from(facts.st_size).unwrap_or_default()))
    }

    /// Makes the directory `path` and its missing parents inside the root, links followed there;
    /// returns it as O_PATH. `mode` is for the new directories and subject to the umask.
    pub(crate) fn make_dirs(&self, path: impl AsRef<Path>, mode: u32) -> Result<OwnedFd> {
        let path = path.as_ref();
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        match self.lookup(path, flags, Links::Follow) {
            Err(Errno::ENOENT) => self.create(path, flags, Create::Dirs(mode)),
            other => other,
        }
        .map_err(|errno| Error::errno("make directory", path, errno))
    }

    /// Returns what `path` names as O_PATH, after making it an empty regular file (and its
    /// parents 0755) when nothing is there. A dangling link is completed inside the root.
    pub(crate) fn make_file(&self, path: impl AsRef<Path>, mode: u32) -> Result<OwnedFd> {
        let path = path.as_ref();
        match self.lookup(path, OFlag::O_PATH, Links::Follow) {
            Err(Errno::ENOENT) => self.create(path, OFlag::O_PATH, Create::File(mode)),
            other => other,
        }
        .map_err(|errno| Error::errno("make file", path, errno))
    }

    /// Opens `path` with `flags` under the rule `links`; the errno is left to the caller.
    pub(crate) fn lookup(&self, path: &Path, flags: OFlag, links: Links) -> nix::Result<OwnedFd> {
        self.lookup_mode(path, flags, Mode::empty(), links)
    }

    fn lookup_mode(
        &self,
        path: &Path,
        flags: OFlag,
        mode: Mode,
        links: Links,
    ) -> nix::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        if self.resolver == Resolver::Kernel {
            match self.kernel_lookup(path, flags, mode, links) {
                // EPERM: seccomp filters made before openat2 was known answer with it.
                Err(Errno::ENOSYS | Errno::EPERM) => {}
                other => return other,
            }
        }
        self.walk(path, flags, mode, links, Create::Nothing)
    }

    fn kernel_lookup(
        &self,
        path: &Path,
        mut flags: OFlag,
        mode: Mode,
        links: Links,
    ) -> nix::Result<OwnedFd> {
        let resolve = match links {
            Links::Refuse => ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS,
            Links::Follow | Links::FollowParents => ResolveFlag::RESOLVE_IN_ROOT,
        };
        if links == Links::FollowParents {
            flags |= OFlag::O_NOFOLLOW;
        }
        // openat2 refuses a mode when nothing can be created.
        let mode = if flags.contains(OFlag::O_CREAT) {
            mode
        } else {
            Mode::empty()
        };
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .mode(mode)
            .resolve(resolve | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let mut tries = 0;
        loop {
            match fcntl::openat2(&self.dir, path, how) {
                Err(Errno::EAGAIN | Errno::EINTR) if tries < RACE_RETRIES => tries += 1,
                other => return other,
            }
        }
    }

    /// Makes what a lookup did not find. The usual case, a plain name in a directory that is
    /// there, is three calls by way of the kernel; a walk of the same takes fourteen, and a
    /// container start makes half a dozen mount points. Anything else is the walk's.
    fn create(&self, path: &Path, flags: OFlag, create: Create) -> nix::Result<OwnedFd> {
        if self.resolver == Resolver::Kernel
            && let Some(made) = self.create_in_parent(path, flags, create)
        {
            return Ok(made);
        }
        self.walk(path, flags, Mode::empty(), Links::Follow, create)
    }

    fn create_in_parent(&self, path: &Path, flags: OFlag, create: Create) -> Option<OwnedFd> {
        let mode = |mode| Mode::from_bits_truncate(mode);
        match create {
            Create::Nothing => None,
            Create::Dirs(bits) => {
                let (parent, name) = (path.parent()?, path.file_name()?);
                let dir = OFlag::O_PATH | OFlag::O_DIRECTORY;
                let parent = self
                    .kernel_lookup(parent, dir, Mode::empty(), Links::Follow)
                    .ok()?;
                stat::mkdirat(&parent, name, mode(bits)).ok()?;
                // From the root again: the parent may have been moved out of it meanwhile.
                self.kernel_lookup(path, flags, Mode::empty(), Links::Follow)
                    .ok()
            }
            // O_EXCL: only a file that this very call makes is opened, never a fifo or device.
            Create::File(bits) => {
                let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDONLY;
                self.kernel_lookup(path, flags, mode(bits), Links::Follow)
                    .ok()
            }
        }
    }

    fn walk(
        &self,
        path: &Path,
        flags: OFlag,
        mode: Mode,
        links: Links,
        create: Create,
    ) -> nix::Result<OwnedFd> {
        let mut tries = 0;
        loop {
            let walk = Walk::new(self.dir.as_fd(), path, links, create)?;
            match walk.run(flags, mode) {
                Err(Errno::EAGAIN) if tries < RACE_RETRIES => tries += 1,
                other => return other,
            }
        }
    }
}

fn irregular(path: &Path) -> Error {
    Error::new(Kind::Corrupt, "open", path.display().to_string()).because("not a regular file")
}

/// The S_IFMT part of what `fd` refers to.
fn file_type(fd: impl AsFd) -> nix::Result<SFlag> {
    let mode = stat::fstat(fd)?.st_mode;
    Ok(SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()))
}
