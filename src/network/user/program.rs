//! Starting such a program, and hearing whether it is ready.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;
use nix::unistd::Pid;

use crate::common::{Error, Kind, Result};
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{credentials, exec, namespace, signal};

/// Most that is read of what a program says before it fails.
const MOST: u64 = 4096;

/// How to start it.
pub(super) struct Launch<'a> {
    /// Its executable.
    pub(super) path: &'a Path,
    /// Its words, `argv[0]` first.
    pub(super) words: Vec<String>,
    /// The user namespace that it belongs to.
    pub(super) userns: &'a OwnedFd,
    /// Descriptors it inherits, under the numbers they have here.
    pub(super) kept: Vec<&'a OwnedFd>,
    /// Its end of the pipe over which it says that it is ready.
    pub(super) ready: OwnedFd,
    /// Ours.
    pub(super) heard: OwnedFd,
}

/// A pipe, reading end first.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|errno| Error::errno("make pipe", "", errno))
}

/// Starts the program and waits for its first word.
pub(super) fn launch(launch: Launch<'_>) -> Result<Child> {
    let Launch {
        path,
        words,
        userns,
        kept,
        ready,
        heard,
    } = launch;
    let name = words.first().cloned().unwrap_or_default();
    let failed = |errno| Error::errno("start", &name, errno);
    let said = memfd_create(c"said", MFdFlags::MFD_CLOEXEC).map_err(failed)?;
    let keeper = nix::unistd::getpid();
    let child = match clone(CloneFlags::empty(), None)? {
        Cloned::Parent(child) => child,
        Cloned::Child => {
            let mut kept: Vec<i32> = kept.iter().map(|fd| fd.as_raw_fd()).collect();
            kept.push(ready.as_raw_fd());
            become_program(path, &words, (userns, keeper), &kept, &said);
            exit_now(127)
        }
    };
    drop(ready);
    let mut word = [0; 64];
    let heard = File::from(heard).read(&mut word);
    if matches!(heard, Ok(count) if count > 0) {
        return Ok(child);
    }
    let _ = child.signal(libc::SIGKILL);
    let _ = child.wait();
    Err(Error::new(Kind::System, "start", name).because(words_of(said)))
}

/// The last line of what a program has said.
fn words_of(said: OwnedFd) -> String {
    use std::io::{Seek, SeekFrom};
    let mut file = File::from(said);
    let mut text = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(MOST).read_to_string(&mut text));
    // Where there is no system log, passt's complaint about that comes before each line.
    let is_said = |line: &&str| !line.is_empty() && !line.ends_with("bytes to syslog");
    let line = text.lines().map(str::trim).rfind(is_said);
    match (read, line) {
        (Ok(_), Some(line)) => line.to_owned(),
        _ => "it ended without a word".to_owned(),
    }
}

/// Runs in the child; returns when nothing could be executed.
fn become_program(
    path: &Path,
    words: &[String],
    (userns, keeper): (&OwnedFd, Pid),
    kept: &[i32],
    said: &OwnedFd,
) -> Option<()> {
    // The terminal's Ctrl-C is for the payload.
    exec::set_session();
    signal::reset_all();
    // Not left to the program: joining a user namespace would cut its tie to this process, and
    // one whose keeper was killed would live for ever.
    if !namespace::is_own("user", userns).ok()? {
        setns(userns, CloneFlags::CLONE_NEWUSER).ok()?;
        // Who is not root there (`--userns keep-id`) would lose what joining gave by the exec.
        if !nix::unistd::geteuid().is_root() {
            credentials::hand_caps_over().ok()?;
        }
    }
    credentials::die_with_parent().ok()?;
    if nix::unistd::getppid() != keeper {
        return None;
    }
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR, Mode::empty()).ok()?;
    for (descriptor, stream) in [(&null, 0), (&null, 1), (said, 2)] {
        exec::dup_onto(descriptor.as_raw_fd(), stream).ok()?;
    }
    exec::close_on_exec_from(3);
    for number in kept {
        exec::keep_open(*number).ok()?;
    }
    let program = CString::new(path.as_os_str().as_bytes()).ok()?;
    let words: Vec<CString> = words
        .iter()
        .map(|word| CString::new(word.as_bytes()).ok())
        .collect::<Option<_>>()?;
    exec::execve(&program, &words, &[]);
    None
}
