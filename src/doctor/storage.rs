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

use super::{Check, Verdict};

/// The rung on which an image's layers are joined by the kernel.
pub(super) const OVERLAY: &str = "overlay";

/// Returns the rung and the rows.
pub(super) fn checks(host: &Host, store: &Path, mode: Mode) -> (&'static str, Vec<Check>) {
    let mut checks = vec![location(store)];
    let mut rung = "none";
    match Trials::start(store) {
        Ok(trials) => {
            let overlay = overlay(host, &trials, mode);
            if overlay.verdict == Verdict::Ok {
                rung = OVERLAY;
            }
            checks.push(overlay);
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
    let as_root = mode == Mode::Root && host.in_initial_userns();
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

fn fuse_device() -> Check {
    let name = "fuse-device";
    let path = "/dev/fuse";
    let meaning = "single-file images will need it; nothing uses it yet";
    match access(path, AccessFlags::R_OK | AccessFlags::W_OK) {
        Ok(()) => Check::ok(name, format!("{path}, not used yet"), meaning),
        Err(nix::errno::Errno::ENOENT) => {
            Check::missing(name, format!("{path} does not exist"), meaning).admin("modprobe fuse")
        }
        Err(errno) => Check::missing(name, format!("{path}: {}", errno.desc()), meaning)
            .admin(format!("chmod 666 {path}")),
    }
}
