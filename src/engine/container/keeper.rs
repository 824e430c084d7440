//! The process that stays with an exec whose caller may leave: `-d`, and the detach keys.
//!
//! ```text
//!   caller (front) --- forks ---> keeper --- starts, attends ---> process in the container
//!     waits for Started (-d), Left or Ended
//! ```
//! Unlike the supervisor of a container it has nothing to serve: it answers identity calls,
//! empties the terminal and says in the journal how the process ended.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;

use super::exec::{ExecOutcome, ExecRequest, Execution};
use super::failure::RunFailure;
use crate::common::{Error, ExitStatus, Kind};
use crate::runtime::{Attendance, Failure, Front, Said, attend_for, forget_caller};
use crate::sys::process::{self, Child, Cloned};
use crate::sys::signal::Signals;
use crate::sys::socket;

/// Starts the process and waits until it runs (`-d`), ends or is left.
pub(super) fn keep(execution: &Execution<'_>, request: &ExecRequest) -> Result<ExecOutcome> {
    // Before there are two processes, so that none is lost.
    let signals = Signals::block()?;
    let (ours, theirs) = socket::message_pair()?;
    match process::clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            drop(ours);
            if request.detach {
                forget_caller(request.preserve);
            }
            attend(execution, request, theirs);
            process::exit_now(0)
        }
        Cloned::Parent(keeper) => {
            drop(theirs);
            front(execution, request.detach, &keeper, &ours, &signals)
        }
    }
}

fn attend(execution: &Execution<'_>, request: &ExecRequest, line: OwnedFd) {
    let (started, running) = match execution.start(None) {
        Ok(entered) => entered,
        Err(error) => return Front::say(line.as_fd(), &failed(error)),
    };
    Front::say(line.as_fd(), &Said::Started);
    let mut how = Attendance {
        sig_proxy: !request.detach,
        interactive: request.stdio.interactive && !request.detach,
        timeout: None,
        slippery: execution.is_slippery(),
    };
    let front = match request.detach {
        true => {
            // Nobody's end is to be its end.
            how.slippery = false;
            None
        }
        false => line
            .try_clone()
            .ok()
            .map(|line| Front::new(line, request.detach_keys.clone())),
    };
    let ended =
        Signals::block().and_then(|signals| attend_for(&started, running, &signals, how, front));
    if let Ok(status) = ended {
        execution.ended(status);
        Front::say(line.as_fd(), &Said::Ended(status));
    }
}

fn failed(error: anyhow::Error) -> Said {
    let (status, error) = match error.downcast::<RunFailure>() {
        Ok(failure) => (failure.status, failure.error),
        Err(error) => (
            ExitStatus::ENGINE,
            error.downcast::<Error>().unwrap_or_else(|error| {
                Error::new(Kind::System, "exec", "").because(format!("{error:#}"))
            }),
        ),
    };
    Said::Failed(status, Failure::of("exec", &error))
}

/// The caller's side: passes signals on and waits.
fn front(
    execution: &Execution<'_>,
    detach: bool,
    keeper: &Child,
    line: &OwnedFd,
    signals: &Signals,
) -> Result<ExecOutcome> {
    loop {
        let mut fds = [
            PollFd::new(line.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::errno("wait for", "the process", errno).into()),
        }
        let said = fds[0].any() == Some(true);
        while let Some(number) = signals.next() {
            if !matches!(number, libc::SIGPIPE | libc::SIGURG) {
                keeper.signal(number)?;
            }
        }
        if !said {
            continue;
        }
        match Front::hear(line.as_fd()) {
            Some(Said::Started) if !detach => {}
            Some(Said::Started | Said::Left) => {
                return Ok(ExecOutcome::Detached(execution.id.clone()));
            }
            Some(Said::Failed(status, failure)) => {
                let _ = keeper.wait();
                let error = failure.into_error();
                return Err(RunFailure { status, error }.into());
            }
            Some(Said::Ended(status)) => {
                keeper.wait()?;
                return Ok(ExecOutcome::Ended(status));
            }
            // Killed, and the process with it.
            None => return Ok(ExecOutcome::Ended(keeper.wait()?.status)),
        }
    }
}
