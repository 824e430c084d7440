//! `rm`, and the repair of what a killed ketch left.

mod kept;

use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;

use super::ending::{self, Wish};
use super::event;
use super::list::{self, Status};
use super::{Asked, mount, network, volume};
use crate::cgroup::{self, Place};
use crate::common::{Error, Kind, Mode};
use crate::engine::{Engine, identity, image};
use crate::store::{
    ContainerDir, ContainerEntry, ContainerLock, ContainerRecord, Phase, StateRecord,
};
use crate::sys::{file, process, processes, tree};

pub(crate) use kept::Kept;
use kept::Needs;

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
    /// End what runs; a container that is not there is no error.
    pub(crate) force: bool,
    /// With `force`: seconds between the stop signal and the kill, negative without a limit;
    /// `None` kills at once.
    pub(crate) time: Option<i64>,
    /// Their volumes without a name go too.
    pub(crate) volumes: bool,
    /// What becomes of containers that depend on them.
    pub(crate) dependents: Dependents,
}

/// What becomes of the containers that depend on one that is to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Dependents {
    /// Nobody asks for them: they find out at their next start.
    #[default]
    Ignored,
    /// They keep it.
    Keep,
    /// They are removed first.
    Removed,
}

/// Removes containers; one result for each name, in order, after those of its dependents where
/// these go too. What runs is ended first, all at once, and files of subordinate ids are deleted
/// last, by one helper for all.
pub(crate) fn remove(engine: &Engine<'_>, request: &RemoveRequest) -> Vec<(String, Result<()>)> {
    let needs = Needs::new(engine);
    let names = match request.dependents {
        Dependents::Removed => needs.with_dependents(&request.containers),
        _ => request.containers.clone(),
    };
    let mut wishes = Vec::new();
    let mut leaving = HashSet::new();
    let mut free = |name: &String| {
        if request.dependents == Dependents::Ignored {
            return find(engine, name, request, &mut wishes);
        }
        let id = needs.refuse(name, &leaving)?;
        let found = find(engine, name, request, &mut wishes)?;
        leaving.insert(id);
        Ok(found)
    };
    let found: Vec<Result<Found>> = names.iter().map(&mut free).collect();
    let mut ends = ending::end(engine, wishes).into_iter();
    let mut left = Vec::new();
    let mut one = |found: Result<Found>| -> Result<()> {
        let Found { dir, running } = found?;
        if running && let Some(Err(_)) = ends.next() {
            // Its keeper is stopped, or hangs.
            kill_keepers(&dir)?;
        }
        let Some(lock) = wait_for_lock(&dir)? else {
            // Its keeper removed it (`--rm`) while we waited.
            return Ok(());
        };
        left.extend(discard(engine, &dir, lock, request.volumes)?);
        Ok(())
    };
    let mut results: Vec<(String, Result<()>)> = Vec::new();
    for (name, found) in names.into_iter().zip(found) {
        let known = found.is_ok();
        let done = match one(found) {
            // It went by itself meanwhile.
            Err(error) if request.force && known && is_missing(&error) => Ok(()),
            other => other,
        };
        results.push((name, done));
    }
    if let Err(error) = purge_as_owner(engine, &left)
        && let Some((_, last)) = results.iter_mut().rev().find(|(_, done)| done.is_ok())
    {
        *last = Err(error);
    }
    results
}

/// `--replace`: makes room for a new container of this name.
pub(super) fn replace(engine: &Engine<'_>, name: &str) -> Result<()> {
    let request = RemoveRequest {
        containers: vec![name.to_owned()],
        force: true,
        ..RemoveRequest::default()
    };
    clear(engine, &request)
}

/// As [`remove`], for containers that nobody has named: one that is not there is no failure.
pub(crate) fn clear(engine: &Engine<'_>, request: &RemoveRequest) -> Result<()> {
    let all = remove(engine, request).into_iter().map(|(_, done)| done);
    all.filter(|done| !done.as_ref().is_err_and(is_missing))
        .collect()
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Error>()
        .is_some_and(|error| error.kind() == Kind::NotFound)
}

/// A container that may be removed.
struct Found {
    dir: ContainerDir,
    /// Its end was wished for.
    running: bool,
}

fn find(
    engine: &Engine<'_>,
    name: &str,
    request: &RemoveRequest,
    wishes: &mut Vec<Wish>,
) -> Result<Found> {
    let dir = engine.store.containers().find(name)?;
    let seen = match request.force {
        // It is to be ended anyway.
        true => ending::look(&dir)?,
        false => ending::settled(&dir)?,
    };
    let Some((phase, alive)) = seen else {
        return Ok(Found {
            dir,
            running: false,
        });
    };
    let active = match &phase {
        Some(Phase::Ended(exit)) => alive && exit.restarting,
        _ => alive,
    };
    let held = matches!(&phase, Some(Phase::Started(state)) if state.held);
    let orphan = matches!(&phase, Some(Phase::Started(state)) if ending::hold(state).is_some());
    if active && !held && !request.force {
        return Err(kept::refused(name, &dir, phase.as_ref()));
    }
    let running = active || orphan;
    if running {
        let entry = dir.entry();
        wishes.push(match (entry, request.time) {
            (Ok(entry), Some(time)) => Wish {
                starting: true,
                ..super::kill::wish(engine, entry, None, Some(time))
            },
            (entry, _) => Wish {
                dir: dir.clone(),
                record: entry.ok().map(|entry| entry.record),
                signal: libc::SIGKILL,
                grace: None,
                starting: true,
            },
        });
    }
    Ok(Found { dir, running })
}

