//! The networks that a new container asks for.

use anyhow::Result;

use super::find;
use crate::common::Error;
use crate::engine::Engine;
use crate::spec::config::{Network, NetworkMode};
use crate::store::ContainerRecord;

/// Checks that the networks are there and can give what is asked of them, and calls each by its
/// name from now on.
///
/// # Errors
/// `NotFound` for an unknown network; `Usage` for an address that is none of its own.
pub(crate) fn settle(engine: &Engine<'_>, network: &mut Network) -> Result<()> {
    if network.mode != NetworkMode::Named {
        return Ok(());
    }
    let mut seen: Vec<String> = Vec::new();
    for attachment in &mut network.attachments {
        let record = find(engine, &attachment.network)?;
        record.check(attachment)?;
        if seen.contains(&record.name) {
            let why = "the network is specified multiple times";
            return Err(Error::usage("use --network", &attachment.network, why).into());
        }
        seen.push(record.name.clone());
        attachment.network = record.name;
    }
    Ok(())
}

/// Notes the addresses that a container asks for, so that nobody else is given them by chance.
pub(crate) fn reserve(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    network: &Network,
) -> Result<()> {
    if network.mode != NetworkMode::Named {
        return Ok(());
    }
    for attachment in &network.attachments {
        // Most ask for none, and then there is nothing to look up.
        if attachment.wanted().next().is_some() {
            let networks = engine.store.networks();
            let found = networks.find(&attachment.network)?;
            networks.reserve(&found, &record.id, Some(attachment))?;
        }
    }
    Ok(())
}
