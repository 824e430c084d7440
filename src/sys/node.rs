//! Names in a directory descriptor: facts, removal, and this process's umask.
//!
//! Nothing here follows a symbolic link in the name it is given.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, FchmodatFlags, FileStat, Mode, SFlag};
use nix::unistd::{self, UnlinkatFlags};

/// Directory levels one removal goes down; each holds a descriptor.
const DEPTH_MAX: usize = 4096;

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

/// Removes `name` and, when it is a directory, all below it. Missing is fine.
pub(crate) fn remove_tree(dir: BorrowedFd<'_>, name: &OsStr) -> nix::Result<()> {
    remove(dir, name, 0)
}

fn remove(parent: BorrowedFd<'_>, name: &OsStr, depth: usize) -> nix::Result<()> {
    match unistd::unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
        // Linux says EISDIR; POSIX allows EPERM.
        Err(Errno::EISDIR | Errno::EPERM) => {}
        Err(Errno::ENOENT) => return Ok(()),
        other => return other,
    }
    if depth == DEPTH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let opened = match fcntl::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::EACCES) => {
            let mode = Mode::S_IRWXU;
            stat::fchmodat(parent, name, mode, FchmodatFlags::NoFollowSymlink)?;
            fcntl::openat(parent, name, flags, Mode::empty())
        }
        other => other,
    }?;
    let mut listing = Dir::from_fd(opened)?;
    let mut names = Vec::new();
    for entry in listing.iter() {
        let entry = entry?;
        let child = entry.file_name().to_bytes();
        if child != b"." && child != b".." {
            names.push(OsStr::from_bytes(child).to_owned());
        }
    }
    for child in names {
        remove(std::os::fd::AsFd::as_fd(&listing), &child, depth + 1)?;
    }
    unistd::unlinkat(parent, name, UnlinkatFlags::RemoveDir)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_tree_is_removed_without_following_its_links() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path();
        fs::create_dir_all(path.join("tree/a/b")).unwrap();
        fs::create_dir(path.join("kept")).unwrap();
        fs::write(path.join("kept/file"), "x").unwrap();
        symlink("../kept", path.join("tree/out")).unwrap();
        fs::set_permissions(path.join("tree/a"), fs::Permissions::from_mode(0)).unwrap();
        let dir = File::open(path).unwrap();
        remove_tree(dir.as_fd(), OsStr::new("tree")).unwrap();
        remove_tree(dir.as_fd(), OsStr::new("tree")).unwrap();
        assert!(!path.join("tree").exists());
        assert!(path.join("kept/file").exists());
    }
}
