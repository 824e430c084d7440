//! `system prune`: stopped containers, unused networks and images, and everything nothing names.

use std::path::PathBuf;

use anyhow::Result;

use super::build_cache;
use crate::common::{ContainerId, Error, Kind, Timestamp};
use crate::engine::container::event;
use crate::engine::image::filter::moment;
use crate::engine::image::remove::Event;
use crate::engine::{Engine, container, image, network, volume};
use crate::store::ContainerRecord;
use crate::sys::tree;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// All unused images, not only dangling ones.
    pub(crate) all: bool,
    /// Volumes without a name that no container has, too.
    pub(crate) volumes: bool,
    /// `until`, `label` and `label!` filters, for containers and images.
    pub(crate) filters: Vec<(String, String)>,
}

/// What was removed.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// Containers.
    pub(crate) containers: Vec<ContainerId>,
    /// Names of networks.
    pub(crate) networks: Vec<String>,
    /// Names of volumes.
    pub(crate) volumes: Vec<String>,
    /// Names and digests, in docker's order.
    pub(crate) images: Vec<Event>,
    /// Bytes given back.
    pub(crate) reclaimed: u64,
    /// Trees in the trash that only the user namespace of the mode can delete.
    pub(crate) left: Vec<PathBuf>,
    /// Containers that could not be removed.
    pub(crate) failures: Vec<(String, anyhow::Error)>,
}

/// Removes containers that do not run, then networks, build cache and images that are unused.
pub(crate) fn prune(engine: &Engine<'_>, request: &Request) -> Result<Pruned> {
    let mut pruned = prune_containers(engine, &request.filters)?;
    pruned.networks = network::prune(engine, &request.filters)?;
    if request.volumes {
        let volumes = volume::prune(engine, false, &request.filters)?;
        pruned.volumes = volumes.volumes;
        pruned.reclaimed += volumes.reclaimed;
        pruned.failures.extend(volumes.failures);
    }
    if request.filters.is_empty() {
        let everything = build_cache::Request {
            all: request.all,
            ..build_cache::Request::default()
        };
        let cache = build_cache::prune(engine, &everything)?;
        pruned.reclaimed += cache.reclaimed;
    }
    let removal = image::prune::prune(
        &engine.store,
        &image::prune::Request {
            all: request.all,
            filters: request.filters.clone(),
        },
    )?;
    pruned.images = removal.events;
    pruned.reclaimed += removal.reclaimed;
    // The collection tried the containers' trees once more.
    pruned.left = removal.left;
    Ok(pruned)
}

/// `container prune`: removes containers that do not run and pass the filters. Files of
/// subordinate ids are deleted last, by one helper for all.
pub(crate) fn prune_containers(
    engine: &Engine<'_>,
    filters: &[(String, String)],
) -> Result<Pruned> {
    for (key, value) in filters {
        check_filter(key, value)?;
    }
    let mut pruned = Pruned::default();
    let mut left = Vec::new();
    for entry in engine.store.containers().list()? {
        let Ok(entry) = entry else { continue };
        if entry.alive || !filters.iter().all(|filter| passes(&entry.record, filter)) {
            continue;
        }
        // Started since it was listed: no failure, it is in use.
        let Ok(lock) = entry.dir.lock() else { continue };
        let size = tree::usage(entry.dir.path()).map_or(0, |found| found.disk);
        match container::discard(engine, &entry.dir, lock, false) {
            Ok(more) => {
                pruned.reclaimed += size;
                pruned.containers.push(entry.record.id);
                left.extend(more);
            }
            Err(error) => pruned.failures.push((entry.record.id.to_string(), error)),
        }
    }
    if let Err(error) = container::purge_as_owner(engine, &left) {
        pruned.failures.push((String::new(), error));
    }
    event::note_prune(&engine.store, "container", pruned.reclaimed);
    Ok(pruned)
}

fn check_filter(key: &str, value: &str) -> Result<()> {
    let good = match key {
        "label" | "label!" => true,
        "until" => moment(value).is_some(),
        _ => false,
    };
    if good {
        return Ok(());
    }
    Err(
        Error::new(Kind::Usage, "use filter", format!("{key}={value}"))
            .because("only until=TIME, label=… and label!=… are possible here".to_owned())
            .into(),
    )
}

fn passes(record: &ContainerRecord, (key, value): &(String, String)) -> bool {
    let labelled = || match value.split_once('=') {
        Some((key, value)) => record.labels.get(key).is_some_and(|found| found == value),
        None => record.labels.contains_key(value),
    };
    match key.as_str() {
        "label" => labelled(),
        "label!" => !labelled(),
        _ => record.created < moment(value).unwrap_or(Timestamp(i128::MIN)),
    }
}
