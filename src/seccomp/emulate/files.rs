//! Files named by a waiting thread: found as it would find them, and given an intended owner.
//!
//! Everything is done with the rights of ketch's own user, on files reached inside the thread's
//! root. The intended owner is kept in `user.containers.override_stat` (containers/storage's
//! form, `uid:gid:0MODE:type`); of a file or folder only its two ids count, since a later
//! chmod is real and not seen here. Links, pipes and sockets cannot hold the attribute: their
//! owner is forgotten.

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlink};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statvfs::{FsFlags, fstatvfs};

use super::credentials::{Credentials, KEEP};
use crate::sys::descriptor::set_mode;
use crate::sys::xattr::{OVERRIDE_STAT, opened};

/// As many as libpathrs tries.
const RACE_RETRIES: usize = 128;

/// Where a call starts from: a descriptor of the thread's, or its working directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    pub(super) tid: i32,
    pub(super) dirfd: i32,
}

impl Base {
    fn link(self) -> String {
        match self.dirfd {
            libc::AT_FDCWD => format!("/proc/{}/cwd", self.tid),
            fd => format!("/proc/{}/fd/{fd}", self.tid),
        }
    }

    /// The file behind the descriptor, or the working directory.
    pub(super) fn itself(self) -> Result<OwnedFd, Errno> {
        open_link(&self.link())
    }

    /// The file at `path`, as an `O_PATH` descriptor.
    pub(super) fn find(self, path: &Path, follow: bool) -> Result<OwnedFd, Errno> {
        if path.as_os_str().is_empty() {
            return Err(Errno::ENOENT);
        }
        if follow && let Some(dirfd) = descriptor_alias(path) {
            return Base { dirfd, ..self }.itself();
        }
        let root = format!("/proc/{}/root", self.tid);
        if path.is_absolute() {
            return beneath(
                &open_link(&root)?,
                path,
                follow,
                ResolveFlag::RESOLVE_IN_ROOT,
            );
        }
        match beneath(&self.itself()?, path, follow, ResolveFlag::RESOLVE_BENEATH) {
            // The path climbs above the base or meets an absolute link: from the root, then.
            Err(Errno::EXDEV) => {
                let base = PathBuf::from(readlink(self.link().as_str())?);
                let chroot = PathBuf::from(readlink(root.as_str())?);
                let inside = base.strip_prefix(&chroot).map_err(|_| Errno::ENOENT)?;
                let whole = Path::new("/").join(inside).join(path);
                beneath(
                    &open_link(&root)?,
                    &whole,
                    follow,
                    ResolveFlag::RESOLVE_IN_ROOT,
                )
            }
            other => other,
        }
    }
}

/// `/dev/stdout` and its like lead through /proc/self, which means this program here.
fn descriptor_alias(path: &Path) -> Option<i32> {
    match path.as_os_str().as_bytes() {
        b"/dev/stdin" => Some(0),
        b"/dev/stdout" => Some(1),
        b"/dev/stderr" => Some(2),
        other => {
            let number = other
                .strip_prefix(b"/dev/fd/")
                .or_else(|| other.strip_prefix(b"/proc/self/fd/"))?;
            std::str::from_utf8(number)
                .ok()?
                .parse::<u16>()
                .ok()
                .map(i32::from)
        }
    }
}

fn open_link(link: &str) -> Result<OwnedFd, Errno> {
    open(link, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(|errno| match errno {
        // /proc/TID/fd/N is absent: the call's own error.
        Errno::ENOENT => Errno::EBADF,
        other => other,
    })
}

fn beneath(root: &OwnedFd, path: &Path, follow: bool, how: ResolveFlag) -> Result<OwnedFd, Errno> {
    let mut flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    if !follow {
        flags |= OFlag::O_NOFOLLOW;
    }
    let how = OpenHow::new()
        .flags(flags)
        .resolve(how | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    // A rename raced with a `..`; the kernel asks to try again (openat2(2)). One who renames
    // for ever must not hold us for ever.
    for _ in 0..RACE_RETRIES {
        match openat2(root, path, how) {
            Err(Errno::EAGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::EAGAIN)
}

/// Owner, mode and type as a file is meant to have them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Intended {
    uid: u32,
    gid: u32,
    mode: u32,
    kind: String,
}

impl Intended {
    fn parse(value: &[u8]) -> Option<Intended> {
        let mut parts = std::str::from_utf8(value).ok()?.split(':');
        let mut next = || parts.next();
        Some(Intended {
            uid: next()?.parse().ok()?,
            gid: next()?.parse().ok()?,
            mode: u32::from_str_radix(next()?, 8).ok()? & 0o7777,
            kind: next().unwrap_or("file").to_owned(),
        })
    }

    fn is_device(&self) -> bool {
        self.kind.starts_with("char") || self.kind.starts_with("block")
    }
}

impl fmt::Display for Intended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:0{:o}:{}",
            self.uid, self.gid, self.mode, self.kind
        )
    }
}

