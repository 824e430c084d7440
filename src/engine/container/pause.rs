//! `pause` and `unpause`: by the freezer of the container's cgroup, by one made for it, or by
//! stopping its processes one by one.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::ending;
use super::list::{self, Status};
use super::{ContainerState, event};
use crate::cgroup::{Freezer, Place};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::store::{ContainerDir, ContainerEntry, Phase, StateRecord};
use crate::sys::processes::{self, Process};
use crate::sys::{file, process};

/// Turns of stopping processes that fork on.
const TURNS: u32 = 1000;

/// How a container was paused; the file `paused` in its directory, there before the first of its
/// processes stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Means {
    /// By a cgroup.
    Freezer(Freezer),
    /// By SIGSTOP; these were stopped before.
    Signals(Vec<i32>),
}

/// Pauses containers; one result for each name, in order.
///
/// # Errors
/// `Conflict`, in docker's words, for one that does not run or is paused.
pub(crate) fn pause(engine: &Engine<'_>, containers: &[String]) -> Vec<(String, Result<()>)> {
    let one = |name: &String| (name.clone(), pause_one(engine, name));
    containers.iter().map(one).collect()
}

/// Lets paused containers go on; one result for each name, in order.
///
/// # Errors
/// `Conflict`, in docker's words, for one that is not paused.
pub(crate) fn unpause(engine: &Engine<'_>, containers: &[String]) -> Vec<(String, Result<()>)> {
    let one = |name: &String| (name.clone(), unpause_one(engine, name));
    containers.iter().map(one).collect()
}

fn pause_one(engine: &Engine<'_>, name: &str) -> Result<()> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let status = list::status(&entry)?;
    let refused = |why: &str| -> anyhow::Error {
        Error::new(Kind::Conflict, "cannot pause container:", name)
            .because(format!("container {} {why}", entry.record.id))
            .into()
    };
    match status.state {
        ContainerState::Paused => return Err(refused("is already paused")),
        ContainerState::Restarting => {
            return Err(refused(
                "is restarting, wait until the container is running",
            ));
        }
        ContainerState::Running => {}
        _ => return Err(refused("is not running")),
    }
    let held = status
        .running
        .and_then(|state| Some((ending::hold(&state)?, state)));
    let Some((_payload, state)) = held else {
        return Err(refused("is not running"));
    };
    let freezer = freeze(engine, &entry, &state)?;
    if !matches!(set_paused(&entry.dir, &state, true), Ok(true)) {
        // It was killed meanwhile, and perhaps removed with the note of how it was paused.
        thaw(&entry.dir);
        if let Some(freezer) = freezer {
            let _ = freezer.set(false);
            freezer.empty();
            freezer.remove();
        }
        return Err(refused("is not running"));
    }
    event::note(engine, &entry.record, "pause", &[]);
    Ok(())
}

fn unpause_one(engine: &Engine<'_>, name: &str) -> Result<()> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let Status { state, .. } = list::status(&entry)?;
    // A pause that was killed half way has stopped what no record calls paused.
    let half = state == ContainerState::Running && means(&entry.dir).is_some();
    if state != ContainerState::Paused && !half {
        return Err(
            Error::new(Kind::Conflict, "cannot unpause container:", name)
                .because(format!("container {} is not paused", entry.record.id))
                .into(),
        );
    }
    resume(&entry.dir);
    event::note(engine, &entry.record, "unpause", &[]);
    Ok(())
}

/// Stops everything in the container, by the best that this machine has: a cgroup, or `None` for
/// signals.
fn freeze(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    state: &StateRecord,
) -> Result<Option<Freezer>> {
    let dir = &entry.dir;
    if let Some(freezer) = place(dir).as_ref().and_then(Freezer::of) {
        note_means(dir, &Means::Freezer(freezer.clone()))?;
        return set(dir, freezer);
    }
    let members = || {
        let all = processes::of_container(state.pid);
        all.iter().map(|process| process.pid).collect()
    };
    let id = entry.record.id.as_str();
    for freezer in Freezer::possible(id, state.pid, engine.host.cgroups()) {
        note_means(dir, &Means::Freezer(freezer.clone()))?;
        if freezer.fill(&members).is_ok() {
            return set(dir, freezer);
        }
    }
    let before = processes::of_container(state.pid);
    let before = before.iter().filter(|process| process.stopped);
    let before: Vec<i32> = before.map(|process| process.pid).collect();
    note_means(dir, &Means::Signals(before))?;
    stop_all(state.pid);
    engine.ui.warn(&format!(
        "{} is paused by stopping each of its processes, which they can notice; a cgroup to freeze \
         it in needs root or a delegated version 2 cgroup",
        entry.record.name
    ));
    Ok(None)
}

