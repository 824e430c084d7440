//! `network reload`: the firewall's rules of containers, after somebody has removed them.

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::container::{asked_network, reload_networks};
use crate::spec::config::NetworkMode;
use crate::store::ContainerEntry;

/// Adds the rules of containers that run on networks with names again, and with them those of all
/// others, which were removed with them. Gives the ids of the containers that were named, in
/// order; without a name of all that run on such networks.
///
/// # Errors
/// `NotFound`; `Conflict` for a container that does not run or has no such network.
pub(crate) fn reload(engine: &Engine<'_>, names: Option<&[String]>) -> Result<Vec<String>> {
    let containers = engine.store.containers();
    let entries: Vec<ContainerEntry> = match names {
        Some(names) => {
            let one = |name: &String| check(containers.find(name)?.entry()?);
            names.iter().map(one).collect::<Result<_>>()?
        }
        None => {
            let all = containers.list()?.into_iter().flatten();
            all.filter_map(|entry| check(entry).ok()).collect()
        }
    };
    reload_networks(engine)?;
    let id = |entry: &ContainerEntry| entry.record.id.to_string();
    Ok(entries.iter().map(id).collect())
}

fn check(entry: ContainerEntry) -> Result<ContainerEntry> {
    let why = match asked_network(&entry.record).mode {
        _ if !entry.alive => "it is not running",
        NetworkMode::Named => return Ok(entry),
        _ => "it is on no network with a bridge",
    };
    let refused = Error::new(Kind::Conflict, "reload network of", &entry.record.name);
    Err(refused.because(why).into())
}
