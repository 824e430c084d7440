//! `volume prune`.

use anyhow::Result;

use super::{note, passes, users, users_of};
use crate::common::Kind;
use crate::engine::Engine;
use crate::engine::container::{event, purge_as_owner};
use crate::sys::tree;

/// What was removed.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// Names.
    pub(crate) volumes: Vec<String>,
    /// Bytes given back.
    pub(crate) reclaimed: u64,
    /// Volumes that could not be removed.
    pub(crate) failures: Vec<(String, anyhow::Error)>,
}

/// Removes volumes that no container has: the anonymous ones, or all of them.
pub(crate) fn prune(
    engine: &Engine<'_>,
    all: bool,
    filters: &[(String, String)],
) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    let mut left = Vec::new();
    let volumes = engine.store.volumes();
    let used = users(engine)?;
    for record in volumes.list()? {
        let used = used.contains_key(&record.name);
        if !passes(&record, used, filters)? || used || !all && !record.anonymous {
            continue;
        }
        let size = tree::usage(&volumes.data(&record.name)).map_or(0, |found| found.disk);
        match volumes.remove(&record.name, || users_of(engine, &record.name)) {
            Ok(purged) => {
                note(engine, &record, "destroy");
                pruned.reclaimed += size;
                pruned.volumes.push(record.name);
                left.extend(purged.left);
            }
            // Taken by a container, or removed, since it was listed.
            Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {}
            Err(error) => pruned.failures.push((record.name, error.into())),
        }
    }
    if let Err(error) = purge_as_owner(engine, &left) {
        pruned.failures.push((String::new(), error));
    }
    event::note_prune(&engine.store, "volume", pruned.reclaimed);
    Ok(pruned)
}