/// Kills whoever keeps a container and does not react: the processes that hold its lock file.
fn kill_keepers(dir: &ContainerDir) -> Result<()> {
    let path = dir.path().join("lock");
    for pid in processes::lock_holders(&path) {
        let Ok(pidfd) = process::pidfd_open(pid) else {
            continue;
        };
        // Looked at again: the number may have become another's.
        if processes::lock_holders(&path).contains(&pid) {
            let _ = process::signal_pidfd(&pidfd, libc::SIGKILL);
        }
    }
    match dir.state()? {
        Some(state) => kill(&state),
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

/// Deletes a container that nothing runs in, with its cgroup, its files and its volumes without
/// a name.
pub(super) fn delete(engine: &Engine<'_>, dir: &ContainerDir, lock: ContainerLock) -> Result<()> {
    let left = discard(engine, dir, lock, true)?;
    purge_as_owner(engine, &left)
}

/// As [`delete`], but for the files that only their owner can delete: those are in the trash and
/// in the answer. `volumes`: its volumes without a name go too.
pub(crate) fn discard(
    engine: &Engine<'_>,
    dir: &ContainerDir,
    lock: ContainerLock,
    volumes: bool,
) -> Result<Vec<(PathBuf, Error)>> {
    clean_cgroup(dir);
    mount::release(dir)?;
    let record = dir.record().ok();
    if let Some(record) = &record {
        network::release(engine, record, dir)?;
    }
    let mut left = engine.store.containers().remove(dir, lock)?.left;
    if let Some(record) = &record {
        event::note(engine, record, "destroy", &[]);
        if volumes {
            left.extend(volume::discard_anonymous(engine, record));
        }
    }
    Ok(left)
}

/// As [`delete`] at the end of a run, which knows the record and has removed the cgroup.
pub(crate) fn delete_ended(
    engine: &Engine<'_>,
    dir: &ContainerDir,
    lock: ContainerLock,
    record: &ContainerRecord,
) -> Result<()> {
    if mount::is_allowed(engine) {
        mount::release(dir)?;
    }
    network::release(engine, record, dir)?;
    let containers = engine.store.containers();
    let mut left = containers.remove_ended(dir, lock, record)?.left;
    left.extend(volume::discard_anonymous(engine, record));
    purge_as_owner(engine, &left)
}

/// `--rmi`: removes the image of a container that is gone, unless another has it.
pub(crate) fn remove_image(engine: &Engine<'_>, record: &ContainerRecord) {
    if !Asked::of(record).is_ok_and(|asked| asked.remove_image) {
        return;
    }
    let request = image::remove::Request {
        images: vec![record.image.clone()],
        force: false,
        no_prune: false,
    };
    let removal = image::remove::remove(&engine.store, &request).unwrap_or_else(|error| {
        let failures = vec![(record.image.clone(), error)];
        image::remove::Removal {
            failures,
            ..Default::default()
        }
    });
    for (name, error) in &removal.failures {
        engine
            .ui
            .warn(&format!("--rmi: image {name} stays: {error:#}"));
    }
    if !removal.left.is_empty() {
        // Files of subordinate ids go when the store is swept as their owner.
        sweep(engine);
    }
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

/// Removes the cgroups on record: also those that were made after the start.
pub(crate) fn clean_cgroup(dir: &ContainerDir) {
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
    let mut seen = HashMap::new();
    for entry in entries.into_iter().flatten() {
        if !entry.alive {
            let status = list::status(&entry);
            if status.is_ok_and(|status| needs_repair(&entry, &status)) {
                let _ = repair(engine, &entry);
            }
        }
        seen.insert(entry.record.id.to_string(), entry.alive);
    }
    sweep_rest(engine, &seen);
}

/// The part of a sweep that is not about one container; `seen` says of ids whether anybody ran
/// them a moment ago.
pub(super) fn sweep_rest(engine: &Engine<'_>, seen: &HashMap<String, bool>) {
    // One that is unknown here may be another store's, made a moment ago and not yet entered.
    let lives = |id: &str, age: &dyn Fn() -> Duration| match seen.get(id) {
        // What ends meanwhile is for the next sweep.
        Some(true) => true,
        known => match engine.store.containers().of_id(id) {
            Some(dir) => dir.is_alive().unwrap_or(true),
            None => known.is_none() && age() < STRANGER_SPARED,
        },
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
    let left_by_run = || to_be_removed(entry) && !entry.dir.is_created();
    !entry.alive && status.exit.is_none() && (status.running.is_some() || left_by_run())
}

/// Ends what is left of such a container, and removes it when its run was to.
pub(super) fn repair(engine: &Engine<'_>, entry: &ContainerEntry) -> Result<()> {
    let lock = entry.dir.lock()?;
    end_leftovers(&entry.dir)?;
    if to_be_removed(entry) {
        return delete(engine, &entry.dir, lock);
    }
    // Ports that lead nowhere are in the way of others.
    network::release(engine, &entry.record, &entry.dir)
}

/// Ends what an earlier run has left when its supervisor was killed; for who has the lock.
pub(crate) fn end_leftovers(dir: &ContainerDir) -> Result<()> {
    if let Some(state) = dir.state()? {
        kill(&state)?;
        clean_cgroup(dir);
    }
    Ok(())
}

pub(super) fn to_be_removed(entry: &ContainerEntry) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Part {
        remove: bool,
    }
    let part: Part = entry.record.asked.read().unwrap_or_default();
    part.remove
}
