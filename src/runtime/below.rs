//! A container whose user namespace is a child of another than the caller's, so that root of that
//! one rules the container's network namespace too.
//!
//! ```text
//!   caller                            go-between (forked)
//!     clone_below ---- clone ---------->|
//!                                       | enters the user namespace
//!       <------ Entered(pidfd) ---------|---- clone (as a child of the caller) ----> init
//!                                       | writes its id maps
//!     reaps the go-between             exit
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns};

use super::message::{Failure, FromInit};
use super::parent::explain_clone;
use super::plan::{MapWriter, Maps, Plan};
use crate::common::{Error, Kind, Result};
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{credentials, namespace, socket};

/// Clones init into new namespaces below `user`, with its id maps written unless init does that
/// itself. In the child the plan comes with maps in the terms of `user`.
///
/// # Errors
/// `Conflict` when `user` lacks an id that the container has; nothing is left running then.
pub(super) fn clone_below(
    user: BorrowedFd<'_>,
    plan: &Plan,
    namespaces: CloneFlags,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<(Cloned, Option<Plan>)> {
    let (ours, theirs) = socket::message_pair()?;
    match clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            drop(ours);
            Ok((
                Cloned::Child,
                Some(go_between(&theirs, user, plan, (namespaces, cgroup))),
            ))
        }
        Cloned::Parent(between) => {
            drop(theirs);
            let heard = hear(&ours);
            let _ = between.wait();
            Ok((Cloned::Parent(heard?), None))
        }
    }
}

/// What the go-between and init do; only init returns.
fn go_between(
    report: &OwnedFd,
    user: BorrowedFd<'_>,
    plan: &Plan,
    (namespaces, cgroup): (CloneFlags, Option<BorrowedFd<'_>>),
) -> Plan {
    let _ = credentials::die_with_parent();
    let tell = |message: &FromInit, descriptor: Option<BorrowedFd<'_>>| {
        let bytes = serde_json::to_vec(message).unwrap_or_default();
        let _ = socket::send(report.as_fd(), &bytes, descriptor);
    };
    let fail = |error: &Error| -> ! {
        tell(&FromInit::Failed(Failure::of("start", error)), None);
        exit_now(1)
    };
    let plan = match enter(user, plan) {
        Ok(plan) => plan,
        Err(error) => fail(&error),
    };
    let flags = namespaces | CloneFlags::CLONE_PARENT;
    let child = match clone(flags, cgroup).map_err(|error| explain_clone(error, namespaces)) {
        Ok(Cloned::Child) => return plan,
        Ok(Cloned::Parent(child)) => child,
        Err(error) => fail(&error),
    };
    // First: whatever happens now, it is the caller's to reap.
    tell(&FromInit::Entered(child.pid), Some(child.pidfd.as_fd()));
    if let Some(maps) = &plan.maps
        && maps.writer != MapWriter::Init
        && let Err(error) =
            namespace::write_maps(&child.pid.to_string(), &maps.uids, &maps.gids, false)
    {
        fail(&error);
    }
    exit_now(0)
}

/// Enters the user namespace; gives the plan in its terms.
fn enter(user: BorrowedFd<'_>, plan: &Plan) -> Result<Plan> {
    setns(user, CloneFlags::CLONE_NEWUSER)
        .map_err(|errno| Error::errno("enter namespace of the shared network", "user", errno))?;
    let mut plan = plan.clone();
    if let Some(maps) = &mut plan.maps {
        *maps = translated(maps)?;
    }
    Ok(plan)
}

fn translated(maps: &Maps) -> Result<Maps> {
    let through = |lines, path| {
        namespace::through(lines, &namespace::own_map(path)?).ok_or_else(|| {
            Error::new(Kind::Conflict, "map ids in", "shared network")
                .because("it was made with other ids than this container has")
                .hint("end the containers of its networks first; the next one makes it anew")
        })
    };
    Ok(Maps {
        uids: through(&maps.uids, "/proc/self/uid_map")?,
        gids: through(&maps.gids, "/proc/self/gid_map")?,
        writer: maps.writer.clone(),
    })
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
