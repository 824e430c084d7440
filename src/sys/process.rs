//! Making processes, holding them by pidfd and waiting for them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::CloneFlags;

use super::{file, signal};
use crate::common::{Error, ExitStatus, Kind, Result};

/// Which side of a `clone` this is.
#[derive(Debug)]
pub(crate) enum Cloned {
    /// The caller, with a hold on the new process.
    Parent(Child),
    /// The new process.
    Child,
}

/// A child process held by its pidfd, so that its number can never be mistaken for another's.
#[derive(Debug)]
pub(crate) struct Child {
    /// Process number in this pid namespace.
    pub(crate) pid: i32,
    /// pidfd_open(2) descriptor, close-on-exec.
    pub(crate) pidfd: OwnedFd,
}

/// What `wait` learns of a child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) status: ExitStatus,
}

/// clone3(2) arguments, kernel 5.7 layout (88 bytes).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Not in nix: start in the cgroup of `CloneArgs::cgroup` (Linux 5.7).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Forks into new namespaces, and on cgroup v2 straight into `cgroup` (moving a process later
/// waits for an RCU grace period of several milliseconds).
///
/// The child is a copy of this single-threaded process and may use the heap.
///
/// # Errors
/// `Bug` when more than one thread lives: a lock held by another thread would stay locked in
/// the child for ever. Otherwise what clone3(2) or clone(2) gave.
pub(crate) fn clone(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>) -> Result<Cloned> {
    refuse_threads()?;
    let mut pidfd: i32 = -1;
    let mut flags = namespaces.bits() as u32 as u64 | libc::CLONE_PIDFD as u64;
    if cgroup.is_some() {
        flags |= CLONE_INTO_CGROUP;
    }
    // A sibling ends with the signal that this process itself would, and clone3 wants none said.
    let exit_signal = match namespaces.contains(CloneFlags::CLONE_PARENT) {
        true => 0,
        false => libc::SIGCHLD as u64,
    };
    let mut args = CloneArgs {
        flags,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal,
        cgroup: cgroup.map_or(0, |fd| fd.as_raw_fd() as u64),
        ..CloneArgs::default()
    };
    // SAFETY: no stack is given, so this is a fork: the child runs on a copy of this stack. One
    // thread lives (checked above), so no lock is held by anyone else. `args` and `pidfd`
    // outlive the call and have the layout and size passed.
    let mut pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    // Container hosts and old kernels answer clone3 with ENOSYS (seccomp profiles do so on
    // purpose); clone(2) has the pidfd since Linux 5.2 but not the cgroup.
    if pid == -1 && Errno::last() == Errno::ENOSYS && cgroup.is_none() {
        // SAFETY: as above; with CLONE_PIDFD the third argument receives the descriptor.
        pid = unsafe {
            libc::syscall(
                libc::SYS_clone,
                flags | exit_signal,
                0,
                &raw mut pidfd,
                0,
                0,
            )
        };
    }
    match pid {
        0 => Ok(Cloned::Child),
        -1 => Err(Error::errno("clone", "", Errno::last())),
        pid => {
            // SAFETY: the kernel stored a new descriptor that nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Cloned::Parent(Child {
                pid: pid as i32,
                pidfd,
            }))
        }
    }
}

/// How long threads that have ended may take to be gone for the kernel as well.
const ENDING: Duration = Duration::from_millis(250);

