//! `ps` and the state of containers.

use std::collections::HashSet;

use anyhow::Result;
use serde::Deserialize;

use super::{ContainerState, ContainerSummary, remove};
use crate::common::Error;
use crate::engine::Engine;
use crate::spec::config::{Config, MountKind, NetworkMode};
use crate::store::{ContainerDir, ContainerEntry, ExitRecord, Phase, StateRecord};
use crate::sys::tree;

/// What `ps` shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ListRequest {
    /// Containers that do not run, too.
    pub(crate) all: bool,
    /// Sizes of the writable layers.
    pub(crate) size: bool,
}

/// Lists containers, the newest first. A record that cannot be read is a warning, not the end.
pub(crate) fn list(engine: &Engine<'_>, request: ListRequest) -> Result<Vec<ContainerSummary>> {
    let (mut rows, mut dead) = (Vec::new(), HashSet::new());
    for entry in engine.store.containers().list()? {
        let row = entry.and_then(|entry| {
            if !entry.alive {
                dead.insert(entry.record.id.to_string());
            }
            // Read once for both: what is to be mended shows in the state, and is rare.
            let mut status = status(&entry)?;
            if remove::needs_repair(&entry, &status) {
                let _ = remove::repair(engine, &entry);
                if !entry.dir.path().exists() {
                    return Ok(None);
                }
                status = self::status(&entry)?;
            }
            summarize(&entry, status, request.size).map(Some)
        });
        match row {
            Ok(Some(row)) if request.all || row.state.is_active() => rows.push(row),
            Ok(_) => {}
            Err(error) => engine.ui.warn(&format!(
                "{error}; `ketch system check --repair` removes what is broken"
            )),
        }
    }
    remove::sweep_rest(engine, &dead);
    rows.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(rows)
}

/// State, start and end of a container, derived from its lock and records.
pub(super) struct Status {
    pub(super) state: ContainerState,
    pub(super) running: Option<StateRecord>,
    pub(super) exit: Option<ExitRecord>,
}

/// The state of one container.
pub(crate) fn state(dir: &ContainerDir) -> Result<ContainerState> {
    Ok(status(&dir.entry()?)?.state)
}

pub(super) fn status(entry: &ContainerEntry) -> std::result::Result<Status, Error> {
    let phase = entry.dir.phase()?;
    let state = state_of(&phase, entry.alive);
    let (running, exit) = match phase {
        Some(Phase::Started(state)) => (Some(state), None),
        Some(Phase::Ended(exit)) => (None, Some(exit)),
        None => (None, None),
    };
    Ok(Status {
        state,
        running,
        exit,
    })
}

/// The state of a container by what its run has come to and whether someone keeps it.
pub(super) fn state_of(phase: &Option<Phase>, alive: bool) -> ContainerState {
    match (alive, phase) {
        (true, Some(Phase::Started(state))) if state.paused => ContainerState::Paused,
        (true, Some(Phase::Started(_))) => ContainerState::Running,
        (true, Some(Phase::Ended(exit))) if exit.restarting => ContainerState::Restarting,
        (_, Some(Phase::Ended(exit))) if exit.started.is_some() => ContainerState::Exited,
        (false, Some(Phase::Started(_))) => ContainerState::Dead,
        _ => ContainerState::Created,
    }
}

fn summarize(
    entry: &ContainerEntry,
    status: Status,
    size: bool,
) -> std::result::Result<ContainerSummary, Error> {
    let Status {
        state,
        running,
        exit,
    } = status;
    let record = &entry.record;
    let config = config(entry);
    let started = match state {
        ContainerState::Running | ContainerState::Paused | ContainerState::Dead => {
            running.as_ref().map(|state| state.started)
        }
        _ => exit.as_ref().and_then(|exit| exit.started),
    };
    Ok(ContainerSummary {
        id: record.id.clone(),
        name: record.name.clone(),
        image: record.image.clone(),
        image_id: record.config,
        command: record.command.clone(),
        created: record.created,
        started,
        finished: exit.as_ref().map(|exit| exit.finished),
        state,
        exit: exit.as_ref().map(|exit| exit.status),
        pid: running
            .filter(|_| state.has_process())
            .map(|state| state.pid),
        labels: record.labels.clone(),
        networks: vec![network(&config).to_owned()],
        mounts: mounts(&config),
        size: if size {
            tree::usage(&entry.dir.upper()).ok().map(|usage| usage.size)
        } else {
            None
        },
    })
}

/// What was asked; a record of another version shows with defaults.
pub(super) fn config(entry: &ContainerEntry) -> Config {
    entry
        .record
        .asked
        .get("config")
        .and_then(|config| Config::deserialize(config).ok())
        .unwrap_or_default()
}

/// The network's name as docker shows it.
pub(super) fn network(config: &Config) -> &'static str {
    match config.network.mode {
        NetworkMode::None => "none",
        NetworkMode::Host | NetworkMode::Default | NetworkMode::Private => "host",
    }
}

fn mounts(config: &Config) -> Vec<String> {
    let source = |mount: &crate::spec::config::Mount| match &mount.kind {
        MountKind::Bind { source, .. } => Some(source.clone()),
        MountKind::Volume { name, .. } => name.clone(),
        MountKind::Tmpfs { .. } => None,
    };
    config.mounts.iter().filter_map(source).collect()
}
