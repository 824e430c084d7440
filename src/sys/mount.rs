//! Mounting: mount(2) and, where the kernel has it, the descriptor-based interface.
//!
//! Targets are always descriptors that were resolved safely; mount(2) reaches them through
//! `/proc/self/fd/N`, which the kernel follows to the very object, not to a name.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags};

use super::descriptor::path_of;

type Result<T> = std::result::Result<T, Errno>;

/// Attributes of mount_setattr(2) and fsmount(2).
pub(crate) mod attr {
    /// Read-only.
    pub(crate) const RDONLY: u64 = 0x1;
    /// Set-uid bits and file capabilities have no effect.
    pub(crate) const NOSUID: u64 = 0x2;
    /// Device nodes have no effect.
    pub(crate) const NODEV: u64 = 0x4;
    /// Nothing can be executed.
    pub(crate) const NOEXEC: u64 = 0x8;
    /// Owners pass through the map of a user namespace.
    pub(super) const IDMAP: u64 = 0x0010_0000;
}

const OPEN_TREE_CLONE: u32 = 1;
const AT_RECURSIVE: u32 = 0x8000;
const FSCONFIG_SET_FLAG: u32 = 0;
const FSCONFIG_SET_STRING: u32 = 1;
const FSCONFIG_CMD_CREATE: u32 = 6;
const MOVE_MOUNT_F_EMPTY_PATH: u32 = 4;
const MOVE_MOUNT_T_EMPTY_PATH: u32 = 0x40;

fn c_string(text: impl AsRef<[u8]>) -> Result<CString> {
    CString::new(text.as_ref()).map_err(|_| Errno::EINVAL)
}

fn new_fd(result: libc::c_long) -> Result<OwnedFd> {
    let fd = Errno::result(result)? as RawFd;
    // SAFETY: the kernel returned a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// mount(2) of a new file system instance onto a directory held by descriptor.
pub(crate) fn mount_fs(
    fstype: &str,
    source: &str,
    target: BorrowedFd<'_>,
    flags: MsFlags,
    data: Option<&str>,
) -> Result<()> {
    nix::mount::mount(
        Some(source),
        path_of(target).as_str(),
        Some(fstype),
        flags,
        data,
    )
}

/// mount(2) of a new file system instance onto a path of ketch's own.
pub(crate) fn mount_at(
    fstype: &str,
    source: &str,
    target: &Path,
    flags: MsFlags,
    data: Option<&str>,
) -> Result<()> {
    nix::mount::mount(Some(source), target, Some(fstype), flags, data)
}

/// Makes a detached copy of the mount at `path` (open_tree(2), Linux 5.2).
pub(crate) fn clone_tree(base: BorrowedFd<'_>, path: &Path, recursive: bool) -> Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    let path = c_string(path.as_os_str().as_bytes())?;
    let empty = if path.as_bytes().is_empty() {
        libc::AT_EMPTY_PATH as u32
    } else {
        0
    };
    let flags =
        OPEN_TREE_CLONE | libc::O_CLOEXEC as u32 | empty | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a live C string.
    new_fd(unsafe { libc::syscall(libc::SYS_open_tree, base.as_raw_fd(), path.as_ptr(), flags) })
}

/// As [`clone_tree`], of what the name below `dir` is; a link in the last component is ELOOP or
/// copied itself, never followed.
pub(crate) fn clone_child(dir: BorrowedFd<'_>, name: &str, recursive: bool) -> Result<OwnedFd> {
    let name = c_string(name)?;
    let flags = OPEN_TREE_CLONE
        | libc::O_CLOEXEC as u32
        | libc::AT_SYMLINK_NOFOLLOW as u32
        | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the name is a live C string.
    new_fd(unsafe { libc::syscall(libc::SYS_open_tree, dir.as_raw_fd(), name.as_ptr(), flags) })
}

/// Attaches a detached mount on top of `target` (move_mount(2), Linux 5.2).
pub(crate) fn attach(tree: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    move_mount(tree, target, c"", MOVE_MOUNT_T_EMPTY_PATH)
}

/// Attaches a detached mount on top of `name` below `dir`; a link there is not followed.
pub(crate) fn attach_at(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &str) -> Result<()> {
    move_mount(tree, dir, &c_string(name)?, 0)
}

fn move_mount(tree: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr, flags: u32) -> Result<()> {
    let empty = c"";
    // SAFETY: both paths are live C strings; the flags say that the first is the descriptor's.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            empty.as_ptr(),
            target.as_raw_fd(),
            name.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | flags,
        )
    };
    Errno::result(result).map(drop)
}

/// mount_setattr(2) argument, Linux 5.12.
#[repr(C)]
#[derive(Default)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Sets attributes, and with `propagation` (an `MS_*` value) the propagation, of a mount held
/// by descriptor (mount_setattr(2), Linux 5.12).
pub(crate) fn set_attributes(
    mount: BorrowedFd<'_>,
    set: u64,
    propagation: MsFlags,
    recursive: bool,
) -> Result<()> {
    let attr = MountAttr {
        set,
        propagation: propagation.bits(),
        ..MountAttr::default()
    };
    set_attr(mount, &attr, if recursive { AT_RECURSIVE } else { 0 })
}

/// Shows the files of a detached mount with owners mapped as `userns` maps them: what belongs
/// to 0 on disk belongs to the namespace's own 0 (Linux 5.12, and the file system has to know
/// how). Takes CAP_SYS_ADMIN over the file system.
pub(crate) fn map_owners(mount: BorrowedFd<'_>, userns: BorrowedFd<'_>) -> Result<()> {
    let attr = MountAttr {
        set: attr::IDMAP,
        userns_fd: userns.as_raw_fd() as u64,
        ..MountAttr::default()
    };
    set_attr(mount, &attr, 0)
}

