//! Where the kernel refuses the overlay: fuse-overlayfs, then a plain copy of the layers.
//!
//! A refusal shows at the mount alone, so that a start on a usual disk asks nothing before it.
//! Each step down is said to the user, and is an error with `--strict`.

use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::{MntFlags, MsFlags};
use nix::sys::stat::{Mode, SFlag, mknodat};

use super::{Mounted, folders, mount_overlay, special};
use crate::common::{Error, Result};
use crate::runtime::fuse;
use crate::runtime::init::Init;
use crate::runtime::message::FromInit;
use crate::runtime::plan::Overlay;
use crate::sys::file_system::file_system;
use crate::sys::{file, merge, mount, tree};

/// The operation in errors of the overlay mount itself.
pub(super) const OVERLAY: &str = "mount overlay at";

/// The program of the second rung.
const PROGRAM: &str = "fuse-overlayfs";

/// A container's own copy of its layers, in its directory: made once, used by every start.
const COPY: &str = "copy";

/// Whether the kernel will not have the overlay here, whatever is tried again.
pub(super) fn is_refusal(error: &Error) -> bool {
    error.operation() == OVERLAY
        && matches!(
            error.raw_os_error(),
            Some(
                libc::EINVAL
                    | libc::EPERM
                    | libc::ENODEV
                    | libc::EOPNOTSUPP
                    | libc::ENOSYS
                    | libc::ESTALE
                    | libc::EXDEV
                    | libc::ELOOP
            )
        )
}

/// Goes down the ladder from an overlay that was refused with `refusal`.
pub(super) fn descend(init: &Init<'_>, overlay: &Overlay, refusal: Error) -> Result<Mounted> {
    let guard = init.plan.guard_devices;
    // Before Linux 5.10 there is no volatile mount, and nothing but speed depends on it.
    if overlay.volatile {
        let lasting = Overlay {
            volatile: false,
            ..overlay.clone()
        };
        if let Ok(target) = mount_overlay(&lasting, guard) {
            let guarded = true;
            return Ok(Mounted { target, guarded });
        }
    }
    let disk = match overlay.lowers.len() {
        // Whatever the disk: OVL_MAX_STACK of the kernel.
        501.. => "so many layers",
        _ => file_system(&overlay.container).map_or("this file system", |found| found.name()),
    };
    let why = refusal.raw_os_error().map(Errno::from_raw);
    let why = why.map_or("refused", Errno::desc);
    let copy = overlay.container.join(COPY);
    if !copy.is_dir()
        && let Some(target) = serve(init, overlay)
    {
        init.warn(format!(
            "the kernel refuses an overlay on {disk} ({why}): {PROGRAM} serves the root file \
             system, files open slower; set KETCH_ROOT to a directory on a local disk"
        ));
        let guarded = true;
        return Ok(Mounted { target, guarded });
    }
    init.warn(format!(
        "the kernel refuses an overlay on {disk} ({why}): the container runs on a copy of its \
         image; set KETCH_ROOT to a directory on a local disk, see `ketch doctor`"
    ));
    if !copy.is_dir() {
        assemble(overlay, &copy)?;
    }
    mount::bind_onto_itself(&copy)
        .map_err(|errno| Error::errno("bind root file system", &copy, errno))?;
    Ok(Mounted {
        target: copy,
        guarded: false,
    })
}

/// Copies the layers to `copy`, which is there when it is whole.
fn assemble(overlay: &Overlay, copy: &Path) -> Result<()> {
    let part = copy.with_extension("new");
    tree::remove_tree(&part)?;
    file::make_private_dir(&part)?;
    for lower in overlay.lowers.iter().rev() {
        merge::add_layer(lower, &part)
            .map_err(|errno| Error::errno("copy layer", overlay.base.join(lower), errno))?;
    }
    folders::correct(overlay, &part)?;
    file::rename(&part, copy)
}

/// Has fuse-overlayfs serve the root; `None` where that cannot be.
///
/// The mount is made here, where it ends with the container; the program runs outside, since it
/// must not be within reach of the payload.
fn serve(init: &Init<'_>, overlay: &Overlay) -> Option<PathBuf> {
    // Layers of true owners are mapped for the container alone; and the option string knows no
    // quotes.
    if overlay.mapped || special(&overlay.container) || !knows_deletions(overlay) {
        return None;
    }
    // It keeps the attribute with the intended owner from everybody.
    if init.plan.process.user.single_id {
        return None;
    }
    fuse::program(overlay)?;
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let device = nix::fcntl::open("/dev/fuse", flags, Mode::empty()).ok()?;
    let target = overlay.container.join("upper");
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other",
        device.as_raw_fd()
    );
    let fstype = "fuse.fuse-overlayfs";
    let nodev = MsFlags::MS_NODEV;
    mount::mount_at(fstype, PROGRAM, &target, nodev, Some(&options)).ok()?;
    if init.plan.maps.is_some() {
        let namespace = std::fs::File::open("/proc/self/ns/user").ok()?;
        init.tell(&FromInit::UserNamespace, Some(namespace.as_fd()));
    }
    init.tell(&FromInit::Serve, Some(device.as_fd()));
    drop(device);
    // The first answer, or the error of a device that nobody has open.
    match std::fs::metadata(&target) {
        Ok(_) => Some(target),
        Err(_) => {
            let _ = nix::mount::umount2(&target, MntFlags::MNT_DETACH);
            None
        }
    }
}

/// Whether deletions in layers are device nodes here, the only form that fuse-overlayfs knows:
/// where the node cannot be made now, the layers have marked files instead.
fn knows_deletions(overlay: &Overlay) -> bool {
    let trial = overlay.container.join("work/trial");
    let made = mknodat(AT_FDCWD, &trial, SFlag::S_IFCHR, Mode::empty(), 0);
    made.is_ok() && nix::unistd::unlink(&trial).is_ok()
}
