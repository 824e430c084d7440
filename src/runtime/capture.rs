//! Staying with a process whose output is kept in memory: health checks.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::parent::{Running, Started};
use crate::common::{Error, ExitStatus, Result};
use crate::seccomp::IdentityEmulator;

/// What a process left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captured {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// The first bytes of what it wrote.
    pub(crate) output: Vec<u8>,
    /// It was killed for taking too long.
    pub(crate) timed_out: bool,
}

/// Bytes read at once.
const CHUNK: usize = 4096;

/// Reads of what is left in a pipe at the end: it holds 64 KiB.
const LAST_READS: usize = 16;

/// Waits for the end of a process that writes to the other end of `pipe`, answers its identity
/// calls, keeps the first `limit` bytes of its output and kills it after `timeout`.
///
/// What the process leaves behind in the container may hold the pipe for ever: only its own end
/// is waited for.
pub(crate) fn capture(
    started: &Started,
    running: Running,
    pipe: io::PipeReader,
    limit: usize,
    timeout: Duration,
) -> Result<Captured> {
    let mut watch = Watch {
        started,
        emulator: running
            .listener
            .map(|listener| IdentityEmulator::new(listener, running.user.uid, running.user.gid)),
        pipe: Some(pipe),
        output: Vec::new(),
        limit,
    };
    let deadline = Instant::now() + timeout;
    let mut timed_out = false;
    while !watch.wait((!timed_out).then_some(deadline))? {
        if !timed_out && Instant::now() >= deadline {
            timed_out = true;
            started.child.signal(libc::SIGKILL)?;
        }
    }
    for _ in 0..LAST_READS {
        let waiting = watch.pipe.as_ref().is_some_and(|pipe| {
            let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
        });
        if !waiting {
            break;
        }
        watch.read();
    }
    Ok(Captured {
        status: started.child.wait()?.status,
        output: watch.output,
        timed_out,
    })
}

struct Watch<'a> {
    started: &'a Started,
    emulator: Option<IdentityEmulator>,
    pipe: Option<io::PipeReader>,
    output: Vec<u8>,
    limit: usize,
}

impl Watch<'_> {
    /// Deals with what happens next; true when the process has ended.
    fn wait(&mut self, deadline: Option<Instant>) -> Result<bool> {
        let mut fds = vec![PollFd::new(
            self.started.child.pidfd.as_fd(),
            PollFlags::POLLIN,
        )];
        let (mut pipe_at, mut emulator_at) = (usize::MAX, usize::MAX);
        if let Some(pipe) = &self.pipe {
            pipe_at = fds.len();
            fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        }
        if let Some(emulator) = &self.emulator {
            emulator_at = fds.len();
            fds.push(PollFd::new(emulator.as_fd(), PollFlags::POLLIN));
        }
        let timeout = deadline.map_or(PollTimeout::NONE, |deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            // One more millisecond: poll rounds down, and waking early would spin.
            PollTimeout::try_from(left.saturating_add(Duration::from_millis(1)))
                .unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::errno("wait for", "the process", errno)),
        }
        let events = |at: usize| {
            fds.get(at)
                .and_then(|fd| fd.revents())
                .unwrap_or(PollFlags::empty())
        };
        let (ended, written) = (!events(0).is_empty(), !events(pipe_at).is_empty());
        let called = events(emulator_at);
        if written {
            self.read();
        }
        if let Some(emulator) = &mut self.emulator
            && !called.is_empty()
            && (called.contains(PollFlags::POLLHUP) || emulator.handle_one().is_err())
        {
            self.emulator = None;
        }
        Ok(ended)
    }

    fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut buffer = [0u8; CHUNK];
        match pipe.read(&mut buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                let room = self.limit.saturating_sub(self.output.len()).min(count);
                self.output.extend_from_slice(&buffer[..room]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.pipe = None,
        }
    }
}
