//! An empty volume gets what the image has at its place, from inside the container's user
//! namespace: so owners are right in every identity mode.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::common::{Error, Result};
use crate::sys::file::{self, Sharing};
use crate::sys::{copy, tree};

/// In a volume while it is filled: what a killed container has begun is done again.
const MARK: &str = ".ketch-filling";

/// Fills the directory `source` with what `target` holds, unless there is something in it; owner
/// and mode come along. Says whether it did. `around` is locked meanwhile: whoever starts at the
/// same time waits.
///
/// # Errors
/// What reading or writing gave, with `place` as the name of the target.
pub(super) fn fill(
    target: &OwnedFd,
    source: &OwnedFd,
    around: Option<&File>,
    place: &str,
) -> Result<bool> {
    let failed = |errno| Error::errno("copy the image's content to the volume at", place, errno);
    let to = reopen(source).map_err(failed)?;
    if let Some(around) = around {
        // Unlocked when it is closed, by a kill too.
        file::lock(around, Sharing::Exclusive)
            .map_err(|error| Error::io("lock the volume at", place, error))?;
    }
    let found = copy::names(to.as_fd()).map_err(failed)?;
    if !found.is_empty() && found.iter().all(|name| name.to_bytes() != MARK.as_bytes()) {
        return Ok(false);
    }
    for name in &found {
        let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        tree::remove_at(to.as_fd(), name)?;
    }
    let from = reopen(target).map_err(failed)?;
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    openat(&to, MARK, flags, Mode::S_IRUSR).map_err(failed)?;
    copy::copy_contents(from.as_fd(), to.as_fd()).map_err(failed)?;
    unlinkat(&to, MARK, UnlinkatFlags::NoRemoveDir).map_err(failed)?;
    copy::copy_owner_and_mode(from.as_fd(), to.as_fd()).map_err(failed)?;
    Ok(true)
}

/// A readable descriptor of the directory an O_PATH one refers to.
pub(super) fn reopen(dir: &OwnedFd) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    openat(dir, ".", flags, Mode::empty())
}
