//! Questions to the kernel that only trying can answer: may this user make a user namespace,
//! does overlay mount on this file system. Each trial runs in a short-lived child and leaves
//! nothing behind but the directory the caller gave it. Used by `host` and `doctor` only.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `CAP_SYS_ADMIN` as a bit of [`effective_caps`].
pub(crate) const CAP_SYS_ADMIN: u64 = 1 << 21;

/// Returns the effective capabilities of this thread as a bit mask, by one `capget(2)`.
pub(crate) fn effective_caps() -> io::Result<u64> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Default, Clone, Copy)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let mut header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [Data::default(); 2];
    // SAFETY: both pointers are to live, writable memory of the layout that version 3 of the
    // call defines: one header and two data words.
    let rc = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    if rc != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(data[0].effective) | u64::from(data[1].effective) << 32)
}

/// What a trial ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Every step worked.
    Works,
    /// A step failed.
    Failed {
        /// The step in words: "make a user namespace".
        step: &'static str,
        /// Its errno.
        errno: i32,
    },
}

const STEPS: [&str; 8] = [
    "report",
    "make a user namespace",
    "deny setgroups",
    "write the user id map",
    "write the group id map",
    "make a mount namespace private",
    "mount overlay",
    "create a file on overlay",
];

/// Tries to make a user namespace with one mapped id, in a child.
pub(crate) fn user_namespace() -> io::Result<Trial> {
    trial(&Script::new(true)?)
}

/// Tries overlay in a child: `dir` must hold the empty directories `lower`, `upper`, `work` and
/// `merged`. With `userns` the trial mounts as an ordinary user does, inside a user namespace.
/// With `volatile` (Linux 5.10) its end does not write the whole disk's dirty pages out.
pub(crate) fn overlay(dir: &Path, userns: bool, volatile: bool) -> io::Result<Trial> {
    let mut script = Script::new(userns)?;
    let at = |name: &str| dir.join(name);
    let mut options = Vec::new();
    for (key, name) in [
        ("lowerdir=", "lower"),
        (",upperdir=", "upper"),
        (",workdir=", "work"),
    ] {
        options.extend_from_slice(key.as_bytes());
        options.extend_from_slice(at(name).as_os_str().as_bytes());
    }
    if userns {
        options.extend_from_slice(b",userxattr");
    }
    if volatile {
        options.extend_from_slice(b",volatile");
    }
    script.overlay = Some(Overlay {
        target: c_path(&at("merged"))?,
        options: CString::new(options)?,
        file: c_path(&at("merged").join("probe"))?,
    });
    trial(&script)
}

/// Everything the child needs, made before the fork: it may not allocate.
struct Script {
    userns: bool,
    setgroups: CString,
    uid_path: CString,
    gid_path: CString,
    uid_map: CString,
    gid_map: CString,
    overlay: Option<Overlay>,
}

struct Overlay {
    target: CString,
    options: CString,
    file: CString,
}

impl Script {
    fn new(userns: bool) -> io::Result<Script> {
        let map = |id: u32| CString::new(format!("0 {id} 1"));
        Ok(Script {
            userns,
            setgroups: c"/proc/self/setgroups".into(),
            uid_path: c"/proc/self/uid_map".into(),
            gid_path: c"/proc/self/gid_map".into(),
            uid_map: map(nix::unistd::geteuid().as_raw())?,
            gid_map: map(nix::unistd::getegid().as_raw())?,
            overlay: None,
        })
    }
}

