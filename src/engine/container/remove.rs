//! `rm`, and the repair of what a killed ketch left.

use std::collections::HashSet;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::event;
use super::list::{self, Status};
use crate::cgroup::{self, Place};
use crate::common::{Error, Kind, Mode};
use crate::engine::{Engine, identity};
use crate::store::{ContainerDir, ContainerEntry, ContainerLock, ContainerRecord, StateRecord};
use crate::sys::{file, process, tree};

/// Longest wait for a killed process to be gone, in milliseconds.
const KILL_PATIENCE: u16 = 10_000;

/// How long an empty cgroup of an unknown container is left alone: any start is over by then.
const STRANGER_SPARED: Duration = Duration::from_secs(60);

/// Pause between two tries for the lock of a container that ends, in milliseconds.
const LOCK_PAUSE: u16 = 2;

/// `rm`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoveRequest {
    /// Names, ids or unique id prefixes.
    pub(crate) containers: Vec<String>,
    /// Kill what runs; a container that is not there is no error.
    pub(crate) force: bool,
}

/// Removes containers; one result for each name, in order.
pub(crate) fn remove(engine: &Engine<'_>, request: &RemoveRequest) -> Vec<(String, Result<()>)> {
    let one = |name: &String| match remove_one(engine, name, request.force) {
        Err(error) if request.force && is_missing(&error) => Ok(()),
        other => other,
    };
    request
        .containers
        .iter()
        .map(|name| (name.clone(), one(name)))
        .collect()
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Error>()
        .is_some_and(|error| error.kind() == Kind::NotFound)
}

fn remove_one(engine: &Engine<'_>, name: &str, force: bool) -> Result<()> {
    let dir = engine.store.containers().find(name)?;
    let state = dir.state()?;
    let alive = dir.is_alive()?;
    if alive && !force {
        return Err(Error::new(Kind::Conflict, "remove container", name)
            .because("it is running".to_owned())
            .hint("end it first, or use -f to kill and remove it")
            .into());
    }
    if let Some(state) = &state {
        kill(state)?;
    }
    match wait_for_lock(&dir)? {
        Some(lock) => delete(engine, &dir, lock),
        // Its supervisor removed it (`--rm`) while we waited.
        None => Ok(()),
    }
}

/// Kills the very process a record names and waits for its end.
fn kill(state: &StateRecord) -> Result<()> {
    let Ok(pidfd) = process::pidfd_open(state.pid) else {
        return Ok(());
    };
    // The descriptor is open, so the number cannot be reused between this check and the signal.
    if !state.is_running() {
        return Ok(());
    }
    let _ = process::signal_pidfd(&pidfd, libc::SIGKILL);
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(KILL_PATIENCE)) {
        Ok(0) => Err(
            Error::new(Kind::Conflict, "kill process", state.pid.to_string())
                .because(
                    "it does not end; the kernel may be waiting for a disk or a network".to_owned(),
                )
                .into(),
        ),
        _ => Ok(()),
    }
}

/// The container's lock, waiting for a supervisor that is about to end; `None` when the
/// supervisor removed the container.
fn wait_for_lock(dir: &ContainerDir) -> Result<Option<ContainerLock>> {
    let deadline = Instant::now() + Duration::from_millis(KILL_PATIENCE.into());
    loop {
        match dir.lock() {
            Ok(lock) => return Ok(Some(lock)),
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) if error.kind() == Kind::Conflict && Instant::now() < deadline => {}
            Err(error) => return Err(error.into()),
        }
        // The kernel can wait for such a lock only without a deadline, and a stopped supervisor
        // would hold it for ever.
        let _ = poll(&mut [], PollTimeout::from(LOCK_PAUSE));
    }
}

