//! Staying with a running container: signals in, terminal both ways, time limit, emulated
//! identity, until the pidfd reports the end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::front::Front;
use super::parent::{Running, Started};
use crate::common::{Error, ExitStatus, Result};
use crate::seccomp::IdentityEmulator;
use crate::sys::process::{self, Child};
use crate::sys::signal::Signals;
use crate::sys::tty::{self, RawMode};

/// How to stay with a container.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attendance {
    /// Signals of the caller go to the container.
    pub(crate) sig_proxy: bool,
    /// Standard input goes to its terminal.
    pub(crate) interactive: bool,
    /// It is killed after this time.
    pub(crate) timeout: Option<Duration>,
    /// It can shake off its tie to this process's life, so another one watches.
    pub(crate) slippery: bool,
}

/// Bytes moved between the terminals at once.
const CHUNK: usize = 16 * 1024;

/// A container that ends within this time needs no guard: making one would cost it a tenth of its
/// life. Should this process be killed so early, the next command ends what it left.
const UNGUARDED: Duration = Duration::from_millis(50);

/// Waits for the end of the container's first process.
pub(crate) fn attend(
    started: &Started,
    running: Running,
    signals: &Signals,
    how: Attendance,
) -> Result<ExitStatus> {
    attend_for(started, running, signals, how, None)
}

/// As [`attend`], for a `front` that has the user's attention: the process ends when the front
/// does, and is left to itself when the user asks for that.
pub(crate) fn attend_for(
    started: &Started,
    running: Running,
    signals: &Signals,
    how: Attendance,
    front: Option<Front>,
) -> Result<ExitStatus> {
    let stdin = tty::standard_input();
    let raw = match &running.console {
        Some(_) => RawMode::enter(stdin),
        None => None,
    };
    let mut attendant = Attendant {
        started,
        how,
        console: running.console,
        emulator: running
            .listener
            .map(|listener| IdentityEmulator::new(listener, running.user.uid, running.user.gid)),
        stdin_open: how.interactive,
        pending: Vec::new(),
        deadline: how.timeout.map(|timeout| Instant::now() + timeout),
        overdue: false,
        guard: None,
        guard_due: how.slippery.then(|| Instant::now() + UNGUARDED),
        raw,
        front,
    };
    attendant.resize();
    let ended = attendant.watch(signals, stdin);
    attendant.drain();
    drop(attendant.raw.take());
    if let Err(error) = ended {
        started.abandon();
        return Err(error);
    }
    if let Some(guard) = attendant.guard.take() {
        // It ends with the container.
        guard.wait()?;
    }
    let overdue = attendant.overdue;
    let status = started.child.wait()?.status;
    Ok(status.unless_overdue(overdue))
}

struct Attendant<'a> {
    started: &'a Started,
    how: Attendance,
    console: Option<OwnedFd>,
    emulator: Option<IdentityEmulator>,
    stdin_open: bool,
    /// Typed, not yet taken by the container.
    pending: Vec<u8>,
    deadline: Option<Instant>,
    /// It has passed, and the container was killed for that.
    overdue: bool,
    /// See [`process::guard`].
    guard: Option<Child>,
    /// When it is to be made.
    guard_due: Option<Instant>,
    /// The caller's terminal, to be given back.
    raw: Option<RawMode>,
    front: Option<Front>,
}

