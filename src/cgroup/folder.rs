//! One cgroup's folder: small reads and writes relative to its descriptor, so that nothing is
//! resolved twice and a renamed parent is not followed.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, access};

use crate::common::{Error, Result};

/// An open folder of a cgroup file system.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens an existing cgroup.
    pub(super) fn open(path: &Path) -> Result<Folder> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = open(path, flags, Mode::empty())
            .map_err(|errno| Error::errno("open cgroup", path, errno))?;
        Ok(Folder {
            fd,
            path: path.to_owned(),
        })
    }

    /// Makes a cgroup and opens it; one that is there already is taken when `reuse` says so.
    pub(super) fn make(path: &Path, reuse: bool) -> Result<Folder> {
        match nix::unistd::mkdir(path, Mode::from_bits_truncate(0o755)) {
            Ok(()) => {}
            Err(Errno::EEXIST) if reuse => {}
            Err(errno) => return Err(Error::errno("make cgroup", path, errno)),
        }
        Folder::open(path)
    }

    /// Where the folder is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The descriptor.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Opens a file of the cgroup for writing.
    pub(super) fn writer(&self, file: &str) -> Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, file, flags, Mode::empty())
            .map_err(|errno| Error::errno("open", self.path.join(file), errno))?;
        Ok(File::from(fd))
    }

    /// Writes `value` in one call, as the kernel wants it.
    pub(super) fn write(&self, file: &str, value: &str) -> Result<()> {
        let mut out = self.writer(file)?;
        out.write_all(value.as_bytes())
            .map_err(|e| Error::io("write", self.path.join(file), e))
    }

    /// Reads a whole file.
    pub(super) fn read(&self, file: &str) -> Result<String> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, file, flags, Mode::empty())
            .map_err(|errno| Error::errno("open", self.path.join(file), errno))?;
        // With room from the start, and not asking for a length that the kernel does not know.
        let mut text = String::with_capacity(4096);
        Read::take(File::from(fd), u64::MAX)
            .read_to_string(&mut text)
            .map_err(|e| Error::io("read", self.path.join(file), e))?;
        Ok(text)
    }
}

/// Says whether this user may make cgroups in `path`.
pub(super) fn is_writable(path: &Path) -> bool {
    access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}
