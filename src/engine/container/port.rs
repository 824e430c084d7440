//! `port`: the published ports of a container, as its record holds them.

use anyhow::Result;

use super::list;
use crate::engine::Engine;
use crate::spec::config::Port;

/// The id of a container and its published ports, in the order of their numbers.
pub(crate) fn ports(engine: &Engine<'_>, name: &str) -> Result<(String, Vec<Port>)> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let mut ports = list::config(&entry).network.ports;
    ports.sort_by(|a, b| (a.container, &a.protocol).cmp(&(b.container, &b.protocol)));
    Ok((entry.record.id.to_string(), ports))
}
