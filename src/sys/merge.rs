//! Layers joined by copying, where the kernel will not lay them on each other: what an overlay of
//! them would show, as a plain tree.
//!
//! The layers were written by images: names, depth and links are hostile. Everything goes by
//! descriptors of directories, and no link is followed.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FileStat, Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, futimens, mkdirat, mknodat,
    utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, LinkatFlags, Uid, UnlinkatFlags, fchownat, linkat, symlinkat, unlinkat};

use super::xattr::{self, Existing};
use super::{node, tree};

type Result<T> = std::result::Result<T, Errno>;

/// Levels of directories, two descriptors each, below the usual limit of 1024.
const DEPTH_MAX: usize = 256;

const DIR: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Overlay's own attributes, of mounts by root and of all others.
const FAMILIES: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// Adds `layer` on top of what the directory `to` holds already.
///
/// # Errors
/// Of the first thing that could not be copied; `to` is of no use then.
pub(crate) fn add_layer(layer: &Path, to: &Path) -> Result<()> {
    // The names of both are the caller's own; what is below them is not.
    let flags = DIR - OFlag::O_NOFOLLOW;
    let from = openat(AT_FDCWD, layer, flags, Mode::empty())?;
    let to = openat(AT_FDCWD, to, flags, Mode::empty())?;
    copy_tree(from.as_fd(), to.as_fd())
}

/// Adds the directory `from` with its owner, mode, times and all below it to the directory `to`.
///
/// # Errors
/// As [`add_layer`].
pub(crate) fn copy_tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let mut links = HashMap::new();
    level(from, to, to, Path::new(""), &mut links, 0)?;
    describe(from, to)
}

/// Where in the copy the first name of a file with several is.
type Links = HashMap<(u64, u64), std::path::PathBuf>;

fn level(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    top: BorrowedFd<'_>,
    path: &Path,
    links: &mut Links,
    depth: usize,
) -> Result<()> {
    if depth >= DEPTH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mark = opaque(from)?;
    if mark.as_deref() == Some(b"y") {
        for name in names(to)? {
            remove(to, &name)?;
        }
    }
    for name in names(from)? {
        let name = name.as_c_str();
        let facts = fstatat(from, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        // Marked files stand for deletions only where their directory says so (Linux 6.7).
        let gone = node::is_whiteout(&facts)
            || mark.as_deref() == Some(b"x") && is_marked(from, name, &facts);
        let below = fstatat(to, name, AtFlags::AT_SYMLINK_NOFOLLOW).ok();
        let joins = node::is_dir(&facts) && below.as_ref().is_some_and(node::is_dir);
        if below.is_some() && !joins {
            remove(to, name)?;
        }
        if gone {
            continue;
        }
        let own = path.join(OsStr::from_bytes(name.to_bytes()));
        if node::is_dir(&facts) {
            if !joins {
                mkdirat(to, name, Mode::S_IRWXU)?;
            }
            let source = openat(from, name, DIR, Mode::empty())?;
            let copy = openat(to, name, DIR, Mode::empty())?;
            level(source.as_fd(), copy.as_fd(), top, &own, links, depth + 1)?;
            describe(source.as_fd(), copy.as_fd())?;
            continue;
        }
        if facts.st_nlink > 1 {
            let known = links.entry((facts.st_dev, facts.st_ino));
            match known {
                std::collections::hash_map::Entry::Occupied(first) => {
                    linkat(top, first.get().as_path(), to, name, LinkatFlags::empty())?;
                    continue;
                }
                std::collections::hash_map::Entry::Vacant(place) => drop(place.insert(own)),
            }
        }
        copy(from, to, name, &facts)?;
    }
    Ok(())
}

/// Copies what is no directory.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, facts: &FileStat) -> Result<()> {
    let kind = SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits());
    let mode = Mode::from_bits_truncate(facts.st_mode & 0o7777);
    match kind {
        SFlag::S_IFREG => return copy_file(from, to, name),
        SFlag::S_IFLNK => symlinkat(readlinkat(from, name)?.as_os_str(), to, name)?,
        _ => match mknodat(to, name, kind, mode, facts.st_rdev) {
            // Devices of images open nothing in a container without that right.
            Err(Errno::EPERM) => return Ok(()),
            other => other?,
        },
    }
    let owner = (Uid::from_raw(facts.st_uid), Gid::from_raw(facts.st_gid));
    let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
    fchownat(to, name, Some(owner.0), Some(owner.1), flags)?;
    if kind != SFlag::S_IFLNK {
        let flags = nix::sys::stat::FchmodatFlags::FollowSymlink;
        nix::sys::stat::fchmodat(to, name, mode, flags)?;
    }
    let (accessed, modified) = times(facts);
    utimensat(
        to,
        name,
        &accessed,
        &modified,
        UtimensatFlags::NoFollowSymlink,
    )
}

fn copy_file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let source = openat(from, name, flags, Mode::empty())?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let made = openat(to, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let (mut source, mut made) = (File::from(source), File::from(made));
    // By copy_file_range(2), which shares the blocks where the file system can (btrfs, xfs).
    std::io::copy(&mut source, &mut made)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
    describe(source.as_fd(), made.as_fd())
}

