//! The root file system: an overlay or a plain directory, and becoming its inhabitant.

mod folders;
mod host;
mod rungs;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::MsFlags;
use nix::sys::stat::Mode;

use super::Init;
use crate::common::{Error, Result};
use crate::runtime::plan::{Overlay, Rootfs};
use crate::sys::mount::{self, attr};
use crate::sys::path::Root;

/// mount(2) copies its option string into one page.
const OPTION_PAGE: usize = 4096;

/// Mounts the root and opens it.
pub(super) fn mount(init: &mut Init<'_>) -> Result<()> {
    let Mounted { target, guarded } = match &init.plan.rootfs {
        Rootfs::Directory(path) => {
            // pivot_root(2) wants a mount point.
            mount::bind_onto_itself(path)
                .map_err(|errno| Error::errno("bind root file system", path, errno))?;
            Mounted {
                target: path.clone(),
                guarded: false,
            }
        }
        Rootfs::Overlay(overlay) => match &init.trees {
            Some(trees) => lay(init, &trees.overlay(overlay))?,
            None => lay(init, overlay)?,
        },
    };
    let root = Root::open(&target)?;
    if init.plan.guard_devices && !guarded {
        refuse_devices(root.as_fd(), &target)?;
    }
    init.root = Some(root);
    Ok(())
}

/// A root file system.
struct Mounted {
    target: PathBuf,
    /// Device nodes in it open nothing where they must not.
    guarded: bool,
}

/// Lays the layers on each other, by the best means that this place has.
fn lay(init: &Init<'_>, overlay: &Overlay) -> Result<Mounted> {
    let guard = init.plan.guard_devices;
    let host = overlay.base == Path::new("/");
    match mount_overlay(overlay, guard) {
        Ok(target) => Ok(Mounted {
            target,
            guarded: !host,
        }),
        Err(error) if !host && rungs::is_refusal(&error) => rungs::descend(init, overlay, error),
        Err(error) => Err(error),
    }
}

/// Device nodes in the tree, be they the image's or made with the payload's CAP_MKNOD, give
/// no access: the devices of a container are bound into its `/dev` one by one.
fn refuse_devices(root: BorrowedFd<'_>, target: &Path) -> Result<()> {
    mount::set_attributes(root, attr::NODEV, MsFlags::empty(), true)
        .or_else(|_| mount::remount_classic(root, MsFlags::MS_NODEV))
        .map_err(|errno| Error::errno("refuse device nodes in", target, errno))
}

/// Mounts the overlay of a container that does not run, in this process's mount namespace, and
/// returns where.
pub(crate) fn mount_stopped(overlay: &Overlay) -> Result<PathBuf> {
    mount_overlay(overlay, true)
}

/// Mounts an overlay and returns where. On its own upper directory, which nobody needs to reach
/// by name from here on: a directory of its own costs as much as the mount.
fn mount_overlay(overlay: &Overlay, guard: bool) -> Result<PathBuf> {
    if overlay.on_tmpfs {
        make_tmpfs(&overlay.container)?;
    }
    let (upper, work) = (
        overlay.container.join("upper"),
        overlay.container.join("work"),
    );
    let target = match overlay.on_tmpfs {
        true => overlay.container.join("rootfs"),
        false => upper.clone(),
    };
    let lowers = overlay
        .lowers
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>();
    // Relative names keep the option string short; the directory is ketch's own.
    nix::unistd::chdir(&overlay.base)
        .map_err(|errno| Error::errno("enter directory", &overlay.base, errno))?;
    folders::show(overlay, &upper)?;
    let mut options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lowers.join(":"),
        upper.display(),
        work.display()
    );
    if overlay.volatile {
        options.push_str(",volatile");
    }
    if overlay.userxattr {
        options.push_str(",userxattr");
    }
    if options.len() >= OPTION_PAGE || special(&overlay.container) {
        mount_long(overlay, &lowers, &upper, &work, &target, guard)?;
        return Ok(target);
    }
    let flags = match guard {
        true => MsFlags::MS_NODEV,
        false => MsFlags::empty(),
    };
    match mount::mount_at("overlay", "overlay", &target, flags, Some(&options)) {
        // A user namespace may not look below the mounts it got with "/": those of the host
        // could be hiding something. Each directory without mounts is another matter.
        Err(nix::errno::Errno::EINVAL) if overlay.base == Path::new("/") => {
            host::assemble(overlay, &target)?
        }
        other => other.map_err(|errno| overlay_error(&target, errno))?,
    }
    Ok(target)
}

/// The writable part on a tmpfs of the container's own.
fn make_tmpfs(container: &Path) -> Result<()> {
    let flags = MsFlags::MS_NODEV;
    mount::mount_at("tmpfs", "tmpfs", container, flags, Some("mode=700"))
        .map_err(|errno| Error::errno("mount tmpfs at", container, errno))?;
    for name in ["upper", "work", "rootfs"] {
        let path = container.join(name);
        // One of them is going to be "/".
        nix::unistd::mkdir(&path, Mode::from_bits_truncate(0o755))
            .map_err(|errno| Error::errno("make directory", &path, errno))?;
    }
    Ok(())
}

/// `:`, `,` and `\` separate parts of overlay's option string.
fn special(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .any(|c| matches!(c, b':' | b',' | b'\\'))
}

/// One call per layer: no limit of a page, no separators (fsconfig(2), `lowerdir+` of Linux 6.5).
fn mount_long(
    overlay: &Overlay,
    lowers: &[String],
    upper: &Path,
    work: &Path,
    target: &Path,
    guard: bool,
) -> Result<()> {
    let failed = |errno| overlay_error(target, errno);
    let (upper, work) = (upper.display().to_string(), work.display().to_string());
    let mut options: Vec<(&str, Option<&str>)> = lowers
        .iter()
        .map(|lower| ("lowerdir+", Some(lower.as_str())))
        .collect();
    options.push(("upperdir", Some(&upper)));
    options.push(("workdir", Some(&work)));
    if overlay.volatile {
        options.push(("volatile", None));
    }
    if overlay.userxattr {
        options.push(("userxattr", None));
    }
    let attributes = if guard { attr::NODEV } else { 0 };
    let tree = mount::new_fs("overlay", &options, attributes).map_err(failed)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let onto = nix::fcntl::openat(AT_FDCWD, target, flags, Mode::empty()).map_err(failed)?;
    mount::attach(tree.as_fd(), onto.as_fd()).map_err(failed)
}

fn overlay_error(target: &Path, errno: nix::errno::Errno) -> Error {
    Error::errno(rungs::OVERLAY, target, errno).hint(
        "the store may lie on a file system that overlay refuses (NFS, Lustre, another overlay); \
         set KETCH_ROOT to a directory on a local disk, see `ketch doctor`",
    )
}

/// Makes the mounted tree `/` and cuts the host's off.
pub(super) fn enter(init: &mut Init<'_>) -> Result<()> {
    let root = init.root()?;
    let failed = |errno| Error::errno("enter", "the new root", errno);
    if init.plan.read_only {
        let set = mount::set_attributes(root.as_fd(), attr::RDONLY, MsFlags::empty(), false);
        set.or_else(|_| mount::remount_classic(root.as_fd(), MsFlags::MS_RDONLY))
            .map_err(|errno| Error::errno("make read-only", "/", errno))?;
    }
    match mount::pivot_into(root.as_fd()) {
        // An initramfs cannot be pivoted away.
        Err(nix::errno::Errno::EINVAL) => mount::chroot_into(root.as_fd()).map_err(failed),
        other => other.map_err(failed),
    }
}
