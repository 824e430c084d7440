//! Facts of names in a directory descriptor, and this process's umask.
//!
//! Nothing here follows a symbolic link in the name it is given.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{self, FileStat, Mode, SFlag};

/// Facts of `name` itself.
pub(crate) fn stat_at(dir: BorrowedFd<'_>, name: &OsStr) -> nix::Result<FileStat> {
    stat::fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)
}

/// Whether the facts are of a directory.
pub(crate) fn is_dir(facts: &FileStat) -> bool {
    facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits()
}

/// Whether the facts are of a symbolic link.
pub(crate) fn is_symlink(facts: &FileStat) -> bool {
    facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFLNK.bits()
}

/// Whether the facts are of overlayfs's mark for a deleted name: character device 0:0.
pub(crate) fn is_whiteout(facts: &FileStat) -> bool {
    facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFCHR.bits() && facts.st_rdev == 0
}

/// The directory behind any descriptor of it, readable.
pub(crate) fn reopen_dir(dir: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat(dir, ".", flags, Mode::empty())
}

/// All names in a directory but `.` and `..`, in the order of their bytes.
pub(crate) fn names(dir: BorrowedFd<'_>) -> nix::Result<Vec<OsString>> {
    let mut list = Dir::from_fd(reopen_dir(dir)?)?;
    let mut names = Vec::new();
    for entry in list.iter() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// The umask of this process, read without changing it (Linux 4.7); all bits when unknown, so
/// that a caller who compensates for it always does.
pub(crate) fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))
        .and_then(|value| u32::from_str_radix(value.trim(), 8).ok())
        .unwrap_or(0o777)
}
