//! Walking a tree that others may change meanwhile, to copy it or give it away: by descriptors,
//! never through a link, and only so deep.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FileStat, Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, mkdirat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat, symlinkat};

type Result<T> = std::result::Result<T, Errno>;

/// Levels of directories, two descriptors each, below the usual limit of 1024.
const DEPTH_MAX: usize = 256;

const DIR: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Copies what `from` holds into the directory `to`, with owners, modes and times. Other things than
/// directories, links and plain files are left out.
pub(crate) fn copy_contents(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    copy_level(from, to, 0)
}

fn copy_level(from: BorrowedFd<'_>, to: BorrowedFd<'_>, depth: usize) -> Result<()> {
    if depth >= DEPTH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    for name in names(from)? {
        let name = name.as_c_str();
        let facts = fstatat(from, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        match kind(&facts) {
            SFlag::S_IFDIR => {
                mkdirat(to, name, Mode::S_IRWXU)?;
                let source = openat(from, name, DIR, Mode::empty())?;
                let copy = openat(to, name, DIR, Mode::empty())?;
                copy_level(source.as_fd(), copy.as_fd(), depth + 1)?;
                own(to, name, &facts);
                fchmod(&copy, mode(&facts))?;
                keep_times(to, name, &facts)?;
            }
            SFlag::S_IFLNK => {
                symlinkat(readlinkat(from, name)?.as_os_str(), to, name)?;
                own(to, name, &facts);
                keep_times(to, name, &facts)?;
            }
            SFlag::S_IFREG => copy_file(from, to, name, &facts)?,
            _ => {}
        }
    }
    Ok(())
}

fn copy_file(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &std::ffi::CStr,
    facts: &FileStat,
) -> Result<()> {
    // Should it have become a fifo or a link since: neither is waited for nor followed.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let source = openat(from, name, flags, Mode::empty())?;
    if kind(&fstat(&source)?) != SFlag::S_IFREG {
        return Ok(());
    }
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let copy = openat(to, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let (mut source, mut copy) = (File::from(source), File::from(copy));
    std::io::copy(&mut source, &mut copy)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
    own(to, name, facts);
    fchmod(&copy, mode(facts))?;
    keep_times(to, name, facts)
}

/// Gives a copy the times of what it is a copy of.
fn keep_times(dir: BorrowedFd<'_>, name: &std::ffi::CStr, facts: &FileStat) -> Result<()> {
    let accessed = TimeSpec::new(facts.st_atime, facts.st_atime_nsec);
    let modified = TimeSpec::new(facts.st_mtime, facts.st_mtime_nsec);
    utimensat(
        dir,
        name,
        &accessed,
        &modified,
        UtimensatFlags::NoFollowSymlink,
    )
}

/// Gives the directory `to` the owner and the mode of `from`.
pub(crate) fn copy_owner_and_mode(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let facts = fstat(from)?;
    let owner = (Uid::from_raw(facts.st_uid), Gid::from_raw(facts.st_gid));
    // As everywhere: an owner that is not mapped here stays the caller.
    let _ = fchownat(
        to,
        c"",
        Some(owner.0),
        Some(owner.1),
        AtFlags::AT_EMPTY_PATH,
    );
    fchmod(to, mode(&facts))
}

/// Gives `top` and everything below it on the same file system to a user, links themselves.
pub(crate) fn give_tree(top: OwnedFd, uid: u32, gid: u32) -> Result<()> {
    let (user, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let facts = fstat(&top)?;
    if (facts.st_uid, facts.st_gid) == (uid, gid) {
        return Ok(());
    }
    if kind(&facts) == SFlag::S_IFDIR {
        let dir = openat(&top, ".", DIR, Mode::empty())?;
        give_level(dir.as_fd(), (user, group), facts.st_dev, 0)?;
    }
    // The last of all: its owner tells that the rest has been given.
    fchownat(&top, c"", user, group, AtFlags::AT_EMPTY_PATH)
}

fn give_level(
    dir: BorrowedFd<'_>,
    to: (Option<Uid>, Option<Gid>),
    device: u64,
    depth: usize,
) -> Result<()> {
    if depth >= DEPTH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    for name in names(dir)? {
        let name = name.as_c_str();
        match openat(dir, name, DIR, Mode::empty()) {
            Ok(child) => {
                // Another mount in the way was not asked to be given away.
                if fstat(&child)?.st_dev != device {
                    continue;
                }
                fchownat(&child, c"", to.0, to.1, AtFlags::AT_EMPTY_PATH)?;
                give_level(child.as_fd(), to, device, depth + 1)?;
            }
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                fchownat(dir, name, to.0, to.1, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            }
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// All names in a directory but `.` and `..`.
pub(crate) fn names(dir: BorrowedFd<'_>) -> Result<Vec<CString>> {
    let mut list = Dir::from_fd(openat(dir, ".", DIR, Mode::empty())?)?;
    let mut names = Vec::new();
    for entry in list.iter() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

fn kind(facts: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits())
}

fn mode(facts: &FileStat) -> Mode {
    Mode::from_bits_truncate(facts.st_mode & 0o7777)
}

/// An owner that is not mapped here stays the caller.
fn own(dir: BorrowedFd<'_>, name: &std::ffi::CStr, facts: &FileStat) {
    let owner = (Uid::from_raw(facts.st_uid), Gid::from_raw(facts.st_gid));
    let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
    let _ = fchownat(dir, name, Some(owner.0), Some(owner.1), flags);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn open(path: &std::path::Path) -> OwnedFd {
        nix::fcntl::open(path, DIR, Mode::empty()).unwrap()
    }

    #[test]
    fn a_tree_is_copied_and_its_links_stay_links() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("from"), temp.path().join("to"));
        std::fs::create_dir_all(from.join("a/b")).unwrap();
        std::fs::create_dir(&to).unwrap();
        std::fs::write(temp.path().join("secret"), "host").unwrap();
        std::fs::write(from.join("a/f"), "text").unwrap();
        std::fs::set_permissions(from.join("a/f"), PermissionsExt::from_mode(0o4751)).unwrap();
        symlink(temp.path().join("secret"), from.join("a/link")).unwrap();
        symlink(temp.path(), from.join("dir")).unwrap();
        nix::unistd::mkfifo(&from.join("fifo"), Mode::S_IRWXU).unwrap();
        copy_contents(open(&from).as_fd(), open(&to).as_fd()).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("a/f")).unwrap(), "text");
        let mode = to.join("a/f").metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o4751);
        assert!(to.join("a/b").is_dir());
        for link in ["a/link", "dir"] {
            assert!(to.join(link).symlink_metadata().unwrap().is_symlink());
        }
        assert!(!to.join("fifo").exists());
    }

    #[test]
    fn a_tree_too_deep_is_refused_and_no_crash() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("from"), temp.path().join("to"));
        std::fs::create_dir_all(from.join("d/".repeat(400))).unwrap();
        std::fs::create_dir(&to).unwrap();
        let copied = copy_contents(open(&from).as_fd(), open(&to).as_fd());
        assert_eq!(copied, Err(Errno::ENAMETOOLONG));
        // What is the user's already is not walked, and only root can give to another.
        if nix::unistd::getuid().is_root() {
            let given = give_tree(open(&from), 4321, 4322);
            assert_eq!(given, Err(Errno::ENAMETOOLONG));
            assert_eq!(give_tree(open(&from), 0, 0), Ok(()));
        }
    }

    #[test]
    fn giving_away_changes_links_and_not_their_targets() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("top");
        std::fs::create_dir_all(top.join("sub")).unwrap();
        let outside = temp.path().join("outside");
        std::fs::write(&outside, "").unwrap();
        symlink(&outside, top.join("sub/link")).unwrap();
        let me = (
            nix::unistd::getuid().as_raw(),
            nix::unistd::getgid().as_raw(),
        );
        // Only root can give to another; everyone can walk.
        let to = if me.0 == 0 { (4321, 4322) } else { me };
        give_tree(open(&top), to.0, to.1).unwrap();
        let owner = |meta: std::fs::Metadata| (meta.uid(), meta.gid());
        for path in [top.clone(), top.join("sub"), top.join("sub/link")] {
            assert_eq!(owner(path.symlink_metadata().unwrap()), to, "{path:?}");
        }
        assert_eq!(owner(outside.metadata().unwrap()), me);
    }
}
