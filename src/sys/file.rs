//! Files as the store needs them: atomic replacement, unnamed temporary files, locks, random bytes.
//!
//! Everything is opened close-on-exec and, where a stranger could have put a link, with
//! `O_NOFOLLOW`. Tree removal is in `tree.rs`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, fcntl};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::descriptor::path_of;
pub(crate) use super::replace::{write_atomic, write_unseen};
use crate::common::{Error, Kind, Result};

/// Fills an array with random bytes of the kernel.
///
/// # Errors
/// `System` when getrandom(2) fails (kernels before 3.17).
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0u8; N];
    let mut filled = 0;
    while filled < N {
        let rest = &mut bytes[filled..];
        // SAFETY: the pointer and the length describe `rest`, which is writable and outlives
        // the call; the kernel writes at most `rest.len()` bytes.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => filled += got,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(Error::io("getrandom", "", error));
                }
            }
        }
    }
    Ok(bytes)
}

/// A file name nobody else uses: `prefix` and 16 random hex characters.
pub(crate) fn random_name(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{:016x}", u64::from_ne_bytes(random()?)))
}

/// Makes a directory with mode 0700; an existing directory is fine.
pub(crate) fn make_private_dir(path: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(Error::io("create directory", path, error)),
    }
}

/// Sets the modification time of a file to now, of a link that of the link itself.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    let (keep, now) = (TimeSpec::UTIME_OMIT, TimeSpec::UTIME_NOW);
    utimensat(AT_FDCWD, path, &keep, &now, UtimensatFlags::NoFollowSymlink).map_err(io::Error::from)
}

/// Creates a file of mode 0600 that must not exist yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Opens for reading without following a final symbolic link.
pub(crate) fn open_nofollow(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
}

/// Opens (creating it, mode 0600) a file for reading and writing without following a link.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Opens a file for writing at its end, making it private when it is missing.
pub(crate) fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Reads at most `limit` bytes of a file.
///
/// # Errors
/// `Corrupt` when the file is longer; otherwise what the kernel said.
pub(crate) fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let file = open_nofollow(path).map_err(|error| Error::io("open", path, error))?;
    read_open(&file, path, limit)
}

