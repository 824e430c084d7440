//! Removal and measuring of whole trees, by descriptor, without ever following a link.
//!
//! The trees were written by images and payloads: names, depth, modes and links are hostile.

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::descriptor;
use super::file::random_name;
use crate::common::{Error, Result};

/// Levels handled with one descriptor each. A deeper directory is moved to the top first, so
/// that no tree can exhaust descriptors or the stack.
const MAX_DEPTH: usize = 100;

/// Removes `path` and everything below it; a missing path is fine.
///
/// Goes on past errors and returns the first: what could be removed is gone. Directories of the
/// caller that cannot be read or written (overlay's `work/work` has mode 000) get mode 0700
/// first. Mount points are not entered and stay.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    remove_at(AT_FDCWD, path)
}

/// As [`remove_tree`], of the entry `name` of the directory `parent`. `name` is one component.
pub(crate) fn remove_at(parent: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let missing = |errno: &Errno| *errno == Errno::ENOENT;
    let unlink = |flags| match unlinkat(parent, name, flags) {
        Err(errno) if !missing(&errno) => Err(Error::errno("remove", name, errno)),
        _ => Ok(()),
    };
    let top = match open_dir(&parent, name) {
        Ok(top) => top,
        Err(errno) if missing(&errno) => return Ok(()),
        // Not a directory, or a link.
        Err(Errno::ENOTDIR | Errno::ELOOP) => return unlink(UnlinkatFlags::NoRemoveDir),
        Err(errno) => return Err(Error::errno("open", name, errno)),
    };
    let mut removal = Removal {
        top: top.as_fd(),
        first_error: None,
        moved: false,
    };
    removal.empty(top.as_fd(), name, 0);
    while removal.moved && removal.first_error.is_none() {
        removal.moved = false;
        // Opened anew, not duplicated: each round has to read from the start.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match openat(&top, ".", flags, Mode::empty()) {
            Ok(dir) => removal.empty(dir.as_fd(), name, 0),
            Err(errno) => return Err(Error::errno("remove", name, errno)),
        }
    }
    match removal.first_error {
        Some(error) => Err(error),
        None => unlink(UnlinkatFlags::RemoveDir),
    }
}

struct Removal<'a> {
    top: BorrowedFd<'a>,
    first_error: Option<Error>,
    /// A deep directory was moved to the top, which therefore needs another round.
    moved: bool,
}

impl Removal<'_> {
    fn note(&mut self, path: PathBuf, errno: Errno) {
        if errno != Errno::ENOENT && self.first_error.is_none() {
            self.first_error = Some(Error::errno("remove", path, errno));
        }
    }

    /// Removes everything in `dir`; `path` only names it.
    fn empty(&mut self, dir: BorrowedFd<'_>, path: &Path, depth: usize) {
        let names = match entries(dir) {
            Ok(found) => found,
            Err(errno) => return self.note(path.to_owned(), errno),
        };
        for (name, known_file) in names {
            if known_file {
                match unlink(dir, &name, UnlinkatFlags::NoRemoveDir) {
                    Ok(()) => continue,
                    Err(Errno::EISDIR) => {}
                    Err(errno) => {
                        self.note(join(path, &name), errno);
                        continue;
                    }
                }
            }
            self.remove_dir(dir, &name, path, depth);
        }
    }

    fn remove_dir(&mut self, parent: BorrowedFd<'_>, name: &CStr, path: &Path, depth: usize) {
        let own_path = join(path, name);
        // Most directories of a container are empty: one call instead of ten.
        match unlink(parent, name, UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => return,
            Err(_) => {}
        }
        if depth >= MAX_DEPTH {
            let moved = random_name(".deep-")
                .map_err(|_| Errno::EAGAIN)
                .and_then(|new| renameat(parent, name, self.top, new.as_str()));
            match moved {
                Ok(()) => self.moved = true,
                Err(errno) => self.note(own_path, errno),
            }
            return;
        }
        match open_dir(&parent, name) {
            Ok(child) => self.empty(child.as_fd(), &own_path, depth + 1),
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                if let Err(errno) = unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
                    self.note(own_path, errno);
                }
                return;
            }
            // An empty directory needs no reading: a stranger's may still be removable.
            Err(Errno::EACCES) => {}
            Err(errno) => return self.note(own_path, errno),
        }
        let failed = self.first_error.is_some();
        match unlinkat(parent, name, UnlinkatFlags::RemoveDir) {
            Ok(()) => {}
            Err(Errno::ENOTEMPTY) if failed || self.moved => {}
            Err(errno) => self.note(own_path, errno),
        }
    }
}