fn trial(script: &Script) -> io::Result<Trial> {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    // SAFETY: the child calls only async-signal-safe functions on memory made before the fork
    // and ends with `_exit`, so locks held by other threads at the fork are never touched.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    if pid == 0 {
        let (step, errno) = act(script);
        let mut report = [0u8; 8];
        report[..4].copy_from_slice(&step.to_ne_bytes());
        report[4..].copy_from_slice(&errno.to_ne_bytes());
        // SAFETY: `report` is eight readable bytes and the descriptor is open; `_exit` is always
        // allowed after a fork.
        unsafe {
            libc::write(writer.as_raw_fd(), report.as_ptr().cast(), report.len());
            libc::_exit(0);
        }
    }
    drop(writer);
    let report = read_report(&reader);
    let child = nix::unistd::Pid::from_raw(pid);
    while let Err(nix::errno::Errno::EINTR) = nix::sys::wait::waitpid(child, None) {}
    let (step, errno) = report?;
    if errno == 0 {
        return Ok(Trial::Works);
    }
    let step = STEPS.get(step as usize).copied().unwrap_or(STEPS[0]);
    Ok(Trial::Failed { step, errno })
}

fn read_report(reader: &OwnedFd) -> io::Result<(u32, i32)> {
    let mut report = [0u8; 8];
    let mut have = 0;
    while have < report.len() {
        match nix::unistd::read(reader, &mut report[have..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    let word = |at: usize| [report[at], report[at + 1], report[at + 2], report[at + 3]];
    Ok((u32::from_ne_bytes(word(0)), i32::from_ne_bytes(word(4))))
}

/// The child's steps; returns the failed step's number and errno, or errno 0.
fn act(script: &Script) -> (u32, i32) {
    let flags = if script.userns {
        libc::CLONE_NEWUSER | libc::CLONE_NEWNS
    } else {
        libc::CLONE_NEWNS
    };
    // SAFETY: `unshare` takes no pointer.
    if unsafe { libc::unshare(flags) } != 0 {
        return (1, errno());
    }
    if script.userns {
        for (step, path, text) in [
            (2, &script.setgroups, c"deny"),
            (3, &script.uid_path, script.uid_map.as_c_str()),
            (4, &script.gid_path, script.gid_map.as_c_str()),
        ] {
            let failed = write_once(path, text);
            if failed != 0 {
                return (step, failed);
            }
        }
    }
    let Some(overlay) = &script.overlay else {
        return (0, 0);
    };
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: every string ends with NUL; the unused arguments are null, as the call allows.
    let rc = unsafe {
        let none = std::ptr::null();
        libc::mount(none, c"/".as_ptr(), none, private, std::ptr::null())
    };
    if rc != 0 {
        return (5, errno());
    }
    // SAFETY: as above; the options are a NUL-terminated string.
    let rc = unsafe {
        libc::mount(
            c"overlay".as_ptr(),
            overlay.target.as_ptr(),
            c"overlay".as_ptr(),
            libc::MS_NOSUID | libc::MS_NODEV,
            overlay.options.as_ptr().cast(),
        )
    };
    if rc != 0 {
        return (6, errno());
    }
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the path ends with NUL and the mode is given because of O_CREAT.
    if unsafe { libc::open(overlay.file.as_ptr(), flags, 0o600) } < 0 {
        return (7, errno());
    }
    (0, 0)
}

/// Writes a text to a file of proc in one call; returns errno or 0.
fn write_once(path: &CString, text: &std::ffi::CStr) -> i32 {
    // SAFETY: the path ends with NUL.
    let fd: RawFd = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return errno();
    }
    // SAFETY: `fd` was just opened and nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the text's bytes are readable for their length.
    let rc = unsafe { libc::write(fd.as_raw_fd(), text.as_ptr().cast(), text.count_bytes()) };
    if rc < 0 { errno() } else { 0 }
}

fn errno() -> i32 {
    nix::errno::Errno::last_raw()
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_with_its_errno() {
        let dir = tempfile::tempdir().unwrap();
        let trial = overlay(dir.path(), true, true).unwrap();
        assert!(
            matches!(trial, Trial::Failed { errno, .. } if errno != 0),
            "{trial:?}"
        );
    }

    #[test]
    fn root_of_the_initial_namespace_has_admin_and_others_do_not() {
        let admin = effective_caps().unwrap() & CAP_SYS_ADMIN != 0;
        if !nix::unistd::geteuid().is_root() {
            assert!(!admin);
        }
    }
}