/// As [`read_bounded`], of an open regular file; `path` only names it in errors.
///
/// A read of such a file is short only at its end (read(2)), so that a usual record is one call.
pub(crate) fn read_open(mut file: &File, path: &Path, limit: usize) -> Result<Vec<u8>> {
    let failed = |error| Error::io("read", path, error);
    let mut bytes = vec![0; limit.saturating_add(1).min(4096)];
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..]) {
            Ok(count) if length + count < bytes.len() => {
                bytes.truncate(length + count);
                return Ok(bytes);
            }
            Ok(_) if bytes.len() > limit => {
                return Err(
                    Error::new(Kind::Corrupt, "read", path.display().to_string())
                        .because(format!("larger than {limit} bytes")),
                );
            }
            Ok(_) => {
                length = bytes.len();
                let room = length.saturating_mul(2).min(limit.saturating_add(1));
                bytes.resize(room, 0);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Reads a file of proc or a cgroup, whose length stat(2) does not tell. With room from the
/// start: the standard library asks for the length and then begins with reads of 32 bytes.
pub(crate) fn read_kernel(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    // `take`, because a file's own `read_to_end` asks for the length all the same.
    Read::take(File::open(path)?, u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read_kernel`], of a file that the kernel writes in one piece (seq_file's `single_open`:
/// `stat`, `status` and `cgroup` of a process), or of a regular file: one read that had room to
/// spare has all of it.
/// Files of many records, such as mountinfo, end reads early between two.
pub(crate) fn read_kernel_piece(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; 4096];
    let length = file.read(&mut bytes)?;
    if length < bytes.len() {
        bytes.truncate(length);
        return Ok(bytes);
    }
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that has no name until it is published, so that a crash leaves nothing.
#[derive(Debug)]
pub(crate) struct TempFile {
    file: File,
    /// Set where the file system lacks `O_TMPFILE` (NFS, old overlay, FUSE).
    named: Option<PathBuf>,
}

impl TempFile {
    /// Opens one in `dir`, on whose file system it can later be published.
    pub(crate) fn new_in(dir: &Path) -> Result<TempFile> {
        let unnamed = OpenOptions::new()
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(libc::O_TMPFILE)
            .open(dir);
        match unnamed {
            Ok(file) => Ok(TempFile { file, named: None }),
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL)
                ) =>
            {
                let path = dir.join(random_name(".tmp-")?);
                let file = create_new(&path).map_err(|e| Error::io("create", &path, e))?;
                Ok(TempFile {
                    file,
                    named: Some(path),
                })
            }
            Err(error) => Err(Error::io("create temporary file in", dir, error)),
        }
    }

    /// A second descriptor of the file, with the same position.
    pub(crate) fn handle(&self) -> Result<File> {
        self.file
            .try_clone()
            .map_err(|error| Error::io("reopen", "temporary file", error))
    }

    /// Gives the file its name. An existing file of that name is left alone: returns false.
    pub(crate) fn publish(self, target: &Path) -> Result<bool> {
        let linked = match &self.named {
            Some(path) => std::fs::hard_link(path, target),
            None => link_fd(&self.file, target),
        };
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io("publish", target, error)),
        }
    }
}

impl Write for TempFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Some(path) = &self.named {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// linkat(2) of an unnamed file. By way of /proc: `AT_EMPTY_PATH` wants CAP_DAC_READ_SEARCH
/// before Linux 6.10.
fn link_fd(file: &File, target: &Path) -> io::Result<()> {
    let source = PathBuf::from(path_of(file));
    nix::unistd::linkat(
        AT_FDCWD,
        &source,
        AT_FDCWD,
        target,
        AtFlags::AT_SYMLINK_FOLLOW,
    )
    .map_err(io::Error::from)
}

/// How much of the others a lock keeps out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Together with other shared holders.
    Shared,
    /// Alone.
    Exclusive,
}

/// flock(2), waiting for it. The lock ends with the last copy of the open file.
pub(crate) fn lock(file: &File, sharing: Sharing) -> io::Result<()> {
    match sharing {
        Sharing::Shared => file.lock_shared(),
        Sharing::Exclusive => file.lock(),
    }
}

/// flock(2) without waiting; false when another holder is in the way.
pub(crate) fn try_lock(file: &File, sharing: Sharing) -> io::Result<bool> {
    let result = match sharing {
        Sharing::Shared => file.try_lock_shared(),
        Sharing::Exclusive => file.try_lock(),
    };
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Opens `path` and locks it alone, and makes sure that the name still means the locked file:
/// a holder removes its lock file before it lets go, and then the waiter must start again.
pub(crate) fn lock_path(path: &Path) -> Result<File> {
    loop {
        let file = open_or_create(path).map_err(|error| Error::io("open", path, error))?;
        lock(&file, Sharing::Exclusive).map_err(|error| Error::io("lock", path, error))?;
        if still_named(&file, path)? {
            return Ok(file);
        }
    }
}

/// As [`lock_path`] without waiting and without creating: `None` when the file is held by
/// someone else or is gone.
pub(crate) fn try_lock_path(path: &Path) -> Result<Option<File>> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    let held = try_lock(&file, Sharing::Exclusive).map_err(|e| Error::io("lock", path, e))?;
    Ok((held && still_named(&file, path)?).then_some(file))
}

fn still_named(file: &File, path: &Path) -> Result<bool> {
    let own = file
        .metadata()
        .map_err(|error| Error::io("stat", path, error))?;
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("stat", path, error)),
    }
}

/// Takes the open-file-description write lock of a whole file (fcntl_locking(2), Linux 3.15);
/// false when someone holds it. Unlike flock it can be probed without being taken.
pub(crate) fn try_own(file: &File) -> io::Result<bool> {
    match fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole_file())) {
        Ok(_) => Ok(true),
        Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether someone holds the lock of [`try_own`]. Takes nothing, so that a probe can never make
/// a start fail. A lock held through `file` itself does not count.
pub(crate) fn is_owned(file: &File) -> io::Result<bool> {
    let mut answer = whole_file();
    fcntl(file.as_fd(), FcntlArg::F_OFD_GETLK(&mut answer))?;
    Ok(answer.l_type != libc::F_UNLCK as libc::c_short)
}

fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// Renames within one file system.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)
        .map_err(|error| Error::io(format!("rename {} to", from.display()), to, error))
}

/// Names in a directory, unsorted, without `.` and `..`; a missing directory has none.
pub(crate) fn names(path: &Path) -> Result<Vec<OsString>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read directory", path, error)),
    };
    entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()
        .map_err(|error| Error::io("read directory", path, error))
}

/// Removes a file; one that is gone already is fine.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_and_leaves_no_temporary_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(dir.path()).unwrap(), ["f"]);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_failed_atomic_write_keeps_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d");
        std::fs::create_dir(&path).unwrap();
        assert!(write_atomic(&path, b"x").is_err());
        assert_eq!(names(dir.path()).unwrap(), ["d"]);
    }

    #[test]
    fn a_temporary_file_is_published_once_and_otherwise_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("t");
        for (content, first) in [("a", true), ("b", false)] {
            let mut file = TempFile::new_in(dir.path()).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            assert_eq!(file.publish(&target).unwrap(), first);
        }
        drop(TempFile::new_in(dir.path()).unwrap());
        assert_eq!(std::fs::read(&target).unwrap(), b"a");
        assert_eq!(names(dir.path()).unwrap(), ["t"]);
    }

    #[test]
    fn locks_exclude_and_probes_take_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = lock_path(&path).unwrap();
        assert!(try_lock_path(&path).unwrap().is_none());
        drop(held);
        assert!(try_lock_path(&path).unwrap().is_some());

        let (one, two) = (
            open_or_create(&path).unwrap(),
            open_or_create(&path).unwrap(),
        );
        assert!(!is_owned(&two).unwrap());
        assert!(try_own(&one).unwrap());
        assert!(is_owned(&two).unwrap());
        assert!(!try_own(&two).unwrap());
        drop(one);
        assert!(!is_owned(&two).unwrap());
    }

    #[test]
    fn a_waiter_notices_that_its_lock_file_was_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = lock_path(&path).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| lock_path(&path).unwrap().metadata().unwrap().ino());
            std::fs::remove_file(&path).unwrap();
            drop(held);
            let ino = waiter.join().unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().ino(), ino);
        });
    }

    #[test]
    fn bounded_reads_refuse_more_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        assert_eq!(read_bounded(&path, 4).unwrap_err().kind(), Kind::Corrupt);
        let link = dir.path().join("l");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(read_bounded(&link, 5).is_err());
    }
}
