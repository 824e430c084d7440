//! The fork of a supervisor, and what its first words tell its caller.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result, anyhow};
use nix::sched::CloneFlags;

use super::clients::{Bond, Client};
use super::handover;
use super::keeper::Keeper;
use super::protocol::{Failure, FromSupervisor, Wanted};
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::Prepared;
use crate::runtime::forget_caller;
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{exec, socket};

/// A supervisor whose payload runs.
pub(super) struct Spawned {
    /// The supervisor.
    pub(super) child: Child,
    /// To it.
    pub(super) socket: OwnedFd,
}

/// Forks the supervisor of a prepared container and waits until the payload runs.
///
/// # Errors
/// `RunFailure` with docker's exit code when the payload could not be started; nothing runs then.
pub(super) fn spawn(
    engine: &Engine<'_>,
    prepared: Prepared,
    bond: Bond,
    wanted: Wanted,
) -> Result<Spawned> {
    let (ours, theirs) = socket::message_pair()?;
    match clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            drop(ours);
            supervise(engine, prepared, Client::new(theirs, bond, wanted))
        }
        Cloned::Parent(child) => {
            drop(theirs);
            // The supervisor's copy of the lock is the one that counts from now on.
            drop(prepared);
            hear_start(&child, &ours)?;
            Ok(Spawned {
                child,
                socket: ours,
            })
        }
    }
}

fn hear_start(child: &Child, socket: &OwnedFd) -> Result<()> {
    let received = socket::receive(socket.as_fd()).context("hear from the supervisor")?;
    let Some((packet, _)) = received else {
        let how = match child.wait()?.status {
            ExitStatus::Code(code) => format!("with code {code}"),
            ExitStatus::Signal(number) => format!("by signal {number}"),
        };
        return Err(anyhow!(
            "the container's supervisor ended {how} before it started"
        ));
    };
    match FromSupervisor::decode(&packet) {
        Some(FromSupervisor::Ready) => Ok(()),
        Some(FromSupervisor::Failed(text)) => {
            // It has recorded the end, or removed the container, before it is gone.
            child.wait()?;
            let failure: Failure = serde_json::from_slice(text)?;
            Err(failure.into_error())
        }
        _ => Err(anyhow!("the container's supervisor said something strange")),
    }
}

/// The whole life of a supervisor.
fn supervise(engine: &Engine<'_>, prepared: Prepared, client: Client) -> ! {
    // Away from the caller's terminal and its signals to a whole process group.
    exec::set_session();
    let report = client.as_fd().try_clone_to_owned();
    let (keeper, ongoing) = match Keeper::begin(engine, prepared, client) {
        Ok(begun) => begun,
        Err(error) => {
            let text = serde_json::to_vec(&Failure::of(&error)).unwrap_or_default();
            if let Ok(socket) = report {
                let _ = socket::send(
                    socket.as_fd(),
                    &FromSupervisor::Failed(&text).encode(),
                    None,
                );
            }
            exit_now(1);
        }
    };
    drop(report);
    // The container itself keeps its image; this process may live for months.
    engine.store.unpin();
    // Its streams, what it left open for its programs (a pipe that somebody reads to its end,
    // say), and its directory.
    forget_caller(0);
    let _ = nix::unistd::chdir("/");
    // It is as good a supervisor without.
    let _ = handover::become_fresh(&keeper, &ongoing);
    let kept = keeper.keep(ongoing);
    exit_now(u8::from(kept.is_err()))
}
