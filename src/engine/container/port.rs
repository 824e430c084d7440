//! `port`: the published ports of a container, as its start has settled them.

use anyhow::Result;

use super::network;
use crate::engine::Engine;
use crate::spec::config::Port;

/// The id of a container and its published ports, in the order of their numbers.
pub(crate) fn ports(engine: &Engine<'_>, name: &str) -> Result<(String, Vec<Port>)> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let settled = network::settled(&entry.dir).filter(|_| entry.alive);
    // docker: a container that does not run has none.
    let mut ports = settled.unwrap_or_default();
    ports.sort_by(|a, b| (a.container, &a.protocol).cmp(&(b.container, &b.protocol)));
    Ok((entry.record.id.to_string(), ports))
}