fn set(dir: &ContainerDir, freezer: Freezer) -> Result<Option<Freezer>> {
    if let Err(error) = freezer.set(true) {
        thaw(dir);
        freezer.remove();
        return Err(error.into());
    }
    Ok(Some(freezer))
}

/// Stops every process of a container until no new one comes. One that has the signal cannot
/// fork any more: fork(2) is interrupted by it.
fn stop_all(first: i32) {
    let mut told = HashSet::new();
    for _ in 0..TURNS {
        let fresh: Vec<Process> = processes::of_container(first)
            .into_iter()
            .filter(|process| told.insert((process.pid, process.start_time)))
            .collect();
        if fresh.is_empty() {
            return;
        }
        fresh
            .iter()
            .for_each(|process| send(process, libc::SIGSTOP));
    }
}

/// Signals the very process that was seen.
fn send(seen: &Process, signal: i32) {
    if let Ok(pidfd) = process::pidfd_open(seen.pid)
        && process::start_time(seen.pid) == Some(seen.start_time)
    {
        // One that has ended meanwhile is stopped enough.
        let _ = process::signal_pidfd(&pidfd, signal);
    }
}

/// Lets a container go on, paused or not, and says so in its state. What cannot be undone any
/// more went with its container. Returns the cgroup it stood still in, for who ends it: that goes
/// after its last process.
pub(crate) fn resume(dir: &ContainerDir) -> Option<Freezer> {
    let freezer = thaw(dir);
    if let Ok(Some(state)) = dir.state()
        && state.paused
    {
        let _ = set_paused(dir, &state, false);
    }
    freezer
}

/// Undoes what the file `paused` tells of, and removes it.
fn thaw(dir: &ContainerDir) -> Option<Freezer> {
    let freezer = match means(dir)? {
        Means::Freezer(freezer) => {
            let _ = freezer.set(false);
            freezer.empty();
            Some(freezer)
        }
        Means::Signals(before) => {
            continue_all(dir, &before);
            None
        }
    };
    let _ = file::remove_file(&means_path(dir));
    freezer
}

/// Continues what SIGSTOP has stopped, but for what was stopped `before`.
fn continue_all(dir: &ContainerDir, before: &[i32]) {
    let first = dir.state().ok().flatten();
    let held = first.and_then(|state| Some((ending::hold(&state)?, state)));
    if let Some((_payload, state)) = held {
        processes::of_container(state.pid)
            .iter()
            .filter(|process| !before.contains(&process.pid))
            .for_each(|process| send(process, libc::SIGCONT));
    }
}

/// Says in the state that the run of `of` is paused or not; false when it has ended.
fn set_paused(dir: &ContainerDir, of: &StateRecord, paused: bool) -> Result<bool> {
    Ok(dir.change(|phase| match phase {
        Some(Phase::Started(state)) if state.pid == of.pid && state.start_time == of.start_time => {
            Some(Phase::Started(StateRecord { paused, ..state }))
        }
        _ => None,
    })?)
}

fn place(dir: &ContainerDir) -> Option<Place> {
    let bytes = file::read_bounded(&dir.path().join("cgroup.json"), 1 << 16).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn means_path(dir: &ContainerDir) -> PathBuf {
    dir.path().join("paused")
}

fn means(dir: &ContainerDir) -> Option<Means> {
    let bytes = file::read_bounded(&means_path(dir), 1 << 20).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn note_means(dir: &ContainerDir, means: &Means) -> Result<()> {
    Ok(file::write_atomic(
        &means_path(dir),
        &serde_json::to_vec(means)?,
    )?)
}