/// Deletes a container that nothing runs in, with its cgroup and its files.
pub(super) fn delete(engine: &Engine<'_>, dir: &ContainerDir, lock: ContainerLock) -> Result<()> {
    clean_cgroup(dir);
    let record = dir.record().ok();
    let purged = engine.store.containers().remove(dir, lock, None)?;
    if let Some(record) = &record {
        event::note(engine, record, "destroy", &[]);
    }
    purge_as_owner(engine, &purged.left)
}

/// As [`delete`] at the end of a run, which knows the record and has removed the cgroup.
pub(super) fn delete_ended(
    engine: &Engine<'_>,
    dir: &ContainerDir,
    lock: ContainerLock,
    record: &ContainerRecord,
) -> Result<()> {
    // A removal shares little code with the start and the waiting before it.
    process::forget_code();
    let containers = engine.store.containers();
    let purged = containers.remove(dir, lock, Some(record))?;
    purge_as_owner(engine, &purged.left)
}

/// Files of subordinate ids can only be deleted from inside their user namespace.
pub(crate) fn purge_as_owner(engine: &Engine<'_>, left: &[(PathBuf, Error)]) -> Result<()> {
    if left.is_empty() || engine.mode != Mode::Subid {
        return Ok(());
    }
    identity::as_owner(engine, || {
        left.iter()
            .try_for_each(|(path, _)| tree::remove_tree(path))
            .context("remove the container's files")
    })
}

fn clean_cgroup(dir: &ContainerDir) {
    let read = || -> Option<Place> {
        let bytes = file::read_bounded(&dir.path().join("cgroup.json"), 1 << 16).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    if let Some(place) = read() {
        // A cgroup that is gone already, or that still empties, is swept later.
        let _ = place.remove();
    }
}

/// Repairs after a kill -9 or a power cut: ends processes whose supervisor is gone, removes
/// their cgroups, and removes containers that were to be removed at their end.
pub(crate) fn sweep(engine: &Engine<'_>) {
    let Ok(entries) = engine.store.containers().list() else {
        return;
    };
    let mut dead = HashSet::new();
    for entry in entries.into_iter().flatten() {
        if !entry.alive {
            let status = list::status(&entry);
            if status.is_ok_and(|status| needs_repair(&entry, &status)) {
                let _ = repair(engine, &entry);
            }
            dead.insert(entry.record.id.to_string());
        }
    }
    sweep_rest(engine, &dead);
}

/// The part of a sweep that is not about one container; `dead` are the ids that nobody runs.
pub(super) fn sweep_rest(engine: &Engine<'_>, dead: &HashSet<String>) {
    // One that is unknown here may be another store's, made a moment ago and not yet entered.
    let lives = |id: &str, age: Duration| match engine.store.containers().of_id(id) {
        Some(dir) => dir.is_alive().unwrap_or(true),
        None => !dead.contains(id) && age < STRANGER_SPARED,
    };
    cgroup::sweep(engine.host.cgroups(), &lives);
    let _ = engine.store.containers().sweep_unfinished();
    if let Ok(purged) = engine.store.sweep() {
        let _ = purge_as_owner(engine, &purged.left);
    }
}

/// Whether a container was left behind by a kill: started and never ended, or made for a run
/// that never began.
pub(super) fn needs_repair(entry: &ContainerEntry, status: &Status) -> bool {
    !entry.alive && status.exit.is_none() && (status.running.is_some() || to_be_removed(entry))
}

/// Ends what is left of such a container, and removes it when its run was to.
pub(super) fn repair(engine: &Engine<'_>, entry: &ContainerEntry) -> Result<()> {
    let lock = entry.dir.lock()?;
    if let Some(state) = entry.dir.state()? {
        kill(&state)?;
    }
    if to_be_removed(entry) {
        return delete(engine, &entry.dir, lock);
    }
    clean_cgroup(&entry.dir);
    Ok(())
}

fn to_be_removed(entry: &ContainerEntry) -> bool {
    entry
        .record
        .asked
        .get("remove")
        .and_then(serde_json::Value::as_bool)
        .unwrap_or(false)
}