/// Owner, attributes, mode and times, in an order in which none takes another back.
fn describe(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let facts = fstat(from)?;
    let owner = (Uid::from_raw(facts.st_uid), Gid::from_raw(facts.st_gid));
    let flags = AtFlags::AT_EMPTY_PATH;
    fchownat(to, c"", Some(owner.0), Some(owner.1), flags)?;
    for name in xattr::flist(from).unwrap_or_default() {
        let name = name.as_bytes();
        if FAMILIES.iter().any(|family| name.starts_with(family)) {
            continue;
        }
        let Some(value) = xattr::fget(from, name)? else {
            continue;
        };
        match xattr::fset(to, name, &value, Existing::Replace) {
            // What the layer could have and the copy cannot: a label, or another's attribute.
            Ok(()) | Err(Errno::EPERM | Errno::EOPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    fchmod(to, Mode::from_bits_truncate(facts.st_mode & 0o7777))?;
    let (accessed, modified) = times(&facts);
    futimens(to, &accessed, &modified)
}

fn times(facts: &FileStat) -> (TimeSpec, TimeSpec) {
    (
        TimeSpec::new(facts.st_atime, facts.st_atime_nsec),
        TimeSpec::new(facts.st_mtime, facts.st_mtime_nsec),
    )
}

/// The directory's mark: `y` hides all below it, `x` says that marked files are in it.
fn opaque(dir: BorrowedFd<'_>) -> Result<Option<Vec<u8>>> {
    of_either(dir, b"opaque")
}

fn is_marked(dir: BorrowedFd<'_>, name: &CStr, facts: &FileStat) -> bool {
    let empty = facts.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() && facts.st_size == 0;
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    empty
        && openat(dir, name, flags, Mode::empty())
            .is_ok_and(|file| matches!(of_either(file.as_fd(), b"whiteout"), Ok(Some(_))))
}

/// An attribute of overlay's in one of its families.
fn of_either(file: BorrowedFd<'_>, what: &[u8]) -> Result<Option<Vec<u8>>> {
    for family in FAMILIES {
        match xattr::fget(file, &[family, what].concat()) {
            Ok(None) | Err(Errno::EOPNOTSUPP | Errno::EPERM) => {}
            found => return found,
        }
    }
    Ok(None)
}

fn remove(dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::EISDIR) => {
            let path = Path::new(OsStr::from_bytes(name.to_bytes()));
            tree::remove_at(dir, path)
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
        }
        other => other,
    }
}

/// All names in a directory but `.` and `..`.
fn names(dir: BorrowedFd<'_>) -> Result<Vec<CString>> {
    let opened: OwnedFd = openat(dir, ".", DIR, Mode::empty())?;
    let mut list = Dir::from_fd(opened)?;
    let mut names = Vec::new();
    for entry in list.iter() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mark(path: &Path, name: &str, value: &[u8]) {
        xattr::lset(path, format!("user.overlay.{name}").as_bytes(), value).unwrap();
    }

    #[test]
    fn a_copy_shows_what_an_overlay_would() {
        let temp = tempfile::tempdir().unwrap();
        let at = |path: &str| temp.path().join(path);
        for dir in [
            "a/kept",
            "a/emptied",
            "a/replaced",
            "b/kept",
            "b/emptied",
            "to",
        ] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        for file in [
            "a/kept/old",
            "a/emptied/old",
            "a/replaced/old",
            "a/gone",
            "a/file",
            "a/by",
        ] {
            fs::write(at(file), "old").unwrap();
        }
        fs::hard_link(at("a/file"), at("a/twin")).unwrap();
        symlink("/etc/passwd", at("a/link")).unwrap();
        fs::write(at("b/kept/new"), "new").unwrap();
        fs::write(at("b/emptied/new"), "new").unwrap();
        fs::write(at("b/replaced"), "a file now").unwrap();
        fs::create_dir(at("b/link")).unwrap();
        fs::write(at("b/link/inside"), "").unwrap();
        fs::set_permissions(at("b/kept"), PermissionsExt::from_mode(0o751)).unwrap();
        if mknodat(AT_FDCWD, &at("b/gone"), SFlag::S_IFCHR, Mode::empty(), 0).is_err() {
            return;
        }
        mark(&at("b/emptied"), "opaque", b"y");
        mark(&at("b"), "opaque", b"x");
        fs::write(at("b/by"), "").unwrap();
        mark(&at("b/by"), "whiteout", b"y");
        for layer in ["a", "b"] {
            add_layer(&at(layer), &at("to")).unwrap();
        }
        let mut seen: Vec<String> = Vec::new();
        let mut stack = vec![at("to")];
        while let Some(dir) = stack.pop() {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                let path = entry.path();
                let below = path.strip_prefix(at("to")).unwrap();
                seen.push(below.to_str().unwrap().to_owned());
                if entry.file_type().unwrap().is_dir() {
                    stack.push(path);
                }
            }
        }
        seen.sort();
        let wanted = [
            "emptied",
            "emptied/new",
            "file",
            "kept",
            "kept/new",
            "kept/old",
            "link",
            "link/inside",
            "replaced",
            "twin",
        ];
        assert_eq!(seen, wanted);
        let facts = |path: &str| at(path).symlink_metadata().unwrap();
        assert_eq!(facts("to/file").ino(), facts("to/twin").ino());
        assert_eq!(facts("to/kept").mode() & 0o7777, 0o751);
        assert_eq!(facts("to/kept/old").mtime(), facts("a/kept/old").mtime());
        assert_eq!(
            xattr::lget(&at("to/emptied"), b"user.overlay.opaque"),
            Ok(None)
        );
    }
}