/// Changes the intended owner of `file`, as chown(2) by a process of `credentials` would.
pub(super) fn chown(
    file: BorrowedFd<'_>,
    uid: u32,
    gid: u32,
    credentials: &Credentials,
) -> Result<(), Errno> {
    let stat = fstat(file)?;
    if fstatvfs(file).is_ok_and(|fs| fs.flags().contains(FsFlags::ST_RDONLY)) {
        return Err(Errno::EROFS);
    }
    // A file system without attributes has no intended owners to merge with.
    let value = opened::get(file, OVERRIDE_STAT).unwrap_or(None);
    let before = value.as_deref().and_then(Intended::parse);
    let mut after = before.clone().unwrap_or_else(|| Intended {
        uid: 0,
        gid: 0,
        mode: stat.st_mode & 0o7777,
        kind: kind_word(stat.st_mode).to_owned(),
    });
    may_give(before.as_ref(), uid, gid, credentials)?;
    if uid != KEEP {
        after.uid = uid;
    }
    if gid != KEEP {
        after.gid = gid;
    }
    drop_set_id(file, &stat, &mut after);
    let done = if (after.uid, after.gid) != (0, 0) || after.is_device() {
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        writable(file, &stat, || {
            opened::set(file, OVERRIDE_STAT, after.to_string().as_bytes())
        })
    } else if value.is_some() {
        // No attribute means 0:0.
        writable(file, &stat, || opened::remove(file, OVERRIDE_STAT))
    } else {
        Ok(())
    };
    match done {
        Err(Errno::EROFS) => Err(Errno::EROFS),
        // Best effort otherwise: a program that installs files must not fail over a record.
        _ => Ok(()),
    }
}

/// Files of accounts, which programs replace by a copy of their own.
const ACCOUNT_FILES: [&str; 6] = ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"];

/// Whom the copy of an account file is meant for: the programs that change `/etc/shadow` write
/// `/etc/shadow+`, those of PAM `/etc/nshadow`, and keep `/etc/shadow-`; they give the copy the
/// owner that stat(2) showed them of the original. That is the one real owner, root; the intended one would be lost by it.
pub(super) fn owner_of_original(file: BorrowedFd<'_>, tid: i32) -> Option<(u32, u32)> {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let copy = PathBuf::from(readlink(link.as_str()).ok()?);
    let name = copy.strip_prefix("/etc").ok()?.to_str()?;
    let original = name.strip_suffix(['+', '-']);
    let original = original.or_else(|| name.strip_prefix('n'))?;
    if !ACCOUNT_FILES.contains(&original) {
        return None;
    }
    let dirfd = libc::AT_FDCWD;
    let original = Base { tid, dirfd }.find(&Path::new("/etc").join(original), false);
    let value = opened::get(original.ok()?.as_fd(), OVERRIDE_STAT).ok()??;
    Intended::parse(&value).map(|found| (found.uid, found.gid))
}

/// The rule of chown(2) for a process without CAP_CHOWN: a group of its own on its own file.
/// A file without a record may be one that the process made itself, so it may take that.
fn may_give(
    now: Option<&Intended>,
    uid: u32,
    gid: u32,
    credentials: &Credentials,
) -> Result<(), Errno> {
    let me = credentials.user.file;
    if me == 0 {
        return Ok(());
    }
    let owns = now.is_none_or(|now| now.uid == me);
    let user_stays = uid == KEEP || uid == me;
    let group_is_its_own = gid == KEEP || credentials.in_group(gid);
    if owns && user_stays && group_is_its_own {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// chown(2) takes the set-id bits off a file, whoever calls it.
fn drop_set_id(file: BorrowedFd<'_>, stat: &libc::stat, after: &mut Intended) {
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return;
    }
    let without = |mode: u32| {
        let group = if mode & 0o010 != 0 { 0o2000 } else { 0 };
        mode & !(0o4000 | group)
    };
    after.mode = without(after.mode);
    let mode = stat.st_mode & 0o7777;
    if without(mode) != mode {
        let _ = set_mode(file, without(mode));
    }
}

/// Runs `change`; when the file's mode forbids its owner to write, which does not stop root
/// inside, once more with the mode opened for that moment.
fn writable(
    file: BorrowedFd<'_>,
    stat: &libc::stat,
    change: impl Fn() -> nix::Result<()>,
) -> nix::Result<()> {
    match change() {
        Err(Errno::EACCES) => {
            let mode = fstat(file).map_or(stat.st_mode, |now| now.st_mode) & 0o7777;
            set_mode(file, mode | 0o600)?;
            let done = change();
            set_mode(file, mode)?;
            done
        }
        other => other,
    }
}

fn kind_word(mode: u32) -> &'static str {
    match mode & libc::S_IFMT {
        libc::S_IFDIR => "dir",
        libc::S_IFLNK => "symlink",
        libc::S_IFIFO => "pipe",
        libc::S_IFSOCK => "socket",
        _ => "file",
    }
}

