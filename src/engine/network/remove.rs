//! `network rm` and `network prune`.

use anyhow::Result;

use super::list::has_label;
use super::{asks, event, find, refuse_predefined, users};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::container;
use crate::engine::image::filter::moment;
use crate::network::Record;

/// Whose container keeps a network from being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// A running one (docker).
    Running,
    /// Any (podman).
    Any,
    /// None: containers on the network are removed with it (podman's `--force`).
    Nobody {
        /// Seconds before one that runs is killed; its own grace when `None`.
        time: Option<i64>,
    },
}

/// Removes a network by name or id.
///
/// # Errors
/// `NotFound`; `Conflict`, naming the containers, when it is in use; `Denied` for a network that
/// is always there.
pub(crate) fn remove(engine: &Engine<'_>, wanted: &str, guard: Guard) -> Result<()> {
    refuse_predefined("remove network", wanted)?;
    let record = find(engine, wanted)?;
    refuse_predefined("remove network", &record.name)?;
    if guard != Guard::Running {
        let users = users(engine, &record.name)?;
        if let Guard::Nobody { time } = guard {
            let request = container::RemoveRequest {
                containers: users,
                force: true,
                time,
                volumes: true,
                ..container::RemoveRequest::default()
            };
            container::clear(engine, &request)?;
        } else if !users.is_empty() {
            return Err(Error::new(Kind::Conflict, "remove network", wanted)
                .because(format!(
                    "network is being used: it has associated containers: {}",
                    users.join(", ")
                ))
                .hint("use --force to remove the containers with it")
                .into());
        }
    }
    delete(engine, &record)
}

fn delete(engine: &Engine<'_>, record: &Record) -> Result<()> {
    engine
        .store
        .networks()
        .remove(record, |record| container::tear_down(engine, record))?;
    event::note(&engine.store, record, "destroy", None);
    Ok(())
}

/// Removes networks that no container asks for, and gives their names.
///
/// # Errors
/// `Usage` for an unknown filter. Networks that got a container meanwhile are left alone.
pub(crate) fn prune(engine: &Engine<'_>, filters: &[(String, String)]) -> Result<Vec<String>> {
    for (key, value) in filters {
        let is_good = match key.as_str() {
            "label" | "label!" => true,
            "until" => moment(value).is_some(),
            _ => false,
        };
        if !is_good {
            let why = "only until=TIME, label=… and label!=… are possible here";
            return Err(Error::usage("use filter", format!("{key}={value}"), why).into());
        }
    }
    container::sweep_networks(engine)?;
    let containers = engine.store.containers().list()?;
    let mut pruned = Vec::new();
    for record in engine.store.networks().list()? {
        let mut known = containers.iter().flatten();
        let used = record.is_default() || known.any(|entry| asks(&entry.record, &record.name));
        if used || !filters.iter().all(|filter| passes(&record, filter)) {
            continue;
        }
        match delete(engine, &record) {
            Ok(()) => pruned.push(record.name),
            Err(error) => match error.downcast_ref::<Error>().map(Error::kind) {
                Some(Kind::Conflict | Kind::NotFound) => {}
                _ => return Err(error),
            },
        }
    }
    Ok(pruned)
}

fn passes(record: &Record, (key, value): &(String, String)) -> bool {
    match key.as_str() {
        "label" => has_label(record, value),
        "label!" => !has_label(record, value),
        _ => moment(value).is_none_or(|until| record.created < until),
    }
}