/// unlinkat(2) in a directory that gets mode 0700 when it is the caller's and refuses.
fn unlink(dir: BorrowedFd<'_>, name: &CStr, flags: UnlinkatFlags) -> nix::Result<()> {
    match unlinkat(dir, name, flags) {
        // A stranger's directory stays as it is: the second answer says why.
        Err(Errno::EACCES) if fchmod(dir, Mode::S_IRWXU).is_ok() => unlinkat(dir, name, flags),
        other => other,
    }
}

fn join(path: &Path, name: &CStr) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    path.join(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

/// All names of a directory, each with whether it surely is not a directory. Read as a whole
/// first: readdir after unlink may skip entries on some file systems.
///
/// getdents64(2) itself: libc's directory streams cost four more calls and 32 KiB for each
/// directory, and a container has seven to remove at its end.
fn entries(dir: BorrowedFd<'_>) -> nix::Result<Vec<(CString, bool)>> {
    const NAME: usize = std::mem::offset_of!(libc::dirent64, d_name);
    let mut buffer = [0u64; 512];
    let mut names = Vec::new();
    loop {
        let size = size_of_val(&buffer);
        // SAFETY: the pointer and the size describe `buffer`, aligned as the kernel's records.
        let got = unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                dir.as_raw_fd(),
                buffer.as_mut_ptr(),
                size,
            )
        };
        let got = usize::try_from(Errno::result(got)?).unwrap_or(0);
        if got == 0 {
            return Ok(names);
        }
        // SAFETY: the buffer lives, u64s have no padding, and any byte is a valid u8.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), size) };
        let mut records = bytes.get(..got).unwrap_or_default();
        while let (Some(length), Some(kind)) = (records.get(16..18), records.get(18)) {
            let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
            let name = records.get(NAME..length).unwrap_or_default();
            if let Ok(name) = CStr::from_bytes_until_nul(name)
                && !matches!(name.to_bytes(), b"." | b"..")
            {
                let known_file = !matches!(*kind, libc::DT_DIR | libc::DT_UNKNOWN);
                names.push((name.to_owned(), known_file));
            }
            records = records.get(length.max(NAME)..).unwrap_or_default();
        }
    }
}

/// Opens a directory beneath `parent` for reading and removal, giving it mode 0700 when it is
/// the caller's and refuses. A mount point inside the tree is EXDEV.
fn open_dir<P: nix::NixPath + ?Sized>(parent: &impl AsFd, name: &P) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match open_beneath(parent, name, flags) {
        Err(Errno::EACCES) => {
            let path = open_beneath(parent, name, flags | OFlag::O_PATH)?;
            descriptor::set_mode(&path, 0o700)?;
            open_beneath(parent, name, flags)
        }
        other => other,
    }
}

fn open_beneath<P: nix::NixPath + ?Sized>(
    parent: &impl AsFd,
    name: &P,
    flags: OFlag,
) -> nix::Result<OwnedFd> {
    if parent.as_fd().as_raw_fd() == libc::AT_FDCWD {
        return openat(parent, name, flags, Mode::empty());
    }
    let how = OpenHow::new()
        .flags(flags)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV | ResolveFlag::RESOLVE_NO_SYMLINKS);
    match openat2(parent, name, how) {
        // Before Linux 5.6, or a seccomp filter older than it.
        Err(Errno::ENOSYS | Errno::EPERM) => {
            let dir = openat(parent, name, flags, Mode::empty())?;
            if fstat(&dir)?.st_dev != fstat(parent)?.st_dev {
                return Err(Errno::EXDEV);
            }
            Ok(dir)
        }
        other => other,
    }
}

/// What a tree takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Sum of file lengths in bytes, each inode once.
    pub(crate) size: u64,
    /// Bytes allocated, as `du` counts them.
    pub(crate) disk: u64,
    /// Entries, the top not counted.
    pub(crate) entries: u64,
    /// Directories that could not be read.
    pub(crate) unreadable: u64,
}