/// Makes an empty file that stands for a device node. `mode` has the umask taken off.
pub(super) fn make_device(base: Base, path: &Path, mode: u32, device: u32) -> Result<(), Errno> {
    let bytes = path.as_os_str().as_bytes();
    let cut = bytes
        .iter()
        .rposition(|b| *b == b'/')
        .map_or(0, |at| at + 1);
    let (folder, name) = bytes.split_at(cut);
    let name = OsStr::from_bytes(name);
    if name.is_empty() {
        return Err(Errno::ENOENT);
    }
    if name == "." || name == ".." {
        return Err(Errno::EEXIST);
    }
    let folder = if folder.is_empty() { &b"."[..] } else { folder };
    let parent = base.find(Path::new(OsStr::from_bytes(folder)), true)?;
    let stub = openat(
        &parent,
        name,
        OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::S_IRUSR | Mode::S_IWUSR,
    )?;
    // new_decode_dev of linux/kdev_t.h.
    let (major, minor) = (
        (device & 0xf_ff00) >> 8,
        (device & 0xff) | ((device >> 12) & 0xf_ff00),
    );
    let word = if mode & libc::S_IFMT == libc::S_IFBLK {
        "block"
    } else {
        "char"
    };
    let intended = Intended {
        uid: 0,
        gid: 0,
        mode: mode & 0o7777,
        kind: format!("{word}-{major}-{minor}"),
    };
    let _ = opened::set(stub.as_fd(), OVERRIDE_STAT, intended.to_string().as_bytes());
    // A set-id bit on a stub would be a real one.
    let _ = set_mode(stub.as_fd(), mode & 0o777);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intended(fd: &impl AsFd) -> Option<String> {
        opened::get(fd.as_fd(), OVERRIDE_STAT)
            .unwrap()
            .map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn owners_merge_and_plain_root_needs_no_record() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        std::fs::write(&path, "").unwrap();
        let root = Credentials::new(0, 0);
        let base = Base {
            tid: std::process::id() as i32,
            dirfd: libc::AT_FDCWD,
        };
        let file = base.find(&path, true).unwrap();
        set_mode(file.as_fd(), 0o4440).unwrap();
        if opened::set(file.as_fd(), OVERRIDE_STAT, b"x").is_err() {
            set_mode(file.as_fd(), 0o640).unwrap();
            if opened::set(file.as_fd(), OVERRIDE_STAT, b"x").is_err() {
                eprintln_skip("no user attributes here");
                return;
            }
            set_mode(file.as_fd(), 0o4440).unwrap();
        }
        chown(file.as_fd(), 33, KEEP, &root).unwrap();
        assert_eq!(intended(&file).unwrap(), "33:0:0440:file");
        assert_eq!(fstat(&file).unwrap().st_mode & 0o7777, 0o440);
        chown(file.as_fd(), KEEP, 34, &root).unwrap();
        assert_eq!(intended(&file).unwrap(), "33:34:0440:file");
        let user = Credentials::new(33, 7);
        assert_eq!(chown(file.as_fd(), 34, KEEP, &user), Err(Errno::EPERM));
        assert_eq!(chown(file.as_fd(), KEEP, 8, &user), Err(Errno::EPERM));
        chown(file.as_fd(), KEEP, 7, &user).unwrap();
        assert_eq!(intended(&file).unwrap(), "33:7:0440:file");
        chown(file.as_fd(), 0, 0, &root).unwrap();
        assert_eq!(intended(&file), None);
    }

    fn eprintln_skip(why: &str) {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
    }

    #[test]
    fn values_of_others_are_read_and_hostile_ones_are_not_believed() {
        let read = |value: &str| Intended::parse(value.as_bytes()).map(|i| i.to_string());
        assert_eq!(read("1:2:0755").unwrap(), "1:2:0755:file");
        assert_eq!(read("1:2:020644:char-1-3").unwrap(), "1:2:0644:char-1-3");
        for bad in ["", "1", "1:2", "-1:0:0", "1:2:9", "4294967296:0:0644"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn standard_streams_are_known_by_name() {
        assert_eq!(descriptor_alias(Path::new("/dev/stdout")), Some(1));
        assert_eq!(descriptor_alias(Path::new("/proc/self/fd/12")), Some(12));
        assert_eq!(descriptor_alias(Path::new("/dev/fd/1/x")), None);
        assert_eq!(descriptor_alias(Path::new("/dev/null")), None);
    }
}
