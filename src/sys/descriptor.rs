//! What a descriptor refers to, for calls that only take paths or refuse `O_PATH` descriptors.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;

/// The magic path of a descriptor, which the kernel follows to the very object, not to a name.
/// /proc must be there.
pub(crate) fn path_of(fd: impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Sets the permission bits of what `fd` refers to: fchmod(2) refuses `O_PATH` descriptors.
pub(crate) fn set_mode(fd: impl AsFd, mode: u32) -> nix::Result<()> {
    std::fs::set_permissions(path_of(fd), Permissions::from_mode(mode)).map_err(errno)
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
