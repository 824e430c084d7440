//! `ps` and the state of containers.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use serde::Deserialize;

use super::{ContainerState, ContainerSummary, health, remove};
use crate::common::{ContainerId, Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::system::boot::boot_starter;
use crate::spec::config::{
    Config, Lifecycle, Mount, MountKind, Network, NetworkMode, RestartPolicy,
};
use crate::store::{ContainerDir, ContainerEntry, ExitRecord, Glance, Listing, Phase, StateRecord};
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
    let (mut rows, mut seen) = (Vec::new(), HashMap::new());
    let mut listing = engine.store.containers().listing();
    for (id, dir) in engine.store.containers().directories()? {
        match row(engine, (&id, &dir), request, &mut listing, &mut seen) {
            Ok(Some(row)) if request.all || row.state.is_active() => rows.push(row),
            Ok(_) => {}
            // Removed since the directory was read.
            Err(error) if error.kind() == Kind::NotFound && !dir.path().exists() => {}
            Err(error) => engine.ui.warn(&format!(
                "{error}; `ketch system check --repair` removes what is broken"
            )),
        }
    }
    if !request.size {
        listing.save();
    }
    remove::sweep_rest(engine, &seen);
    if rows.iter().any(|row| row.starts_at_boot) && boot_starter(engine).is_some() {
        for row in &mut rows {
            row.will_start_at_boot = row.starts_at_boot;
        }
    }
    rows.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(rows)
}