/// Refuses to fork a process with threads.
fn refuse_threads() -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    // Each thread is a directory of task/, so its link count is threads + 2.
    let several = || std::fs::metadata("/proc/self/task").map(|meta| meta.nlink() > 3);
    let mut found = several();
    // Who joins a scope of threads goes on before the last of them is off its processor.
    let began = Instant::now();
    while matches!(found, Ok(true)) && began.elapsed() < ENDING {
        std::thread::yield_now();
        found = several();
    }
    match found {
        Ok(true) => {
            Err(Error::new(Kind::Bug, "clone", "").because("more than one thread lives".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Child {
    /// Waits for the end of the process and reaps it.
    pub(crate) fn wait(&self) -> Result<Ended> {
        loop {
            let mut status = 0i32;
            // SAFETY: `status` is a valid place for the result.
            let pid = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
            if pid == self.pid {
                return Ok(Ended {
                    status: decode(status),
                });
            }
            let errno = Errno::last();
            if errno != Errno::EINTR {
                return Err(Error::errno(
                    "wait for process",
                    self.pid.to_string(),
                    errno,
                ));
            }
        }
    }

    /// Sends a signal; a process that is gone already is no error.
    pub(crate) fn signal(&self, signal: i32) -> Result<()> {
        send_signal(&self.pidfd, signal)
            .or_else(|errno| {
                if errno == Errno::ESRCH {
                    Ok(())
                } else {
                    Err(errno)
                }
            })
            .map_err(|errno| Error::errno("signal process", self.pid.to_string(), errno))
    }
}

fn send_signal(pidfd: &OwnedFd, signal: i32) -> std::result::Result<(), Errno> {
    // SAFETY: a null siginfo asks for the same information kill(2) would send.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    Errno::result(result).map(drop)
}

fn decode(status: i32) -> ExitStatus {
    if libc::WIFSIGNALED(status) {
        ExitStatus::Signal(libc::WTERMSIG(status) as u8)
    } else {
        ExitStatus::Code(libc::WEXITSTATUS(status) as u8)
    }
}

/// Opens a pidfd of an existing process (Linux 5.3).
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = Errno::result(fd)? as i32;
    // SAFETY: the kernel returned a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Forks a process that kills `victim` when this process ends before it, and then ends; it ends
/// by itself when the victim does. It holds no other descriptor, ignores every signal that can
/// be ignored and has a session of its own, so that a kill of a whole group misses it.
///
/// PR_SET_PDEATHSIG does the same at no cost, but the kernel forgets it when the victim executes
/// a set-uid program or changes its user.
pub(crate) fn guard(victim: BorrowedFd<'_>) -> Result<Child> {
    let failed = |errno| Error::errno("watch", "the container", errno);
    let own = pidfd_open(std::process::id() as i32)
        .map_err(|error| Error::io("watch", "the container", error))?;
    match clone(CloneFlags::empty(), None)? {
        Cloned::Parent(child) => Ok(child),
        Cloned::Child => {
            let _ = signal::block_all();
            super::exec::set_session();
            let watched = keep_two(own.as_fd(), victim).map_err(failed);
            if let Ok((parent, victim)) = watched {
                kill_after(&parent, &victim);
            }
            exit_now(0)
        }
    }
}

/// Moves two descriptors to 0 and 1 and closes all others.
fn keep_two(
    first: BorrowedFd<'_>,
    second: BorrowedFd<'_>,
) -> std::result::Result<(OwnedFd, OwnedFd), Errno> {
    // Above 2 first: with closed standard streams they could be 0 and 1 the other way round.
    let above = |fd: BorrowedFd<'_>| nix::fcntl::fcntl(fd, nix::fcntl::F_DUPFD_CLOEXEC(3));
    let (first, second) = (above(first)?, above(second)?);
    super::exec::dup_onto(first, 0)?;
    super::exec::dup_onto(second, 1)?;
    super::exec::close_from(2);
    // SAFETY: dup2 has made both just now, and this process ends without ever using its copies
    // of the parent's descriptors.
    Ok(unsafe { (OwnedFd::from_raw_fd(0), OwnedFd::from_raw_fd(1)) })
}

fn kill_after(parent: &OwnedFd, victim: &OwnedFd) {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    loop {
        let mut fds = [
            PollFd::new(parent.as_fd(), PollFlags::POLLIN),
            PollFd::new(victim.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if fds[1].any() != Some(true) {
            let _ = send_signal(victim, libc::SIGKILL);
        }
        return;
    }
}

/// Whether the process of a pidfd has ended, reaped or not.
pub(crate) fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut fds = [PollFd::new(pidfd, PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

/// How the process of a pidfd ended, once its parent has reaped it; `None` before that and where
/// the kernel does not tell (before Linux 6.15).
pub(crate) fn exit_of(pidfd: BorrowedFd<'_>) -> Option<ExitStatus> {
    /// linux/pidfd.h: `struct pidfd_info`, first version, 64 bytes.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const PIDFD_GET_INFO: libc::Ioctl = 0xC040_FF0B_u32 as libc::Ioctl;
    const PIDFD_INFO_EXIT: u64 = 1 << 3;
    let mut info = Info {
        mask: PIDFD_INFO_EXIT,
        ..Info::default()
    };
    // SAFETY: the request's number carries the size of the structure, which outlives the call.
    let result = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
    (result == 0 && info.mask & PIDFD_INFO_EXIT != 0).then(|| decode(info.exit_code))
}

/// Signals a process through a pidfd opened earlier.
pub(crate) fn signal_pidfd(pidfd: &OwnedFd, signal: i32) -> std::result::Result<(), Errno> {
    send_signal(pidfd, signal)
}

/// Reaps one ended child of any number; `None` when there is none that has ended.
/// With `block` it waits for the next end; `Err(ECHILD)` when there are no children at all.
pub(crate) fn reap_any(block: bool) -> std::result::Result<Option<(i32, ExitStatus)>, Errno> {
    loop {
        let mut status = 0i32;
        let options = if block { 0 } else { libc::WNOHANG };
        // SAFETY: `status` is a valid place for the result.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, options) };
        match pid {
            0 => return Ok(None),
            -1 if Errno::last() == Errno::EINTR => {}
            -1 => return Err(Errno::last()),
            pid => return Ok(Some((pid, decode(status)))),
        }
    }
}

/// The part of a Rust program's start that matters here: a closed standard stream becomes
/// /dev/null, so that no file opened later takes its number, and a write to a pipe that nobody
/// reads is an error instead of the end. The heap grows in steps that spare a start most calls.
pub(crate) fn begin() {
    let mut streams = [0, 1, 2].map(|fd| libc::pollfd {
        fd,
        events: 0,
        revents: 0,
    });
    // SAFETY: the array is valid for its three entries.
    let polled = unsafe { libc::poll(streams.as_mut_ptr(), 3, 0) };
    if polled > 0 {
        for stream in streams {
            if stream.revents & libc::POLLNVAL != 0 {
                // SAFETY: the path is a C string. The lowest free number is the stream's own,
                // since those below it are open by now.
                unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR, 0) };
            }
        }
    }
    signal::ignore_broken_pipes();
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: mallopt takes two integers, and no other thread lives yet.
        unsafe {
            libc::mallopt(libc::M_TOP_PAD, HEAP_STEP);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 4 * HEAP_STEP);
        }
    }
}

/// Bytes by which the heap grows; a start needs 300 KiB, and only what is touched is memory.
#[cfg(target_env = "gnu")]
const HEAP_STEP: libc::c_int = 512 << 10;

/// Ends this process at once, without running destructors or flushing: for forked children.
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Runs a test's `work` in a forked copy of this process, which has one thread; false when it
/// panics there.
#[cfg(test)]
pub(crate) fn in_a_copy(work: impl FnOnce()) -> bool {
    // SAFETY: the C library readies its own locks for the copy, and callers run no other test
    // beside this one, whose threads could hold others.
    match unsafe { libc::fork() } {
        0 => {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            exit_now(u8::from(done.is_err()))
        }
        pid => {
            let mut status = 0;
            // SAFETY: `status` is a valid place for the result.
            let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
            waited == pid && status == 0
        }
    }
}

/// Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22): together
/// with the number it names one process for as long as the machine runs.
pub(crate) fn start_time(pid: i32) -> Option<u64> {
    // Bytes: the name a process gives itself may be no text.
    let stat = file::read_kernel_piece(format!("/proc/{pid}/stat")).ok()?;
    // That name may hold spaces and parentheses; the last ')' ends it.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(end + 1..)?)
        .ok()?
        .split_ascii_whitespace();
    fields.nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_pidfd() {
        pidfd_open(std::process::id() as i32).unwrap();
    }

    #[test]
    fn the_end_of_a_reaped_process_is_told_or_unknown() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "exit 7"])
            .spawn()
            .unwrap();
        let pidfd = pidfd_open(child.id() as i32).unwrap();
        child.wait().unwrap();
        let told = exit_of(pidfd.as_fd());
        assert!(matches!(told, None | Some(ExitStatus::Code(7))), "{told:?}");
        assert_eq!(
            exit_of(pidfd_open(std::process::id() as i32).unwrap().as_fd()),
            None
        );
    }

    #[test]
    fn cloning_with_threads_is_refused() {
        // The test harness itself has more than one thread.
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || receiver.recv());
        assert_eq!(
            clone(CloneFlags::empty(), None).unwrap_err().kind(),
            Kind::Bug
        );
        drop(sender);
        let _ = thread.join();
    }
}
