//! Networks that containers can be put on: making, showing and removing them.

mod attach;
mod connect;
mod create;
mod event;
mod inspect;
mod list;
mod reload;
mod remove;
mod update;

use anyhow::Result;

use super::Engine;
use super::container::asked_network;
use crate::common::{Error, Kind};
use crate::network::Record;
use crate::store::ContainerRecord;

pub(crate) use attach::{reserve, settle};
pub(crate) use connect::{connect, disconnect};
pub(crate) use create::{CreateRequest, Families, create, default_network};
pub(crate) use event::note;
pub(crate) use inspect::{docker, inspect, podman};
pub(crate) use list::{Row, list};
pub(crate) use reload::reload;
pub(crate) use remove::{Guard, prune, remove};
pub(crate) use update::update;

/// The default network's name on disk, and in docker.
pub(crate) const DEFAULT: &str = "bridge";

/// podman's name of the same network.
const PODMAN_DEFAULT: &str = "podman";

/// What `--network` takes for something else than a network of this name.
const WORDS: [&str; 10] = [
    "bridge",
    "podman",
    "host",
    "none",
    "default",
    "private",
    "pasta",
    "slirp4netns",
    "container",
    "ns",
];

/// The network of a name or an id; the default one is made when it is asked for.
///
/// # Errors
/// `NotFound`; `Conflict` for the beginning of several ids.
pub(crate) fn find(engine: &Engine<'_>, wanted: &str) -> Result<Record> {
    match wanted {
        DEFAULT | PODMAN_DEFAULT => default_network(engine),
        _ => Ok(engine.store.networks().find(wanted)?),
    }
}

/// As [`find`], without making anything.
///
/// # Errors
/// As [`find`]; `NotFound` for a default network that was not needed yet.
pub(crate) fn look(engine: &Engine<'_>, wanted: &str) -> Result<Record> {
    let name = match wanted {
        PODMAN_DEFAULT => DEFAULT,
        name => name,
    };
    Ok(engine.store.networks().find(name)?)
}

/// Names of the containers that ask for a network, whether they run or not.
fn users(engine: &Engine<'_>, network: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in engine.store.containers().list()? {
        // What cannot be read cannot be started either.
        let Ok(entry) = entry else { continue };
        if asks(&entry.record, network) {
            found.push(entry.record.name);
        }
    }
    Ok(found)
}

fn asks(record: &ContainerRecord, network: &str) -> bool {
    let asked = asked_network(record);
    asked
        .attachments
        .iter()
        .any(|asked| asked.network == network)
}

/// Refuses to change what is always there.
fn refuse_predefined(operation: &str, name: &str) -> Result<(), Error> {
    if matches!(name, "bridge" | "podman" | "host" | "none") {
        let why = format!("{name} is a pre-defined network and cannot be removed");
        return Err(Error::new(Kind::Denied, operation, name).because(why));
    }
    Ok(())
}
