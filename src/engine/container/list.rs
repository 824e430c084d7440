//! `ps` and the state of containers.

use std::collections::HashSet;

use anyhow::Result;
use serde::Deserialize;

use super::{ContainerState, ContainerSummary, remove};
use crate::common::Error;
use crate::engine::Engine;
use crate::spec::config::{Config, Mount, MountKind, Network, NetworkMode};
use crate::store::{ContainerEntry, ExitRecord, Glance, Phase, StateRecord};
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
    for glance in engine.store.containers().glances()? {
        let row = glance.and_then(|Glance { entry, phase }| {
            if !entry.alive {
                dead.insert(entry.record.id.to_string());
            }
            // Read once for both: what is to be mended shows in the state, and is rare.
            let mut status = Status::of(entry.alive, phase);
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

impl Status {
    fn of(alive: bool, phase: Option<Phase>) -> Status {
        let (running, exit) = match phase {
            Some(Phase::Started(state)) => (Some(state), None),
            Some(Phase::Ended(exit)) => (None, Some(exit)),
            None => (None, None),
        };
        let state = match (alive, &running, &exit) {
            (true, Some(state), _) if state.paused => ContainerState::Paused,
            (true, Some(_), _) => ContainerState::Running,
            (true, _, Some(exit)) if exit.restarting => ContainerState::Restarting,
            (_, _, Some(exit)) if exit.started.is_some() => ContainerState::Exited,
            (false, Some(_), None) => ContainerState::Dead,
            _ => ContainerState::Created,
        };
        Status {
            state,
            running,
            exit,
        }
    }
}

pub(super) fn status(entry: &ContainerEntry) -> std::result::Result<Status, Error> {
    Ok(Status::of(entry.alive, entry.dir.phase()?))
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
    let config = shown(entry);
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

/// The part of the request that `inspect` shows.
#[derive(Deserialize)]
struct Parts {
    config: Config,
}

/// The parts of the request that a list shows; reading all of it would take longer than the rest.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ShownParts {
    config: Shown,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shown {
    network: Network,
    mounts: Vec<Mount>,
}

fn shown(entry: &ContainerEntry) -> Config {
    match entry.record.asked.read::<ShownParts>() {
        Ok(ShownParts { config }) => Config {
            network: config.network,
            mounts: config.mounts,
            ..Config::default()
        },
        Err(_) => Config::default(),
    }
}

/// What was asked; a record of another version shows with defaults.
pub(super) fn config(entry: &ContainerEntry) -> Config {
    entry
        .record
        .asked
        .read::<Parts>()
        .map(|parts| parts.config)
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
    let source = |mount: &Mount| match &mount.kind {
        MountKind::Bind { source, .. } => Some(source.clone()),
        MountKind::Volume { name, .. } => name.clone(),
        MountKind::Tmpfs { .. } => None,
    };
    config.mounts.iter().filter_map(source).collect()
}