/// One container, from what an earlier list has kept of it or from its files; `None` when it was
/// removed. `seen` is told whether it lives.
fn row(
    engine: &Engine<'_>,
    (id, dir): (&ContainerId, &ContainerDir),
    request: ListRequest,
    listing: &mut Listing<ContainerSummary>,
    seen: &mut HashMap<String, bool>,
) -> std::result::Result<Option<ContainerSummary>, Error> {
    let times = Listing::<ContainerSummary>::times(dir);
    if let Some(kept) = listing.known(id, times)
        && !request.size
        && (kept.row.state == ContainerState::Exited || dir.is_alive()? == kept.alive)
    {
        let row = kept.row.clone();
        seen.insert(row.id.to_string(), kept.alive);
        listing.confirm(kept);
        return Ok(Some(row));
    }
    let Glance { entry, phase } = dir.glance()?;
    seen.insert(entry.record.id.to_string(), entry.alive);
    // Read once for both: what is to be mended shows in the state, and is rare.
    let mut status = Status::of(entry.alive, phase);
    let broken = remove::needs_repair(&entry, &status);
    if broken {
        let _ = remove::repair(engine, &entry);
        if !entry.dir.path().exists() {
            return Ok(None);
        }
        status = self::status(&entry)?;
    }
    let row = summarize(&entry, status, request.size)?;
    if !broken {
        listing.keep(&row.id, times, entry.alive, row.clone());
    }
    Ok(Some(row))
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

impl Status {
    fn of(alive: bool, phase: Option<Phase>) -> Status {
        let state = state_of(&phase, alive);
        let (running, exit) = match phase {
            Some(Phase::Started(state)) => (Some(state), None),
            Some(Phase::Ended(exit)) => (None, Some(exit)),
            None => (None, None),
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

/// The state of a container by what its run has come to and whether someone keeps it.
pub(super) fn state_of(phase: &Option<Phase>, alive: bool) -> ContainerState {
    match (alive, phase) {
        (_, Some(Phase::Started(state))) if state.held => match alive {
            true => ContainerState::Initialized,
            false => ContainerState::Created,
        },
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
    let (config, auto_remove) = shown(entry);
    let restarts = running.as_ref().map(|state| state.restarts);
    let restarts = restarts.or(exit.as_ref().map(|exit| exit.restarts));
    let started = match state {
        ContainerState::Running | ContainerState::Paused | ContainerState::Dead => {
            running.as_ref().map(|state| state.started)
        }
        _ => exit.as_ref().and_then(|exit| exit.started),
    };
    let run = running.as_ref().filter(|_| state.has_process());
    let run = run.map(|state| state.start_time);
    let health = run.and_then(|run| health::current(record, &config, &entry.dir, Some(run)));
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
        health: health.map(|health| health.status),
        pid: running
            .filter(|_| state.has_process())
            .map(|state| state.pid),
        labels: record.labels.clone(),
        networks: networks(&config),
        mounts: mounts(&config),
        targets: config
            .mounts
            .iter()
            .map(|mount| mount.target.clone())
            .collect(),
        volumes: config
            .mounts
            .iter()
            .filter(|mount| is_volume(mount))
            .count(),
        restart: config.lifecycle.restart,
        restarts: restarts.unwrap_or(0),
        starts_at_boot: starts_at_boot(&config, &entry.dir),
        auto_remove,
        // The list knows whether anything starts containers.
        will_start_at_boot: false,
        // docker: a container that does not run has none.
        ports: match config.network.ports.is_empty() && !config.network.publish_all {
            true => Vec::new(),
            false if !state.has_process() => Vec::new(),
            false => super::network::settled(&entry.dir).unwrap_or_default(),
        },
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
    remove: bool,
    config: Shown,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shown {
    network: Network,
    mounts: Vec<Mount>,
    lifecycle: Lifecycle,
}

/// A record of another version shows with defaults.
fn shown(entry: &ContainerEntry) -> (Config, bool) {
    let ShownParts { remove, config } = entry.record.asked.read().unwrap_or_default();
    let config = Config {
        network: config.network,
        mounts: config.mounts,
        lifecycle: config.lifecycle,
        ..Config::default()
    };
    (config, remove)
}

/// Whether its policy wants it started with the machine.
pub(super) fn starts_at_boot(config: &Config, dir: &ContainerDir) -> bool {
    match config.lifecycle.restart {
        RestartPolicy::Always => true,
        RestartPolicy::UnlessStopped => !dir.is_stopped(),
        RestartPolicy::No | RestartPolicy::OnFailure { .. } => false,
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

/// The mode of the network as docker shows it.
pub(super) fn network(config: &Config) -> String {
    match &config.network.mode {
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Host => "host".to_owned(),
        // docker's word for what was not asked for.
        NetworkMode::Default => "default".to_owned(),
        NetworkMode::Private => "private".to_owned(),
        NetworkMode::Container(name) => format!("container:{name}"),
        NetworkMode::Namespace(path) => format!("ns:{}", path.display()),
        NetworkMode::Named => {
            let first = config.network.attachments.first();
            first.map(|first| first.network.clone()).unwrap_or_default()
        }
    }
}

/// The names of the networks; none of its own in another container's.
pub(super) fn networks(config: &Config) -> Vec<String> {
    let first = match &config.network.mode {
        NetworkMode::Named | NetworkMode::Container(_) | NetworkMode::Namespace(_) => None,
        _ => Some(network(config)),
    };
    let named = config.network.named();
    let named = named.map(|attachment| attachment.network.clone());
    first.into_iter().chain(named).collect()
}

/// The sizes of all images by their ids, in bytes: what `virtual` in a size means.
pub(crate) fn image_sizes(engine: &Engine<'_>) -> Result<HashMap<Digest, u64>> {
    let records = engine.store.images().records()?;
    let sizes = records.iter().map(|record| (record.config, record.size));
    Ok(sizes.collect())
}

/// Ports an image says it listens on (`80/tcp`); none when the image is gone.
pub(crate) fn exposed(engine: &Engine<'_>, image: &Digest) -> Vec<String> {
    let bytes = engine.store.blobs().read(image, 8 << 20).ok();
    let config = bytes.and_then(|bytes| crate::oci::ImageConfig::parse(&bytes).ok());
    let ports = config.map(|config| config.config.exposed_ports);
    ports.unwrap_or_default().into_keys().collect()
}

/// The numbers of the namespaces of a process, by podman's keys.
pub(crate) fn namespaces(pid: i32) -> BTreeMap<&'static str, String> {
    const NAMES: [(&str, &str); 7] = [
        ("cgroup", "cgroup"),
        ("ipc", "ipc"),
        ("mnt", "mnt"),
        ("net", "net"),
        ("pidns", "pid"),
        ("userns", "user"),
        ("uts", "uts"),
    ];
    let number = |name: &str| {
        let link = std::fs::read_link(format!("/proc/{pid}/ns/{name}")).ok()?;
        let text = link.to_str()?.split_once('[')?.1.trim_end_matches(']');
        Some(text.to_owned())
    };
    let found = NAMES
        .iter()
        .filter_map(|(key, name)| Some((*key, number(name)?)));
    found.collect()
}

/// docker's name of a restart policy and its limit.
pub(crate) fn restart_policy(policy: RestartPolicy) -> (&'static str, u32) {
    match policy {
        RestartPolicy::No => ("no", 0),
        RestartPolicy::OnFailure { max } => ("on-failure", max),
        RestartPolicy::Always => ("always", 0),
        RestartPolicy::UnlessStopped => ("unless-stopped", 0),
    }
}

fn is_volume(mount: &Mount) -> bool {
    matches!(mount.kind, MountKind::Volume { .. })
}

fn mounts(config: &Config) -> Vec<String> {
    let source = |mount: &Mount| match &mount.kind {
        MountKind::Bind { source, .. } => Some(source.clone()),
        MountKind::Volume { name, .. } => name.clone(),
        MountKind::Image { name, .. } => Some(name.clone()),
        MountKind::Tmpfs { .. } | MountKind::Layers { .. } => None,
    };
    config.mounts.iter().filter_map(source).collect()
}
