//! A container in the network namespace of another one (`container:NAME`), or in one that
//! somebody else has made (`ns:PATH`).

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::common::{self, Error, Kind};
use crate::engine::Engine;
use crate::runtime::{Neighbour, Target};
use crate::spec::EtcFiles;
use crate::spec::config::{Network, NetworkMode};
use crate::store::Phase;
use crate::sys::file;

/// Largest file of names that is taken over, in bytes.
const MAX_FILE: usize = 1 << 20;

/// Calls the other container by its id from now on: it may be renamed.
///
/// # Errors
/// `NotFound` when there is none.
pub(super) fn settle(engine: &Engine<'_>, name: &mut String) -> Result<()> {
    let record = engine.store.containers().find(name)?.record()?;
    *name = record.id.to_string();
    Ok(())
}

/// The id maps of the container whose network is shared, as its record has them; `None` when no
/// network is, or when that container has the caller's ids.
///
/// # Errors
/// The other container is gone.
pub(in crate::engine::container) fn ids(
    engine: &Engine<'_>,
    network: &Network,
) -> Result<Option<Value>> {
    let NetworkMode::Container(name) = &network.mode else {
        return Ok(None);
    };
    let record = engine.store.containers().find(name)?.record()?;
    let maps = record.asked.get("maps").filter(|maps| !maps.is_null());
    Ok(maps.cloned())
}

/// The namespace that a container is to enter; `None` where it gets one of its own or stays in
/// the caller's.
///
/// # Errors
/// docker's for another container that is gone or does not run; the file is no network
/// namespace, or one of somebody else.
pub(in crate::engine::container) fn neighbour(
    engine: &Engine<'_>,
    network: &Network,
) -> Result<Option<Neighbour>> {
    match &network.mode {
        NetworkMode::Container(name) => Ok(beside(engine, name)?),
        NetworkMode::Namespace(path) => Ok(at(path)?),
        _ => Ok(None),
    }
}

fn beside(engine: &Engine<'_>, name: &str) -> common::Result<Option<Neighbour>> {
    let dir = engine.store.containers().find(name)?;
    let record = dir.record()?;
    let idle = || {
        Error::new(Kind::Conflict, "join network of container", &record.name)
            .because("cannot join network of a non running container".to_owned())
            .hint("start it first")
    };
    let state = match dir.phase()? {
        Some(Phase::Started(state)) if dir.is_alive()? => state,
        _ => return Err(idle()),
    };
    let target = Target::of(state.pid, &|| state.is_running()).map_err(|error| {
        match state.is_running() {
            true => error,
            false => idle(),
        }
    })?;
    let network = target.into_network();
    network.map_or(Ok(None), |network| Neighbour::of(network, &record.name))
}

fn at(path: &Path) -> common::Result<Option<Neighbour>> {
    let file =
        File::open(path).map_err(|error| Error::io("open network namespace", path, error))?;
    Neighbour::of(OwnedFd::from(file), &path.display().to_string())
}

/// The host name of the container whose network is shared.
pub(in crate::engine::container) fn hostname(engine: &Engine<'_>, name: &str) -> Option<String> {
    let dir = engine.store.containers().find(name).ok()?;
    let bytes = file::read_bounded(&dir.path().join("hostname"), MAX_FILE).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Gives a container that shares another one's network what that one knows of hosts and
/// resolvers, as it is now.
///
/// # Errors
/// The files cannot be written.
pub(in crate::engine::container) fn borrow_names(
    engine: &Engine<'_>,
    network: &Network,
    own: &EtcFiles,
) -> Result<()> {
    let NetworkMode::Container(name) = &network.mode else {
        return Ok(());
    };
    let dir = engine.store.containers().find(name)?;
    for (file_name, path) in [("hosts", &own.hosts), ("resolv.conf", &own.resolv_conf)] {
        // Its container may have made it anything; what cannot be read is not shared.
        let Ok(bytes) = file::read_bounded(&dir.path().join(file_name), MAX_FILE) else {
            continue;
        };
        std::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}
