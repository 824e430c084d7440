//! Verbs about volumes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::container::Asked;
use super::{Engine, identity};
use crate::common::{ContainerId, Error, Kind, Mode, Timestamp};
use crate::spec::config::MountKind;
use crate::store::{Event, VolumeRecord};
use crate::sys::{file, tree};

/// The one driver.
pub(crate) const DRIVER: &str = "local";

/// What a volume is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateRequest {
    /// Name; one is made up where there is none.
    pub(crate) name: Option<String>,
    /// `--driver`; empty for the default.
    pub(crate) driver: String,
    /// `--label`.
    pub(crate) labels: BTreeMap<String, String>,
    /// `-o`.
    pub(crate) options: BTreeMap<String, String>,
    /// Made for one container, and removed with it.
    pub(crate) anonymous: bool,
}

/// Makes a volume; one of this name is given back as it is.
///
/// # Errors
/// `Usage` for a bad name; `Unsupported` for another driver or an option.
pub(crate) fn create(engine: &Engine<'_>, request: CreateRequest) -> Result<VolumeRecord> {
    if !matches!(request.driver.as_str(), "" | DRIVER) {
        return Err(Error::new(
            Kind::Unsupported,
            "create volume with driver",
            request.driver,
        )
        .because("the one driver is local")
        .into());
    }
    if let Some(option) = request.options.keys().next() {
        return Err(
            Error::new(Kind::Unsupported, "create volume with option", option)
                .because("volumes are directories of the store in this version")
                .hint("mount it yourself and bind it: -v /absolute/path:TARGET")
                .into(),
        );
    }
    let name = match request.name {
        Some(name) => name,
        None => ContainerId::from_bytes(file::random()?).to_string(),
    };
    let record = VolumeRecord {
        name,
        created: Timestamp::now(),
        driver: DRIVER.to_owned(),
        labels: request.labels,
        options: request.options,
        anonymous: request.anonymous,
    };
    let volumes = engine.store.volumes();
    if volumes.create(&record)? {
        note(engine, &record, "create");
        return Ok(record);
    }
    Ok(volumes.find(&record.name)?)
}

/// Names of the containers that mount each volume.
///
/// # Errors
/// The store could not be read.
pub(crate) fn users(engine: &Engine<'_>) -> Result<BTreeMap<String, Vec<String>>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in engine.store.containers().list()?.into_iter().flatten() {
        let Ok(asked) = Asked::of(&entry.record) else {
            continue;
        };
        for mount in asked.config.mounts {
            if let MountKind::Volume {
                name: Some(name), ..
            } = mount.kind
            {
                users
                    .entry(name)
                    .or_default()
                    .push(entry.record.name.clone());
            }
        }
    }
    Ok(users)
}

/// Removes a volume with its data.
///
/// # Errors
/// `NotFound`; `Conflict` in docker's words, naming the containers.
pub(crate) fn remove(engine: &Engine<'_>, name: &str) -> Result<()> {
    let volumes = engine.store.volumes();
    let record = volumes.find(name)?;
    let left = volumes.remove(name, || {
        let users = users(engine).map_err(|error| {
            Error::new(Kind::System, "read", "containers").because(format!("{error:#}"))
        })?;
        match users.get(name) {
            None => Ok(()),
            Some(users) => Err(Error::new(Kind::Conflict, "remove volume", name)
                .because(format!("volume is in use - [{}]", users.join(", ")))
                .hint("remove these containers first")),
        }
    })?;
    note(engine, &record, "destroy");
    purge(engine, left)
}

/// Files of subordinate ids can only be deleted by their owner.
fn purge(engine: &Engine<'_>, left: Option<PathBuf>) -> Result<()> {
    let Some(path) = left else {
        return Ok(());
    };
    if engine.mode != Mode::Subid {
        return Ok(tree::remove_tree(&path)?);
    }
    identity::as_owner(engine, || {
        tree::remove_tree(&path).context("remove the volume's files")
    })
}

/// Removes the volumes that no container mounts: the anonymous ones, or `all`. Returns their names
/// and sizes in bytes.
///
/// # Errors
/// The first that could not be removed; those before it are gone.
pub(crate) fn prune(
    engine: &Engine<'_>,
    all: bool,
    wanted: impl Fn(&VolumeRecord) -> bool,
) -> Result<Vec<(String, u64)>> {
    let users = users(engine)?;
    let mut removed = Vec::new();
    for record in engine.store.volumes().list()? {
        let is_kind = all || record.anonymous;
        if !is_kind || users.contains_key(&record.name) || !wanted(&record) {
            continue;
        }
        let size = size(engine, &record.name);
        match remove(engine, &record.name) {
            Ok(()) => removed.push((record.name, size)),
            // Somebody has begun to use it.
            Err(error)
                if error
                    .downcast_ref::<Error>()
                    .is_some_and(|known| known.kind() == Kind::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

/// Bytes that a volume takes.
pub(crate) fn size(engine: &Engine<'_>, name: &str) -> u64 {
    tree::usage(&engine.store.volumes().data(name)).map_or(0, |usage| usage.size)
}

/// Notes in the journal what happened to a volume.
pub(crate) fn note(engine: &Engine<'_>, record: &VolumeRecord, action: &str) {
    engine.store.note_event(&Event {
        time: Timestamp::now(),
        object: "volume".to_owned(),
        action: action.to_owned(),
        id: record.name.clone(),
        attributes: BTreeMap::from([("driver".to_owned(), record.driver.clone())]),
    });
}

/// Checks filters before anything is listed or removed.
///
/// # Errors
/// `Usage` for a key that volumes do not have.
pub(crate) fn check_filters(filters: &[(String, String)]) -> Result<()> {
    for (key, value) in filters {
        let known = matches!(
            key.as_str(),
            "name" | "label" | "label!" | "driver" | "dangling" | "all"
        );
        if !known {
            let why = "use name, label, driver or dangling";
            return Err(Error::usage("filter volumes by", format!("{key}={value}"), why).into());
        }
    }
    Ok(())
}

/// Whether a volume passes: values of one key are alternatives, labels and keys are not.
pub(crate) fn matches(record: &VolumeRecord, used: bool, filters: &[(String, String)]) -> bool {
    let has = |wanted: &str| match wanted.split_once('=') {
        Some((key, value)) => record.labels.get(key).is_some_and(|found| found == value),
        None => record.labels.contains_key(wanted),
    };
    let of = |key: &'static str| filters.iter().filter(move |(name, _)| name == key);
    let any = |key, fits: &dyn Fn(&str) -> bool| {
        of(key).next().is_none() || of(key).any(|(_, value)| fits(value))
    };
    let truth = |value: &str| matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE");
    any("name", &|value| record.name.contains(value))
        && any("driver", &|value| record.driver == value)
        && any("dangling", &|value| truth(value) != used)
        && of("label").all(|(_, value)| has(value))
        && of("label!").all(|(_, value)| !has(value))
}
