//! From the page cache to the disk.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use crate::common::{Error, Result};

/// Writes back everything dirty on the file system of `path` (syncfs(2)).
pub(crate) fn sync_file_system(path: &Path) -> Result<()> {
    let dir = File::open(path).map_err(|error| Error::io("open", path, error))?;
    nix::unistd::syncfs(dir.as_fd()).map_err(|errno| Error::errno("syncfs", path, errno))
}

/// Begins to write back what is dirty of a file from `offset` on, without waiting for the disk
/// (sync_file_range(2)): a later sync finds less to do. Promises nothing, and so cannot fail.
pub(crate) fn begin(file: BorrowedFd<'_>, offset: u64) {
    let from = i64::try_from(offset).unwrap_or(0);
    // SAFETY: takes no pointers; the descriptor is borrowed for the whole call.
    let _ =
        unsafe { libc::sync_file_range(file.as_raw_fd(), from, 0, libc::SYNC_FILE_RANGE_WRITE) };
}
