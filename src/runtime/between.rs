//! A container that comes to be in namespaces of others: a process that joins a user namespace cannot
//! come back, so that another one goes there and clones init.
//!
//! ```text
//!   caller                            go-between (forked)
//!     clone_between --- clone --------->|
//!                                       | enters
//!       <------ Entered(pidfd) ---------|---- clone (as a child of the caller) ----> init
//!                                       | does the rest
//!     reaps the go-between             exit
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::CloneFlags;

use super::message::{Failure, FromInit};
use super::parent::explain_clone;
use crate::common::{Error, Kind, Result};
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{credentials, socket};

/// Clones init into new namespaces and the cgroup, after `enter` and before `rest` in the
/// go-between. In init what `enter` gave comes with it.
///
/// # Errors
/// Those of `enter`, of `rest` and clone(2)'s; nothing is left running then.
pub(super) fn clone_between<T>(
    enter: impl FnOnce() -> Result<T>,
    (namespaces, cgroup): (CloneFlags, Option<BorrowedFd<'_>>),
    rest: impl FnOnce(&Child, &T) -> Result<()>,
) -> Result<(Cloned, Option<T>)> {
    let (ours, theirs) = socket::message_pair()?;
    let between = match clone(CloneFlags::empty(), None)? {
        Cloned::Parent(between) => between,
        Cloned::Child => {
            drop(ours);
            let _ = credentials::die_with_parent();
            let tell = |message: &FromInit, descriptor: Option<BorrowedFd<'_>>| {
                let bytes = serde_json::to_vec(message).unwrap_or_default();
                let _ = socket::send(theirs.as_fd(), &bytes, descriptor);
            };
            let flags = namespaces | CloneFlags::CLONE_PARENT;
            let done = enter().and_then(|entered| {
                let cloned = clone(flags, cgroup);
                match cloned.map_err(|error| explain_clone(error, namespaces))? {
                    Cloned::Child => Ok(Some(entered)),
                    Cloned::Parent(child) => {
                        // First: whatever happens now, it is the caller's to reap.
                        tell(&FromInit::Entered(child.pid), Some(child.pidfd.as_fd()));
                        rest(&child, &entered).map(|()| None)
                    }
                }
            });
            match done {
                Ok(Some(entered)) => return Ok((Cloned::Child, Some(entered))),
                Ok(None) => exit_now(0),
                Err(error) => {
                    tell(&FromInit::Failed(Failure::of("start", &error)), None);
                    exit_now(1)
                }
            }
        }
    };
    drop(theirs);
    let heard = hear(&ours);
    let _ = between.wait();
    Ok((Cloned::Parent(heard?), None))
}

/// What the go-between says, to its end.
fn hear(socket: &OwnedFd) -> Result<Child> {
    let broken = |why: String| Error::new(Kind::Bug, "hear from", "the new process").because(why);
    let mut child = None;
    let failure = loop {
        match socket::receive(socket.as_fd()) {
            Ok(None) => break None,
            Err(errno) => break Some(broken(errno.desc().to_owned())),
            Ok(Some((bytes, descriptor))) => match serde_json::from_slice(&bytes) {
                Ok(FromInit::Entered(pid)) => child = descriptor.map(|pidfd| Child { pid, pidfd }),
                Ok(FromInit::Failed(failure)) => break Some(failure.into_error()),
                Ok(_) => {}
                Err(error) => break Some(broken(error.to_string())),
            },
        }
    };
    match (child, failure) {
        (Some(child), None) => Ok(child),
        (None, None) => Err(broken("it has ended".to_owned())),
        (child, Some(error)) => {
            if let Some(child) = child {
                let _ = child.signal(libc::SIGKILL);
                let _ = child.wait();
            }
            Err(error)
        }
    }
}
