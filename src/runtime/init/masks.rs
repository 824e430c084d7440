//! Hidden paths, read-only paths and kernel parameters.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::mount::MsFlags;
use nix::sys::stat::{SFlag, fstat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::{Init, devices};
use crate::common::{Error, Kind, Result};
use crate::sys::mount::{self, attr};

/// Hides masked paths: a file behind a verified null device, a directory behind an empty
/// tmpfs; then makes the others read-only. Paths that do not exist need no hiding.
pub(super) fn mask(init: &mut Init<'_>) -> Result<()> {
    let root = init.root()?;
    let (mut null, mut empty): (Option<OwnedFd>, Option<OwnedFd>) = (None, None);
    for path in &init.plan.masked {
        let Some(target) = existing(root.open_path(path))? else {
            continue;
        };
        let failed = |errno| Error::errno("hide", path, errno);
        let stat = fstat(&target).map_err(failed)?;
        if stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits() {
            match hide_dir(empty.as_ref(), &target).map_err(failed)? {
                Some(tree) if empty.is_none() => empty = Some(tree),
                _ => {}
            }
        } else {
            if null.is_none() {
                null = Some(devices::open_device(Path::new("/dev/null"), 1, 3)?);
            }
            if let Some(null) = &null {
                devices::bind_device(null.as_fd(), target.as_fd()).map_err(failed)?;
            }
        }
    }
    for path in &init.plan.read_only_paths {
        let Some(target) = existing(root.open_path(path))? else {
            continue;
        };
        make_read_only(&target).map_err(|errno| Error::errno("make read-only", path, errno))?;
    }
    Ok(())
}

/// Puts an empty tmpfs over a directory and returns it. With the one of an earlier directory a
/// clone of that does, at a fifth of the cost of another instance.
fn hide_dir(
    earlier: Option<&OwnedFd>,
    target: &OwnedFd,
) -> std::result::Result<Option<OwnedFd>, Errno> {
    let tree = match earlier {
        Some(earlier) => mount::clone_tree(earlier.as_fd(), Path::new(""), false),
        None => devices::empty_tmpfs(),
    };
    let placed = tree.and_then(|tree| mount::attach(tree.as_fd(), target.as_fd()).map(|()| tree));
    match placed {
        Ok(tree) => Ok(Some(tree)),
        Err(_) => devices::empty_tmpfs_classic(target.as_fd()).map(|()| None),
    }
}

/// Binds a path onto itself with the read-only flag.
fn make_read_only(target: &OwnedFd) -> std::result::Result<(), Errno> {
    match mount::clone_tree(target.as_fd(), Path::new(""), true) {
        Ok(tree) => {
            mount::set_attributes(tree.as_fd(), attr::RDONLY, MsFlags::empty(), true)?;
            mount::attach(tree.as_fd(), target.as_fd())
        }
        Err(_) => {
            mount::bind_classic(target.as_fd(), target.as_fd(), true)?;
            mount::remount_classic(target.as_fd(), MsFlags::MS_RDONLY)
        }
    }
}

fn existing(opened: Result<OwnedFd>) -> Result<Option<OwnedFd>> {
    match opened {
        Ok(fd) => Ok(Some(fd)),
        Err(error)
            if error.kind() == Kind::NotFound
                || error.raw_os_error() == Some(libc::ENOTDIR)
                || error.kind() == Kind::Denied =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Writes kernel parameters through the container's own proc, and only if it is one: an image
/// must not be able to receive or redirect the write (CVE-2025-52881).
pub(super) fn write_sysctls(init: &mut Init<'_>) -> Result<()> {
    let root = init.root()?;
    for (name, value) in &init.plan.sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let file = root.open_file(&path, OFlag::O_WRONLY)?;
        let kind = fstatfs(&file).map_err(|errno| Error::errno("stat", &path, errno))?;
        if kind.filesystem_type() != PROC_SUPER_MAGIC {
            return Err(
                Error::new(Kind::Corrupt, "set kernel parameter", name.clone())
                    .because("/proc/sys is not the kernel's".to_owned()),
            );
        }
        nix::unistd::write(&file, value.as_bytes()).map_err(|errno| {
            Error::errno("set kernel parameter", format!("{name}={value}"), errno)
        })?;
    }
    Ok(())
}
