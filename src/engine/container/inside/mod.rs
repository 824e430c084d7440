//! Work on a container's files from outside: a forked child in the container's own mount
//! namespace, or in a private one in which the root of a stopped container is mounted.
//!
//! The child keeps a descriptor of the root and every path goes through it
//! ([`Root`]): a link inside can lead to no file of the host, whoever changes it meanwhile. It
//! runs ketch's own static code and nothing of the container's, not even a name service
//! (CVE-2019-14271), and opens nothing of the container's /proc. It dies with its caller.

mod running;
mod stopped;

pub(super) use running::{Process, find as find_process};
pub(super) use stopped::{Source, has_own_ids, recorded_maps};

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::poll::{PollTimeout, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::common::{Error, Kind, Mode};
use crate::engine::Engine;
use crate::engine::worker::Worker;
use crate::store::{ContainerEntry, ContainerLock};
use crate::sys::exec;
use crate::sys::path::Root;

/// How long a container that is just starting, ending or being copied to is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two looks, in milliseconds: no descriptor tells that a lock is free.
const PAUSE: u16 = 2;

/// What of a container is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Its files as it sees them, with what is mounted in it. A stopped container has its bind
    /// mounts.
    Whole,
    /// Its root file system alone: nothing of its mounts.
    Bare,
}

/// A container's root in the child.
#[derive(Debug)]
pub(super) struct Tree {
    /// The root.
    pub(super) root: Root,
    /// Which owners and types can be made here.
    pub(super) mode: Mode,
}

/// A child at work in a container.
#[derive(Debug)]
pub(super) struct Inside<T> {
    /// The child.
    pub(super) worker: Worker<T>,
    /// Keeps a stopped container from starting meanwhile.
    pub(super) _lock: Option<ContainerLock>,
}

/// Forks a child that does `work` in the container's root. `ours` is the caller's end of a pipe
/// between the two; it comes back as `worker.ours`. With `held` the caller has the lock of a
/// container that does not run.
///
/// # Errors
/// `Conflict` for a container that keeps being changed by another command, `Unsupported` for
/// one whose files are gone.
pub(super) fn enter<T, F>(
    engine: &Engine<'_>,
    (entry, held): (&ContainerEntry, bool),
    view: View,
    ours: Option<OwnedFd>,
    work: F,
) -> Result<Inside<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce(&Tree) -> Result<T>,
{
    if held {
        let worker = stopped::spawn(engine, entry, view, ours, work)?;
        return Ok(Inside {
            worker,
            _lock: None,
        });
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match entry.dir.lock() {
            Ok(lock) => {
                let worker = stopped::spawn(engine, entry, view, ours, work)?;
                return Ok(Inside {
                    worker,
                    _lock: Some(lock),
                });
            }
            Err(error) if error.kind() == Kind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(process) = running::find(&entry.dir)? {
            let worker = running::spawn(engine, process, view, ours, deadline, work)?;
            return Ok(Inside {
                worker,
                _lock: None,
            });
        }
        if Instant::now() > deadline {
            return Err(busy(&entry.record.name));
        }
        pause();
    }
}

fn pause() {
    let _ = poll(&mut [], PollTimeout::from(PAUSE));
}

fn busy(name: &str) -> anyhow::Error {
    Error::new(Kind::Conflict, "enter container", name)
        .because("another command is changing it".to_owned())
        .hint("try again")
        .into()
}

/// What every child does once it is where it should be. Files get the modes they are given, and
/// a deep tree may need as many descriptors as there are.
fn settle() {
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    let _ = exec::set_rlimit(libc::RLIMIT_NOFILE, 4096, 4096);
}
