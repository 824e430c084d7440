//! Checks of where images and containers are kept: overlay, xattrs, network file systems.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::common::Mode;
use crate::host::{Host, KernelVersion};
use crate::sys::file_system::file_system;
use crate::sys::probe::{self, Trial};
use crate::sys::xattr;

use super::{Check, Verdict, advice};

/// The rung on which an image's layers are joined by the kernel.
pub(super) const OVERLAY: &str = "overlay";
/// The rung on which a program joins them.
const SERVED: &str = "fuse-overlayfs";
/// The rung on which each container gets a copy of them.
const COPY: &str = "copy";
/// Where nothing can be written.
pub(super) const NONE: &str = "none";

/// Returns the rung, of which the last is reached wherever a file can be written, and the rows.
pub(super) fn checks(host: &Host, store: &Path, mode: Mode) -> (&'static str, Vec<Check>) {
    let mut checks = vec![location(store)];
    let mut rung = NONE;
    match Trials::start(store) {
        Ok(trials) => {
            let overlay = overlay(host, &trials, mode);
            rung = match overlay.verdict {
                Verdict::Ok => OVERLAY,
                // It keeps the attribute with the intended owner from everybody.
                _ if mode != Mode::Single && trials.can_be_served(host) => SERVED,
                _ => COPY,
            };
            checks.push(overlay);
            checks.push(below(host, rung));
            checks.push(xattrs(&trials, mode));
        }
        Err(error) => {
            let found = format!("{}: {error}", store.display());
            let meaning = "images are unpacked and containers write there";
            let check = Check::missing("store-writable", found, meaning);
            checks.push(check.user("export KETCH_ROOT=/path/on/local/disk"));
        }
    }
    checks.push(fuse_device());
    (rung, checks)
}

fn location(store: &Path) -> Check {
    let name = "store-location";
    let meaning = "writable layers, locks and mapped owners need a disk of this machine";
    let place = store.display();
    match file_system(store) {
        Ok(fs) if fs.is_network() => {
            let found = format!("{place} is on {}, a network file system", fs.name());
            Check::degraded(name, found, meaning).user("export KETCH_ROOT=/tmp/ketch-$(id -u)")
        }
        Ok(fs) if fs.is_fuse() => {
            Check::degraded(name, format!("{place} is on a FUSE file system"), meaning)
        }
        Ok(fs) => Check::ok(name, format!("{place} on {}", fs.name()), meaning),
        Err(error) => Check::missing(name, error.to_string(), meaning),
    }
}

/// A folder in the store for the trials, removed when done.
struct Trials {
    folder: PathBuf,
    /// Parents of the store made for the trials, deepest first.
    made: Vec<PathBuf>,
}

impl Trials {
    fn start(store: &Path) -> io::Result<Trials> {
        let mut made = Vec::new();
        let mut at = Some(store);
        while let Some(path) = at.filter(|path| !path.exists()) {
            made.push(path.to_owned());
            at = path.parent();
        }
        let folder = store.join(format!(".doctor-{}", std::process::id()));
        let trials = Trials { folder, made };
        for name in ["lower", "upper", "work", "merged"] {
            fs::create_dir_all(trials.folder.join(name))?;
        }
        Ok(trials)
    }
}

impl Trials {
    /// Whether fuse-overlayfs would do in the overlay's place: it is here with its device, and
    /// deletions can be marked the one way that it reads.
    fn can_be_served(&self, host: &Host) -> bool {
        let node = self.folder.join("lower/gone");
        let kind = nix::sys::stat::SFlag::S_IFCHR;
        let made = nix::sys::stat::mknod(&node, kind, nix::sys::stat::Mode::empty(), 0);
        host.tool(SERVED).is_some() && made.is_ok() && can_open(FUSE).is_ok()
    }
}

/// What takes the overlay's place where the kernel refuses it.
fn below(host: &Host, rung: &str) -> Check {
    let name = "overlay-substitute";
    let meaning = "without the kernel's overlay a program joins the layers, or every container \
                   gets a copy of its image";
    let program = host.tool(SERVED).map(|path| path.display().to_string());
    match (rung, program) {
        (OVERLAY, Some(path)) => Check::ok(name, format!("{path}, not needed here"), meaning),
        (OVERLAY, None) => Check::ok(name, "copies, not needed here", meaning),
        (SERVED, Some(path)) => Check::degraded(name, path, meaning),
        (_, Some(path)) => {
            let found = format!("copies: {path} cannot be used on the store's disk");
            Check::degraded(name, found, meaning)
        }
        (_, None) => Check::degraded(name, "copies: fuse-overlayfs is not installed", meaning)
            .admin(advice::install(&host.distribution(), SERVED)),
    }
}

impl Drop for Trials {
    fn drop(&mut self) {
        // Overlay leaves folders of mode 000 in work, which their owner has to open first.
        for inner in ["work", "work/incompat", "work/incompat/volatile"] {
            let inner = self.folder.join("work").join(inner);
            let _ = fs::set_permissions(inner, fs::Permissions::from_mode(0o700));
        }
        let _ = fs::remove_dir_all(&self.folder);
        for path in &self.made {
            let _ = fs::remove_dir(path);
        }
    }
}

fn overlay(host: &Host, trials: &Trials, mode: Mode) -> Check {
    let name = "overlay";
    let meaning = "it joins the layers of an image without copying them";
    let as_root = mode == Mode::Root;
    let volatile = host.kernel() >= KernelVersion::new(5, 10);
    let found = match probe::overlay(&trials.folder, !as_root, volatile) {
        Ok(Trial::Works) => return Check::ok(name, "mounts on the store's disk", meaning),
        Ok(Trial::Failed { step, errno }) => {
            format!("cannot {step}: {}", io::Error::from_raw_os_error(errno))
        }
        Err(error) => format!("cannot be tried: {error}"),
    };
    if !host.overlay_in_userns() && !as_root {
        // Wherever the store is, and no command brings a newer kernel.
        let found = format!("{found}; users can mount it since Linux 5.11");
        return Check::missing(name, found, meaning);
    }
    Check::missing(name, found, meaning).user("export KETCH_ROOT=/tmp/ketch-$(id -u)")
}

fn xattrs(trials: &Trials, mode: Mode) -> Check {
    let name = "user-xattrs";
    let meaning = match mode {
        Mode::Single => "owners that images intend are kept in them",
        _ => "attributes of image files and overlay's own marks are kept in them",
    };
    let result = xattr::lset(&trials.folder.join("lower"), b"user.containers.probe", b"y");
    match result {
        Ok(()) => Check::ok(name, "work on the store's disk", meaning),
        Err(error) => Check::degraded(name, format!("do not work there: {error}"), meaning)
            .user("export KETCH_ROOT=/tmp/ketch-$(id -u)"),
    }
}

/// The device by which programs serve file systems.
const FUSE: &str = "/dev/fuse";

fn can_open(path: &str) -> nix::Result<()> {
    access(path, AccessFlags::R_OK | AccessFlags::W_OK)
}

fn fuse_device() -> Check {
    let name = "fuse-device";
    let path = FUSE;
    let meaning = "fuse-overlayfs needs it, and single-file images will";
    match can_open(path) {
        Ok(()) => Check::ok(name, path, meaning),
        Err(nix::errno::Errno::ENOENT) => {
            Check::missing(name, format!("{path} does not exist"), meaning).admin("modprobe fuse")
        }
        Err(errno) => Check::missing(name, format!("{path}: {}", errno.desc()), meaning)
            .admin(format!("chmod 666 {path}")),
    }
}