fn set_attr(mount: BorrowedFd<'_>, attr: &MountAttr, flags: u32) -> Result<()> {
    let flags = libc::AT_EMPTY_PATH as u32 | flags;
    let empty = c"";
    // SAFETY: `attr` lives for the call and has the size passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            empty.as_ptr(),
            flags,
            std::ptr::from_ref(attr),
            size_of::<MountAttr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// Makes a detached instance of a file system with the given options and attributes (fsopen,
/// fsconfig, fsmount: Linux 5.2). An option without a value is a flag.
pub(crate) fn new_fs(
    fstype: &str,
    options: &[(&str, Option<&str>)],
    attributes: u64,
) -> Result<OwnedFd> {
    let fstype = c_string(fstype)?;
    const FSOPEN_CLOEXEC: u32 = 1;
    const FSMOUNT_CLOEXEC: u32 = 1;
    // SAFETY: the name is a live C string.
    let context =
        new_fd(unsafe { libc::syscall(libc::SYS_fsopen, fstype.as_ptr(), FSOPEN_CLOEXEC) })?;
    for (key, value) in options {
        let key = c_string(key)?;
        let value = value.map(c_string).transpose()?;
        let command = if value.is_some() {
            FSCONFIG_SET_STRING
        } else {
            FSCONFIG_SET_FLAG
        };
        let value = value
            .as_ref()
            .map_or(std::ptr::null(), |value| value.as_ptr());
        // SAFETY: key and value are live C strings, the value null for a flag.
        let result = unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                context.as_raw_fd(),
                command,
                key.as_ptr(),
                value,
                0,
            )
        };
        Errno::result(result)?;
    }
    let null = std::ptr::null::<libc::c_char>();
    // SAFETY: CMD_CREATE takes no key and no value.
    let result = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            FSCONFIG_CMD_CREATE,
            null,
            null,
            0,
        )
    };
    Errno::result(result)?;
    // SAFETY: fsmount takes a descriptor and integers.
    new_fd(unsafe {
        libc::syscall(
            libc::SYS_fsmount,
            context.as_raw_fd(),
            FSMOUNT_CLOEXEC,
            attributes,
        )
    })
}

/// Binds what `source` refers to onto `target` with mount(2), for kernels without open_tree.
pub(crate) fn bind_classic(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    recursive: bool,
) -> Result<()> {
    let flags = MsFlags::MS_BIND
        | if recursive {
            MsFlags::MS_REC
        } else {
            MsFlags::empty()
        };
    nix::mount::mount(
        Some(path_of(source).as_str()),
        path_of(target).as_str(),
        None::<&str>,
        flags,
        None::<&str>,
    )
}

/// Changes the flags of the mount at `target`, keeping those it has: an unprivileged remount
/// that clears a flag of the host's mount is refused (mount_namespaces(7), "locked").
pub(crate) fn remount_classic(target: BorrowedFd<'_>, add: MsFlags) -> Result<()> {
    let stat = nix::sys::statvfs::fstatvfs(target)?;
    let kept = MsFlags::from_bits_truncate(stat.flags().bits())
        & (MsFlags::MS_RDONLY
            | MsFlags::MS_NOSUID
            | MsFlags::MS_NODEV
            | MsFlags::MS_NOEXEC
            | MsFlags::MS_NOATIME
            | MsFlags::MS_NODIRATIME);
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | kept | add;
    nix::mount::mount(
        None::<&str>,
        path_of(target).as_str(),
        None::<&str>,
        flags,
        None::<&str>,
    )
}

/// Makes a directory of ketch's own a mount point, with the mounts below it.
pub(crate) fn bind_onto_itself(dir: &Path) -> Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    nix::mount::mount(Some(dir), dir, None::<&str>, flags, None::<&str>)
}

/// Takes away what is mounted on `target` itself, links not followed; who still uses it keeps it.
pub(crate) fn detach(target: &Path) -> Result<()> {
    nix::mount::umount2(target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
}

/// Changes the propagation of a mount by path (`/` for the whole namespace).
pub(crate) fn set_propagation(target: &str, flags: MsFlags) -> Result<()> {
    nix::mount::mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
}

/// Makes the directory `root` the root of this mount namespace and detaches the old one.
///
/// pivot_root(2) with both paths ".": the old root ends up on top of the new one and is
/// unmounted from there, so that no directory for it is needed.
pub(crate) fn pivot_into(root: BorrowedFd<'_>) -> Result<()> {
    nix::unistd::fchdir(root)?;
    nix::unistd::pivot_root(".", ".")?;
    nix::mount::umount2(".", MntFlags::MNT_DETACH)?;
    nix::unistd::chdir("/")
}

/// Makes `root` the root directory by moving its mount over the old root and chroot: for an
/// old root that cannot be pivoted (an initramfs).
pub(crate) fn chroot_into(root: BorrowedFd<'_>) -> Result<()> {
    nix::unistd::fchdir(root)?;
    nix::mount::mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>)?;
    nix::unistd::chroot(".")?;
    nix::unistd::chdir("/")
}

/// mknodat(2) of a character or block device.
pub(crate) fn make_device(
    dir: BorrowedFd<'_>,
    name: &str,
    mode: u32,
    major: u32,
    minor: u32,
) -> Result<()> {
    let name = c_string(name)?;
    let device = libc::makedev(major, minor);
    // SAFETY: the name is a live C string.
    Errno::result(unsafe { libc::mknodat(dir.as_raw_fd(), name.as_ptr(), mode, device) }).map(drop)
}
