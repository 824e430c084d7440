//! A container in namespaces of other ones: `container:NAME` for its network, processes, host
//! name, memory or ids, and a network namespace that somebody else has made (`ns:PATH`).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::asked::Asked;
use super::list;
use crate::common::{self, Error, Kind, Mode};
use crate::engine::Engine;
use crate::runtime::{Neighbour, Space, Target};
use crate::spec::config::{Config, Ipc, NamespaceMode, NetworkMode, Security, Userns};
use crate::store::{ContainerDir, ContainerRecord, Phase};

/// Where a container has its shared memory.
const SHM: &str = "/dev/shm";

/// What is shared with which container: the kernel's name of the namespace, and the name or id
/// that was asked for.
fn donors(config: &Config) -> impl Iterator<Item = (&'static str, &String)> {
    let network = match &config.network.mode {
        NetworkMode::Container(name) => Some(("net", name)),
        _ => None,
    };
    let user = match &config.security.userns {
        Userns::Container(name) => Some(("user", name)),
        _ => None,
    };
    let ipc = match &config.security.ipc {
        Ipc::Container(name) => Some(("ipc", name)),
        _ => None,
    };
    let small = [("pid", &config.security.pid), ("uts", &config.security.uts)];
    let small = small.into_iter().filter_map(|(kind, mode)| match mode {
        NamespaceMode::Container(name) => Some((kind, name)),
        _ => None,
    });
    network.into_iter().chain(small).chain(ipc).chain(user)
}

/// For each container that others need, by its id, those that are made to have something of it or
/// to start after it.
///
/// # Errors
/// The store cannot be read.
pub(super) fn dependents(engine: &Engine<'_>) -> Result<HashMap<String, Vec<String>>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for entry in engine.store.containers().list()?.into_iter().flatten() {
        let config = list::config(&entry);
        let others = donors(&config).map(|(_, name)| name);
        let others: HashSet<&String> = others.chain(&config.requires).collect();
        for other in others {
            let by = all.entry(other.clone()).or_default();
            by.push(entry.record.id.to_string());
        }
    }
    Ok(all)
}

/// Whether the container has something of another one.
pub(super) fn is_joined(config: &Config) -> bool {
    donors(config).next().is_some()
}

/// Calls another container by its id from now on: it may be renamed.
///
/// # Errors
/// `NotFound` when there is none.
pub(super) fn settle(engine: &Engine<'_>, name: &mut String) -> Result<()> {
    let record = engine.store.containers().find(name)?.record()?;
    *name = record.id.to_string();
    Ok(())
}

/// As [`settle`] for everything but the network.
///
/// # Errors
/// As there.
pub(super) fn settle_all(engine: &Engine<'_>, security: &mut Security) -> Result<()> {
    for mode in [&mut security.pid, &mut security.uts] {
        if let NamespaceMode::Container(name) = mode {
            settle(engine, name)?;
        }
    }
    if let Ipc::Container(name) = &mut security.ipc {
        settle(engine, name)?;
    }
    match &mut security.userns {
        Userns::Container(name) => settle(engine, name),
        _ => Ok(()),
    }
}

/// The id maps of the container whose namespaces are shared, as its record has them; `None` when
/// none is, or when that container has the caller's ids.
///
/// # Errors
/// The other container is gone.
pub(super) fn ids(engine: &Engine<'_>, config: &Config) -> Result<Option<Value>> {
    let Some((_, name)) = donors(config).next() else {
        return Ok(None);
    };
    let record = engine.store.containers().find(name)?.record()?;
    let maps = record.asked.get("maps").filter(|maps| !maps.is_null());
    Ok(maps.cloned())
}

