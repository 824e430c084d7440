//! Facts of names in a directory descriptor, and this process's umask.
//!
//! Nothing here follows a symbolic link in the name it is given.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::BorrowedFd;

use nix::fcntl::AtFlags;
use nix::sys::stat::{self, FileStat, SFlag};

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