/// Measures a tree as `du -x` does; a missing path takes nothing. Never changes a mode.
pub(crate) fn usage(path: &Path) -> Result<Usage> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut total = Usage::default();
    let top = match openat(AT_FDCWD, path, flags, Mode::empty()) {
        Ok(top) => top,
        Err(Errno::ENOENT) => return Ok(total),
        Err(errno) => return Err(Error::errno("open", path, errno)),
    };
    let stat = fstat(&top).map_err(|errno| Error::errno("stat", path, errno))?;
    let mut seen = HashSet::new();
    count(&mut total, &mut seen, &stat);
    total.entries = 0;
    measure(top, &stat, &mut total, &mut seen, 0);
    Ok(total)
}

fn count(total: &mut Usage, seen: &mut HashSet<(u64, u64)>, stat: &FileStat) {
    let is_dir = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR;
    total.entries += 1;
    if !is_dir && stat.st_nlink > 1 && !seen.insert((stat.st_dev, stat.st_ino)) {
        return;
    }
    total.disk += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
    if !is_dir {
        total.size += u64::try_from(stat.st_size).unwrap_or(0);
    }
}

fn measure(
    dir: OwnedFd,
    top: &FileStat,
    total: &mut Usage,
    seen: &mut HashSet<(u64, u64)>,
    depth: usize,
) {
    let Ok(names) = entries(dir.as_fd()) else {
        total.unreadable += 1;
        return;
    };
    for (name, known_file) in names {
        let Ok(stat) = fstatat(dir.as_fd(), name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
            continue;
        };
        count(total, seen, &stat);
        let is_dir = !known_file && stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits();
        if !is_dir || stat.st_dev != top.st_dev {
            continue;
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        match openat(dir.as_fd(), name.as_c_str(), flags, Mode::empty()) {
            Ok(child) if depth < 2 * MAX_DEPTH => measure(child, top, total, seen, depth + 1),
            _ => total.unreadable += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn removes_unreadable_directories_and_never_follows_links() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("keep"), b"x").unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir_all(tree.join("work/work/deep")).unwrap();
        std::fs::write(tree.join("work/work/deep/f"), b"x").unwrap();
        symlink(&outside, tree.join("link")).unwrap();
        symlink(&outside, tree.join("work/work/link")).unwrap();
        for (name, mode) in [("work/work/deep", 0o000), ("work/work", 0o500)] {
            std::fs::set_permissions(tree.join(name), PermissionsExt::from_mode(mode)).unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(outside.join("keep").exists());
        remove_tree(&tree).unwrap();
        let link = dir.path().join("l");
        symlink(&outside, &link).unwrap();
        remove_tree(&link).unwrap();
        assert!(link.symlink_metadata().is_err() && outside.join("keep").exists());
    }

    #[test]
    fn an_entry_is_removed_without_following_its_links() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path();
        std::fs::create_dir_all(path.join("tree/a/b")).unwrap();
        std::fs::create_dir(path.join("kept")).unwrap();
        std::fs::write(path.join("kept/file"), "x").unwrap();
        symlink("../kept", path.join("tree/out")).unwrap();
        std::fs::set_permissions(path.join("tree/a"), std::fs::Permissions::from_mode(0o000))
            .unwrap();
        let dir = std::fs::File::open(path).unwrap();
        remove_at(dir.as_fd(), Path::new("tree")).unwrap();
        remove_at(dir.as_fd(), Path::new("tree")).unwrap();
        assert!(!path.join("tree").exists());
        assert!(path.join("kept/file").exists());
    }

    #[test]
    fn a_very_deep_tree_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        let mut at: OwnedFd = std::fs::File::open(&tree).unwrap().into();
        for _ in 0..2500 {
            nix::sys::stat::mkdirat(&at, "d", Mode::S_IRWXU).unwrap();
            at = open_beneath(&at, "d", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC).unwrap();
        }
        drop(at);
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }

    #[test]
    fn usage_counts_a_hard_link_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        std::fs::write(dir.path().join("d/a"), vec![1u8; 5000]).unwrap();
        std::fs::hard_link(dir.path().join("d/a"), dir.path().join("b")).unwrap();
        let found = usage(dir.path()).unwrap();
        assert_eq!((found.size, found.entries), (5000, 3));
        assert!(found.disk >= 5000 && found.unreadable == 0);
        assert_eq!(usage(&dir.path().join("none")).unwrap(), Usage::default());
    }
}