impl Attendant<'_> {
    fn watch(&mut self, signals: &Signals, stdin: BorrowedFd<'_>) -> Result<()> {
        loop {
            let ready = self.poll(signals, stdin)?;
            if ready.signal {
                while let Some(number) = signals.next() {
                    self.signal(number)?;
                }
            }
            if ready.notification
                && let Some(emulator) = &mut self.emulator
                && (ready.deserted || emulator.handle_one().is_err())
            {
                // Every process of the container is gone, or the listener is broken; without
                // it trapped calls fail with ENOSYS, which is said by the programs themselves.
                self.emulator = None;
            }
            if ready.console_in && !self.copy_out() {
                self.console = None;
            }
            if ready.console_out {
                self.flush_in();
            }
            if ready.stdin {
                self.copy_in(stdin);
            }
            if ready.ended {
                return Ok(());
            }
            if ready.front_gone {
                self.front = None;
                self.started.child.signal(libc::SIGKILL)?;
            }
            if self.guard_due.is_some_and(passed) {
                self.guard_due = None;
                // Not to have it only matters when this very process is killed.
                self.guard = process::guard(self.started.child.pidfd.as_fd()).ok();
            }
            if self.deadline.is_some_and(passed) {
                self.deadline = None;
                self.overdue = true;
                self.started.child.signal(libc::SIGKILL)?;
            }
        }
    }

    fn poll(&self, signals: &Signals, stdin: BorrowedFd<'_>) -> Result<Ready> {
        let mut fds = vec![
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.started.child.pidfd.as_fd(), PollFlags::POLLIN),
        ];
        let (mut emulator_at, mut console_at, mut stdin_at) = (usize::MAX, usize::MAX, usize::MAX);
        let mut front_at = usize::MAX;
        if let Some(front) = &self.front {
            front_at = fds.len();
            fds.push(PollFd::new(front.as_fd(), PollFlags::empty()));
        }
        if let Some(emulator) = &self.emulator {
            emulator_at = fds.len();
            fds.push(PollFd::new(emulator.as_fd(), PollFlags::POLLIN));
        }
        if let Some(console) = &self.console {
            let mut wanted = PollFlags::POLLIN;
            wanted.set(PollFlags::POLLOUT, !self.pending.is_empty());
            console_at = fds.len();
            fds.push(PollFd::new(console.as_fd(), wanted));
            if self.stdin_open && self.pending.is_empty() {
                stdin_at = fds.len();
                fds.push(PollFd::new(stdin, PollFlags::POLLIN));
            }
        }
        let next = [self.deadline, self.guard_due].into_iter().flatten().min();
        let timeout = match next {
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                // One more millisecond: poll rounds down, and waking early would spin.
                PollTimeout::try_from(left.saturating_add(Duration::from_millis(1)))
                    .unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::errno("wait for", "the container", errno)),
        }
        let any = |at: usize| {
            fds.get(at)
                .and_then(|fd| fd.revents())
                .unwrap_or(PollFlags::empty())
        };
        let readable = PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
        Ok(Ready {
            signal: any(0).intersects(readable),
            ended: any(1).intersects(readable),
            notification: any(emulator_at).intersects(readable),
            deserted: any(emulator_at).intersects(PollFlags::POLLHUP),
            console_in: any(console_at).intersects(readable),
            console_out: any(console_at).contains(PollFlags::POLLOUT),
            stdin: any(stdin_at).intersects(readable),
            front_gone: any(front_at).intersects(PollFlags::POLLHUP | PollFlags::POLLERR),
        })
    }

    fn signal(&mut self, number: i32) -> Result<()> {
        match number {
            libc::SIGPIPE | libc::SIGURG => Ok(()),
            libc::SIGWINCH => {
                self.resize();
                Ok(())
            }
            _ if self.how.sig_proxy => self.started.child.signal(number),
            // Without the proxy the caller ends, and the container with it.
            libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT => {
                self.started.child.signal(libc::SIGKILL)
            }
            _ => Ok(()),
        }
    }

    /// Gives the container's terminal the size of the caller's.
    fn resize(&self) {
        if let Some(console) = &self.console
            && let Some(size) = tty::own_window_size()
        {
            tty::set_window_size(console.as_fd(), size);
        }
    }

    /// Terminal to standard output; false at its end.
    fn copy_out(&self) -> bool {
        let Some(console) = &self.console else {
            return false;
        };
        let mut buffer = [0u8; CHUNK];
        match nix::unistd::read(console, &mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                write_all(tty::standard_output(), &buffer[..count]);
                true
            }
            Err(Errno::EAGAIN | Errno::EINTR) => true,
            // EIO: the last process that had the other side open is gone.
            Err(_) => false,
        }
    }

    fn copy_in(&mut self, stdin: BorrowedFd<'_>) {
        let mut buffer = [0u8; CHUNK];
        match nix::unistd::read(stdin, &mut buffer) {
            Ok(0) => self.stdin_open = false,
            Ok(count) => {
                let mut typed = &buffer[..count];
                let kept = self.front.as_mut().map(|front| front.typed(typed));
                if let Some((kept, leave)) = &kept {
                    typed = kept;
                    if *leave {
                        self.leave();
                    }
                }
                self.pending.extend_from_slice(typed);
                self.flush_in();
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => self.stdin_open = false,
        }
    }

    /// Goes on without the user's terminal.
    fn leave(&mut self) {
        self.stdin_open = false;
        drop(self.raw.take());
        if let Some(front) = self.front.take() {
            front.leave();
        }
    }

    fn flush_in(&mut self) {
        let Some(console) = &self.console else { return };
        while !self.pending.is_empty() {
            match nix::unistd::write(console, &self.pending) {
                Ok(count) => {
                    self.pending.drain(..count);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => self.pending.clear(),
            }
        }
    }

    /// What the container wrote last is still in the terminal when it has ended.
    fn drain(&mut self) {
        while let Some(console) = &self.console {
            let mut fds = [PollFd::new(console.as_fd(), PollFlags::POLLIN)];
            let waiting = poll(&mut fds, PollTimeout::ZERO).unwrap_or(0);
            if waiting == 0 || !self.copy_out() {
                self.console = None;
            }
        }
    }
}

fn passed(moment: Instant) -> bool {
    Instant::now() >= moment
}

/// What `poll` found.
struct Ready {
    signal: bool,
    ended: bool,
    notification: bool,
    /// No process is left that could send one.
    deserted: bool,
    console_in: bool,
    console_out: bool,
    stdin: bool,
    /// Whoever had the user's attention is dead.
    front_gone: bool,
}

/// Writes everything, or nothing more once the reader is gone.
fn write_all(out: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match nix::unistd::write(out, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(out, PollFlags::POLLOUT)];
                let _ = poll(&mut fds, PollTimeout::NONE);
            }
            Err(_) => return,
        }
    }
}
