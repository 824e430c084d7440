//! `--init`: process 1 reaps what it inherits and passes signals on.

use std::os::fd::OwnedFd;

use nix::sched::CloneFlags;

use crate::common::Result;
use crate::sys::process::{Cloned, clone, exit_now, reap_any};
use crate::sys::{exec, signal};

/// Which of the two a process became.
pub(super) enum Side {
    /// Process 2, about to exec.
    Payload,
    /// Process 1, with the payload's number.
    Reaper(i32),
}

/// Forks the payload off.
pub(super) fn split() -> Result<Side> {
    // Signals that arrive before the reaper waits for them must not be lost.
    signal::block_all();
    match clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            signal::reset_all();
            exec::set_session();
            Ok(Side::Payload)
        }
        Cloned::Parent(child) => {
            let _: OwnedFd = child.pidfd;
            Ok(Side::Reaper(child.pid))
        }
    }
}

/// Reaps until the payload ends, then ends with its code.
///
/// This process is ketch, not the payload's program: with CAP_SYS_PTRACE the payload can look
/// into it, so it keeps neither ketch's descriptors nor the environment of the caller.
pub(super) fn watch(payload: i32) -> ! {
    exec::close_from(3);
    exec::forget_environment();
    loop {
        let number = signal::wait_any();
        if number != libc::SIGCHLD {
            signal::kill(payload, number);
            continue;
        }
        loop {
            match reap_any(false) {
                Ok(Some((pid, status))) if pid == payload => exit_now(status.code()),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => exit_now(0),
            }
        }
    }
}
