//! `network connect` and `network disconnect`.

use anyhow::Result;
use serde_json::Value;

use super::{event, find};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::container::{self, Asked};
use crate::network::{Attachment, Record};
use crate::spec::config::{Network, NetworkMode};
use crate::store::ContainerEntry;

/// Puts a container on one more network: at once when it runs, else from its next start on.
///
/// # Errors
/// `NotFound`; `Conflict` when it is on the network, or its network is not its own; `Usage` for
/// an address that is none of the network's. Nothing is changed then.
pub(crate) fn connect(engine: &Engine<'_>, container: &str, asked: &Attachment) -> Result<()> {
    let network = find(engine, &asked.network)?;
    let entry = engine.store.containers().find(container)?.entry()?;
    let asked = Attachment {
        network: network.name.clone(),
        ..asked.clone()
    };
    network.check(&asked)?;
    check_mode(&entry, "connect")?;
    if network.is_default() && !asked.aliases.is_empty() {
        let why = "network-scoped alias is supported only for containers in user defined networks";
        return Err(Error::usage("connect container", container, why).into());
    }
    if super::asks(&entry.record, &network.name) {
        let why = format!(
            "endpoint with name {} already exists in network {}",
            entry.record.name, network.name
        );
        return Err(Error::new(Kind::Conflict, "connect container", container)
            .because(why)
            .into());
    }
    engine
        .store
        .networks()
        .reserve(&network, &entry.record.id, Some(&asked))?;
    let connected = container::plug(engine, &entry, &network, &asked)
        .and_then(|()| edit(&entry, |config| config.attachments.push(asked)));
    if connected.is_err() {
        let _ = engine
            .store
            .networks()
            .reserve(&network, &entry.record.id, None);
        return connected;
    }
    event::note(
        &engine.store,
        &network,
        "connect",
        Some(entry.record.id.as_str()),
    );
    Ok(())
}

/// Takes a container from a network: at once when it runs, else from its next start on. With
/// `force` a container that is not there is no error, nor is one that is gone.
///
/// # Errors
/// `NotFound`; `Conflict` when it is not on the network.
pub(crate) fn disconnect(
    engine: &Engine<'_>,
    container: &str,
    network: &str,
    force: bool,
) -> Result<()> {
    let network = find(engine, network)?;
    let entry = engine.store.containers().find(container)?.entry()?;
    if !super::asks(&entry.record, &network.name) {
        if force {
            return Ok(());
        }
        return Err(not_on(&entry, &network));
    }
    check_mode(&entry, "disconnect")?;
    container::unplug(engine, &entry, &network)?;
    engine
        .store
        .networks()
        .reserve(&network, &entry.record.id, None)?;
    edit(&entry, |config| {
        config
            .attachments
            .retain(|asked| asked.network != network.name);
    })?;
    event::note(
        &engine.store,
        &network,
        "disconnect",
        Some(entry.record.id.as_str()),
    );
    Ok(())
}

fn not_on(entry: &ContainerEntry, network: &Record) -> anyhow::Error {
    let why = format!("container is not connected to network {}", network.name);
    Error::new(Kind::Conflict, "disconnect container", &entry.record.name)
        .because(why)
        .into()
}

/// Networks come and go only where the container has a namespace of its own for them.
fn check_mode(entry: &ContainerEntry, verb: &str) -> Result<()> {
    let why = match Asked::of(&entry.record)?.config.network.mode {
        NetworkMode::Named | NetworkMode::Private => return Ok(()),
        NetworkMode::Host | NetworkMode::Container(_) | NetworkMode::Namespace(_) => {
            "container sharing network namespace with another container or host cannot be \
             connected to any other network"
        }
        NetworkMode::None => {
            "container cannot be connected to multiple networks with one of the networks in \
             private (none) mode"
        }
        NetworkMode::Default => {
            "its network is not one of those that have names; run it with --network NAME"
        }
    };
    let operation = format!("{verb} container");
    Err(Error::new(Kind::Conflict, operation, &entry.record.name)
        .because(why)
        .into())
}

/// Changes what the container asks for.
fn edit(entry: &ContainerEntry, change: impl FnOnce(&mut Network)) -> Result<()> {
    Ok(entry.dir.edit(|record| {
        let corrupt = |error: serde_json::Error| {
            let name = &entry.record.name;
            Error::new(Kind::Corrupt, "read what was asked of", name).because(error)
        };
        let mut asked = Value::clone(&record.asked);
        let place = &mut asked["config"]["network"];
        let mut network: Network = serde_json::from_value(place.take()).map_err(corrupt)?;
        change(&mut network);
        *place = serde_json::to_value(network).map_err(corrupt)?;
        record.asked = asked.into();
        Ok(())
    })?)
}
