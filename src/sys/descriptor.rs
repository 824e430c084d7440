//! What a descriptor refers to, for calls that only take paths or refuse `O_PATH` descriptors.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// The magic path of a descriptor, which the kernel follows to the very object, not to a name.
/// /proc must be there.
pub(crate) fn path_of(fd: impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
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

/// Whether `fd` is a pipe.
pub(crate) fn is_pipe(fd: &OwnedFd) -> bool {
    let found = nix::sys::stat::fstat(fd);
    found.is_ok_and(|found| found.st_mode & libc::S_IFMT == libc::S_IFIFO)
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
