//! The program that serves a container's root file system where the kernel has no overlay for it.
//!
//! It runs outside the container's process and mount namespaces and inside its user namespace,
//! whose ids its files have. It ends when the container's mounts do, and with its caller.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;

use super::plan::Overlay;
use crate::common::Result;
use crate::host::find_program;
use crate::sys::process::{Cloned, clone, exit_now};
use crate::sys::{credentials, exec, signal};

/// Where the program finds the device: its standard input.
const DEVICE: &str = "/dev/fd/0";

/// The program.
const PROGRAM: &str = "fuse-overlayfs";

/// The program's path, where it is installed.
pub(super) fn program(overlay: &Overlay) -> Option<PathBuf> {
    find_program(overlay.search.as_deref(), PROGRAM)
}

fn options(overlay: &Overlay) -> String {
    let lowers: Vec<String> = overlay
        .lowers
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    format!(
        "lowerdir={},upperdir={},workdir={}",
        lowers.join(":"),
        overlay.container.join("upper").display(),
        overlay.container.join("work").display()
    )
}

/// Starts the program, with `userns` as user 0 of that namespace. Whether it does its work shows
/// in the container: when it ends, or never starts, nobody has the device open any more.
///
/// # Errors
/// When no process could be made.
pub(super) fn serve(overlay: &Overlay, device: &OwnedFd, userns: Option<&OwnedFd>) -> Result<()> {
    match clone(CloneFlags::empty(), None)? {
        Cloned::Parent(_) => Ok(()),
        Cloned::Child => {
            let _ = become_server(overlay, device, userns);
            exit_now(127)
        }
    }
}

/// Returns only when something failed.
fn become_server(overlay: &Overlay, device: &OwnedFd, userns: Option<&OwnedFd>) -> Option<Errno> {
    // The terminal's Ctrl-C is for the payload.
    exec::set_session();
    signal::reset_all();
    if let Some(userns) = userns {
        nix::sched::setns(userns, CloneFlags::CLONE_NEWUSER).ok()?;
        credentials::set_ids(0, 0).ok()?;
    }
    credentials::die_with_parent().ok()?;
    nix::unistd::chdir(&overlay.base).ok()?;
    nix::sys::stat::umask(Mode::empty());
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR, Mode::empty()).ok()?;
    exec::dup_onto(device.as_raw_fd(), 0).ok()?;
    for stream in [1, 2] {
        exec::dup_onto(null.as_raw_fd(), stream).ok()?;
    }
    exec::close_on_exec_from(3);
    let text = |bytes: &[u8]| CString::new(bytes).ok();
    let program = text(program(overlay)?.as_os_str().as_bytes())?;
    let options = options(overlay);
    let words = [PROGRAM, "-f", "-o", &options, DEVICE];
    let words: Vec<CString> = words
        .iter()
        .map(|word| text(word.as_bytes()))
        .collect::<Option<_>>()?;
    Some(exec::execve(&program, &words, &[]))
}
