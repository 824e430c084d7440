//! What a descriptor refers to, for calls that only take paths or refuse `O_PATH` descriptors.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::stat::Mode;

/// The magic path of a descriptor, which the kernel follows to the very object, not to a name.
/// /proc must be there.
pub(crate) fn path_of(fd: impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Whether a number is a descriptor that this process was started with: what ketch opens itself
/// is close-on-exec.
pub(crate) fn is_inherited(number: i32) -> bool {
    // SAFETY: F_GETFD takes no argument and changes nothing, whatever the number.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Closes the descriptors from `first` on that this process was started with: for a process that
/// outlives whoever gave them to it. Those that ketch has opened itself stay.
pub(crate) fn close_inherited(first: i32) {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number >= first && is_inherited(*number));
    for number in numbers.collect::<Vec<i32>>() {
        // SAFETY: close-on-exec tells ketch's own descriptors from inherited ones, which no
        // value of this program owns.
        unsafe { libc::close(number) };
    }
}

/// Sets the permission bits of what `fd` refers to: fchmod(2) refuses `O_PATH` descriptors.
pub(crate) fn set_mode(fd: impl AsFd, mode: u32) -> nix::Result<()> {
    std::fs::set_permissions(path_of(fd), Permissions::from_mode(mode)).map_err(errno)
}

/// Leaves `fd` open for the next image of this process and returns its number.
pub(crate) fn keep_over_exec(fd: BorrowedFd<'_>) -> nix::Result<RawFd> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(fd.as_raw_fd())
}

/// Takes over a descriptor that the image before this one has left open under `number`, each
/// number once; `None` when there is none, or when it is not one that was left.
pub(crate) fn take(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD on any number is harmless. A descriptor above the standard streams that is
    // not close-on-exec was inherited, so that nothing in this program owns it.
    let fd = unsafe {
        if number <= 2 || libc::fcntl(number, libc::F_GETFD) != 0 {
            return None;
        }
        OwnedFd::from_raw_fd(number)
    };
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    Some(fd)
}

/// Gives up every descriptor of a forked process but `kept`, which become 3, 4 and so on; the
/// standard streams become the null device. What the code of its parent still owns is not there
/// any more: the process must end without dropping it.
pub(crate) fn keep_only(kept: &[BorrowedFd<'_>]) -> nix::Result<Vec<OwnedFd>> {
    let first = 3 + kept.len() as i32;
    // Above all targets first, so that none is overwritten before it was moved.
    let above: Vec<RawFd> = kept
        .iter()
        .map(|fd| fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(first)))
        .collect::<nix::Result<_>>()?;
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    for stream in 0..=2 {
        super::exec::dup_onto(null.as_raw_fd(), stream)?;
    }
    // Its number may be a target.
    std::mem::forget(null);
    for (fd, target) in above.iter().zip(3..) {
        // SAFETY: dup3 takes integers; no code of this process uses the old `target` again.
        Errno::result(unsafe { libc::dup3(*fd, target, libc::O_CLOEXEC) })?;
    }
    super::exec::close_from(first);
    // SAFETY: dup3 has just made them, and the parent's owners of these numbers are never
    // dropped in this process, as the caller has promised.
    Ok((3..first)
        .map(|number| unsafe { OwnedFd::from_raw_fd(number) })
        .collect())
}

/// Whether `fd` is a pipe.
pub(crate) fn is_pipe(fd: &OwnedFd) -> bool {
    let found = nix::sys::stat::fstat(fd);
    found.is_ok_and(|found| found.st_mode & libc::S_IFMT == libc::S_IFIFO)
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
