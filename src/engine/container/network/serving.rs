//! A process that serves a container's network, for the time after its start.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::sys::process;

/// Killed helpers that are children of this process still: who starts a container again and again
/// is not to gather them.
static ENDING: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// Reaps those that have gone meanwhile.
fn reap() {
    let is_there = |pid: &i32| {
        let seen = waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
        seen == Ok(WaitStatus::StillAlive)
    };
    let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    ending.retain(is_there);
}

/// What it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// Carries a private network's packets.
    #[default]
    Program,
    /// Leads ports into a private network.
    Inside,
    /// Answers for names, leads root's ports, and has an ordinary user's share in the shared
    /// namespace.
    Outside,
    /// Leads ports on from the shared namespace.
    Shared,
    /// As `Outside`, for networks that came after the start; without ports.
    Late,
}

impl Role {
    /// Whether an ordinary user's has a share in the shared namespace.
    pub(super) fn has_share(self) -> bool {
        matches!(self, Role::Outside | Role::Late)
    }
}

/// A process that serves a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Helper {
    /// Process number.
    pid: i32,
    /// When it began, in the kernel's ticks: numbers come again.
    start_time: u64,
    /// What it does.
    #[serde(default)]
    pub(super) role: Role,
}

impl Helper {
    /// A child of this process.
    pub(super) fn of(pid: i32, role: Role) -> Helper {
        reap();
        Helper {
            pid,
            start_time: process::start_time(pid).unwrap_or_default(),
            role,
        }
    }

    /// Ends it and waits until it has let go of what it has; one that has ended is no error.
    pub(super) fn end(&self) {
        if self.kill() {
            // Only for who has started it.
            let _ = waitpid(Pid::from_raw(self.pid), None);
        }
    }

    /// Ends it where nothing that it has is needed again: the kernel takes some twenty
    /// milliseconds to give up its device.
    pub(super) fn dismiss(&self) {
        if self.kill() {
            let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
            ending.push(self.pid);
        }
    }

    /// Whether it was there.
    fn kill(&self) -> bool {
        let pidfd = self.pidfd();
        if let Some(pidfd) = &pidfd {
            let _ = process::signal_pidfd(pidfd, libc::SIGKILL);
        }
        pidfd.is_some()
    }

    /// To wait for it; `None` when it is gone.
    pub(super) fn pidfd(&self) -> Option<OwnedFd> {
        let pidfd = process::pidfd_open(self.pid).ok()?;
        (process::start_time(self.pid) == Some(self.start_time)).then_some(pidfd)
    }
}
