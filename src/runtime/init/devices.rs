//! `/dev`: the default nodes and links, and the devices asked for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::MsFlags;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mknodat};

use super::Init;
use crate::common::{Error, Kind, Result};
use crate::runtime::plan::DeviceStep;
use crate::sys::descriptor;
use crate::sys::mount;
use crate::sys::path::Root;

/// Devices every container has (runtime-spec, config-linux.md "Default Devices").
const DEFAULT: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// Links every container has.
const LINKS: [(&str, &str); 6] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    ("core", "/proc/kcore"),
];

/// Fills `/dev` when it is a fresh tmpfs, then adds the other devices.
pub(super) fn populate(init: &mut Init<'_>) -> Result<()> {
    let (mut spent, mut taken) = (Vec::new(), false);
    if let Some(dev) = init.fresh_tmpfs("/dev") {
        for (name, major, minor) in DEFAULT {
            match default_device(dev, name, major, minor, init.plan.make_devices)? {
                Node::Made => {}
                Node::Bound(tree) => spent.push(tree),
                Node::Taken => taken = true,
            }
        }
        for (name, target) in LINKS {
            match nix::unistd::symlinkat(target, dev, name) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(Error::errno("make link", format!("/dev/{name}"), errno)),
            }
        }
    }
    spent.into_iter().for_each(|tree| init.spend(tree));
    if taken {
        init.forget_fresh("/dev");
    }
    for device in &init.plan.devices {
        extra_device(init, device)?;
    }
    Ok(())
}

/// What became of a default device.
enum Node {
    /// It was made.
    Made,
    /// The host's is bound there; the descriptor is of no more use.
    Bound(OwnedFd),
    /// The user has put something else there.
    Taken,
}

/// Makes or binds one of the default devices.
fn default_device(
    dev: BorrowedFd<'_>,
    name: &str,
    major: u32,
    minor: u32,
    make: bool,
) -> Result<Node> {
    let path = format!("/dev/{name}");
    let failed = |errno| Error::errno("make device", &path, errno);
    if make {
        match mount::make_device(dev, name, libc::S_IFCHR | 0o666, major, minor) {
            Ok(()) => return Ok(Node::Made),
            Err(Errno::EEXIST) => return Ok(Node::Taken),
            // Root without CAP_MKNOD, or on a file system that knows no devices.
            Err(Errno::EPERM) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    let mode = Mode::from_bits_truncate(0o666);
    match mknodat(dev, name, SFlag::S_IFREG, mode, 0) {
        Err(Errno::EEXIST) => return Ok(Node::Taken),
        other => other.map_err(failed)?,
    }
    if let Ok(tree) = clone_device(&path, major, minor)
        && mount::attach_at(tree.as_fd(), dev, name).is_ok()
    {
        return Ok(Node::Bound(tree));
    }
    let host = open_device(Path::new(&path), major, minor)?;
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = nix::fcntl::openat(dev, name, flags, Mode::empty()).map_err(failed)?;
    bind_device(host.as_fd(), file.as_fd()).map_err(failed)?;
    Ok(Node::Made)
}

/// A detached bind of a host device, after making sure that it is the one it should be.
pub(super) fn clone_device(
    path: &str,
    major: u32,
    minor: u32,
) -> std::result::Result<OwnedFd, Errno> {
    let tree = mount::clone_tree(AT_FDCWD, Path::new(path), false)?;
    match is_device(&fstat(&tree)?, major, minor) {
        true => Ok(tree),
        false => Err(Errno::ENODEV),
    }
}

fn is_device(stat: &FileStat, major: u32, minor: u32) -> bool {
    let kind = stat.st_mode & SFlag::S_IFMT.bits();
    let is_device = kind == SFlag::S_IFCHR.bits() || kind == SFlag::S_IFBLK.bits();
    is_device && stat.st_rdev == libc::makedev(major, minor)
}

/// Opens a host device and makes sure that it is the one it should be.
pub(super) fn open_device(path: &Path, major: u32, minor: u32) -> Result<OwnedFd> {
    let failed = |errno| Error::errno("open device", path, errno);
    let fd =
        nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(failed)?;
    let stat = fstat(&fd).map_err(failed)?;
    if !is_device(&stat, major, minor) {
        return Err(
            Error::new(Kind::Corrupt, "use device", path.display().to_string())
                .because(format!("it is not device {major}:{minor}")),
        );
    }
    Ok(fd)
}

/// Binds a host device held by descriptor onto a file.
pub(super) fn bind_device(
    host: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
) -> std::result::Result<(), Errno> {
    match mount::clone_tree(host, Path::new(""), false) {
        Ok(tree) => mount::attach(tree.as_fd(), target),
        Err(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL) => {
            mount::bind_classic(host, target, false)
        }
        Err(errno) => Err(errno),
    }
}

fn extra_device(init: &Init<'_>, device: &DeviceStep) -> Result<()> {
    let root = init.root()?;
    let failed = |errno| Error::errno("add device", &device.target, errno);
    let target = Path::new(&device.target);
    let (Some(parent), Some(name)) = (target.parent(), target.file_name().and_then(|n| n.to_str()))
    else {
        return Err(Error::usage(
            "add device",
            device.target.clone(),
            "not a path of a file",
        ));
    };
    if init.plan.make_devices {
        let dir = root.make_dirs(parent, 0o755)?;
        match mount::make_device(dir.as_fd(), name, device.mode, device.major, device.minor) {
            Ok(()) => return chmod_device(root, &device.target, device.mode),
            Err(Errno::EEXIST) => return Ok(()),
            Err(Errno::EPERM) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    let host = open_device(&device.source, device.major, device.minor)?;
    let file = root.make_file(&device.target, 0o644)?;
    bind_device(host.as_fd(), file.as_fd()).map_err(failed)
}

/// mknod(2) applies the umask; the permissions asked for are exact.
fn chmod_device(root: &Root, target: &str, mode: u32) -> Result<()> {
    let node = root.open_path_nofollow(target)?;
    let path = descriptor::path_of(node.as_fd());
    nix::sys::stat::fchmodat(
        AT_FDCWD,
        path.as_str(),
        Mode::from_bits_truncate(mode & 0o777),
        nix::sys::stat::FchmodatFlags::FollowSymlink,
    )
    .map_err(|errno| Error::errno("set mode of device", target, errno))
}

/// A detached, empty, read-only tmpfs: what hides a directory.
pub(super) fn empty_tmpfs() -> std::result::Result<OwnedFd, Errno> {
    use mount::attr;
    let flags = attr::RDONLY | attr::NOSUID | attr::NODEV | attr::NOEXEC;
    // The one inode is the root's: nothing can be made in it.
    let options = [("nr_inodes", Some("1")), ("mode", Some("555"))];
    mount::new_fs("tmpfs", &options, flags)
}

/// The same with mount(2), straight onto `target`.
pub(super) fn empty_tmpfs_classic(target: BorrowedFd<'_>) -> std::result::Result<(), Errno> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount::mount_fs(
        "tmpfs",
        "tmpfs",
        target,
        flags,
        Some("nr_inodes=1,mode=555"),
    )
}