/// The namespaces that a container is to enter; `None` where all are its own or the caller's.
///
/// # Errors
/// docker's for another container that is gone or does not run; the file is no network
/// namespace, or one of somebody else; what is asked for lies in several user namespaces.
pub(super) fn neighbour(engine: &Engine<'_>, config: &Config) -> Result<Option<Neighbour>> {
    let (mut spaces, mut memory) = (Vec::new(), None);
    for (kind, name) in donors(config) {
        let dir = engine.store.containers().find(name)?;
        let record = dir.record()?;
        let target = running(&dir, &record, kind)?;
        if kind != "net" {
            refuse_beside(engine, config, &record)?;
        }
        if kind == "ipc" {
            refuse_unshared(&record)?;
            // What the container mounts there itself is what it gets.
            if config.mounts.iter().all(|mount| mount.target != SHM) {
                memory = Some(target.shared_memory(&record.name)?);
            }
        }
        match target.into_space(kind) {
            Some(space) => spaces.push((space, record.name)),
            // Its user namespace is the caller's own: so is this one's then.
            None if kind == "net" || kind == "user" => {}
            None => return Err(of_host(kind, &record.name).into()),
        }
    }
    if let NetworkMode::Namespace(path) = &config.network.mode {
        spaces.push((Space::network(at(path)?), path.display().to_string()));
    }
    Ok(Neighbour::of(spaces, memory)?)
}

/// The namespaces of a container that runs.
fn running(
    dir: &ContainerDir,
    record: &ContainerRecord,
    kind: &'static str,
) -> common::Result<Target> {
    let idle = || {
        let what = spoken(kind);
        Error::new(Kind::Conflict, "join container", &record.name)
            .because(format!(
                "cannot join {what} of a non running container: {}",
                record.id
            ))
            .hint("start it first")
    };
    let state = match dir.phase()? {
        Some(Phase::Started(state)) if dir.is_alive()? => state,
        _ => return Err(idle()),
    };
    Target::of(state.pid, &|| state.is_running()).map_err(|error| match state.is_running() {
        true => error,
        false => idle(),
    })
}

/// docker's word for a kind of namespace.
fn spoken(kind: &str) -> &str {
    match kind {
        "net" => "network",
        "pid" => "PID",
        "uts" => "UTS",
        "ipc" => "IPC",
        _ => "user namespace",
    }
}

fn of_host(kind: &'static str, name: &str) -> Error {
    Error::new(Kind::Conflict, "join container", name)
        .because(format!("its {} is the host's", spoken(kind)))
        .hint(format!("use --{kind}=host"))
}

/// Only who has offered his memory lends it.
fn refuse_unshared(donor: &ContainerRecord) -> Result<()> {
    match Asked::of(donor)?.config.security.ipc {
        Ipc::Private | Ipc::None => Err(Error::new(Kind::Conflict, "join container", &donor.name)
            .because(
                "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
                    .to_owned(),
            )
            .hint("start that container with --ipc=shareable")
            .into()),
        Ipc::Host => Err(of_host("ipc", &donor.name).into()),
        Ipc::Shareable | Ipc::Container(_) => Ok(()),
    }
}

/// Without root the bridges are in a user namespace of their own, and a container in another
/// one's cannot be connected to them unless that one is below it too.
fn refuse_beside(
    engine: &Engine<'_>,
    config: &Config,
    donor: &ContainerRecord,
) -> common::Result<()> {
    if engine.mode == Mode::Root || config.network.mode != NetworkMode::Named {
        return Ok(());
    }
    let asked = Asked::of(donor);
    match asked.is_ok_and(|asked| asked.config.network.mode == NetworkMode::Named) {
        true => Ok(()),
        false => Err(Error::new(Kind::Conflict, "join container", &donor.name)
            .because(
                "without root, a container on a named network shares namespaces only with others \
                 on one"
                    .to_owned(),
            )
            .hint("give that container a named network too, or use --network container:NAME")),
    }
}

fn at(path: &Path) -> common::Result<OwnedFd> {
    File::open(path)
        .map(OwnedFd::from)
        .map_err(|error| Error::io("open network namespace", path, error))
}
