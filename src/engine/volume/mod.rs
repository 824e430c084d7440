//! Verbs on volumes.

mod carry;
mod prune;

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Engine;
use super::container::purge_as_owner;
use crate::common::{Error, Kind, Timestamp};
use crate::spec::config::{Mount, MountKind};
use crate::store::{ContainerRecord, Event, VolumeRecord};
use crate::sys::file;

pub(crate) use carry::{export, import};
pub(crate) use prune::prune;

/// docker's mark of a volume without a name.
const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// `volume create`.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateRequest {
    /// Name; an anonymous volume without.
    pub(crate) name: Option<String>,
    /// `local` or `tmpfs`; `local` when not said.
    pub(crate) driver: Option<String>,
    /// `--label`.
    pub(crate) labels: BTreeMap<String, String>,
    /// `--opt`.
    pub(crate) options: BTreeMap<String, String>,
}

/// Makes a volume. Returns it, and whether there was none before.
///
/// # Errors
/// `Usage` for what no driver knows; `Conflict` for a volume of the name with another driver or
/// other options.
pub(crate) fn create(engine: &Engine<'_>, request: &CreateRequest) -> Result<(VolumeRecord, bool)> {
    let mut wanted = match &request.name {
        Some(name) => VolumeRecord::new(name),
        None => anonymous()?,
    };
    if let Some(driver) = &request.driver {
        wanted.driver.clone_from(driver);
    }
    wanted.labels.clone_from(&request.labels);
    wanted.options.clone_from(&request.options);
    crate::engine::container::check_volume(&wanted)?;
    let (found, made) = engine.store.volumes().ensure(&wanted)?;
    let asked = request.driver.is_some() || !request.options.is_empty();
    if !made && asked && (found.driver != wanted.driver || found.options != wanted.options) {
        return Err(Error::new(Kind::Conflict, "make volume", &wanted.name)
            .because("there is one of this name with another driver or other options")
            .hint("choose another name, or remove it first")
            .into());
    }
    if made {
        note(engine, &found, "create");
    }
    Ok((found, made))
}

/// A volume with a name that is nobody's.
pub(crate) fn anonymous() -> Result<VolumeRecord> {
    let bytes: [u8; 32] = file::random()?;
    let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(VolumeRecord {
        anonymous: true,
        ..VolumeRecord::new(&name)
    })
}

/// Notes what happened to a volume.
pub(crate) fn note(engine: &Engine<'_>, record: &VolumeRecord, action: &str) {
    engine.store.note_event(&Event {
        time: Timestamp::now(),
        object: "volume".to_owned(),
        action: action.to_owned(),
        id: record.name.clone(),
        attributes: BTreeMap::from([("driver".to_owned(), record.driver.clone())]),
    });
}

/// What a container has mounted, read without the rest of its record.
pub(crate) fn mounts(record: &ContainerRecord) -> Vec<Mount> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Part {
        config: Mounts,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Mounts {
        mounts: Vec<Mount>,
    }
    let part: Part = record.asked.read().unwrap_or_default();
    part.config.mounts
}

/// Ids of the containers that have each volume, by its name.
pub(crate) fn users(engine: &Engine<'_>) -> crate::common::Result<HashMap<String, Vec<String>>> {
    let mut users: HashMap<String, Vec<String>> = HashMap::new();
    let containers = engine.store.containers();
    for entry in containers.list()?.into_iter().flatten() {
        for mount in mounts(&entry.record) {
            if let MountKind::Volume {
                name: Some(name), ..
            } = mount.kind
            {
                let of = users.entry(name).or_default();
                of.push(entry.record.id.to_string());
            }
        }
    }
    Ok(users)
}

/// `volume rm` of one volume.
///
/// # Errors
/// `NotFound`; `Conflict` when a container has it.
pub(crate) fn remove(engine: &Engine<'_>, wanted: &str) -> Result<()> {
    let record = engine.store.volumes().find(wanted)?;
    let purged = engine
        .store
        .volumes()
        .remove(&record.name, || users_of(engine, &record.name))?;
    note(engine, &record, "destroy");
    purge_as_owner(engine, &purged.left)
}

/// Ids of the containers that have a volume.
pub(crate) fn users_of(engine: &Engine<'_>, name: &str) -> crate::common::Result<Vec<String>> {
    Ok(users(engine)?.remove(name).unwrap_or_default())
}

/// docker's document of a volume.
pub(crate) fn inspect(engine: &Engine<'_>, record: &VolumeRecord) -> Value {
    let mut labels = record.labels.clone();
    if record.anonymous {
        labels.insert(ANONYMOUS.to_owned(), String::new());
    }
    let or_null = |map: &BTreeMap<String, String>| match map.is_empty() {
        true => Value::Null,
        false => json!(map),
    };
    json!({
        "CreatedAt": record.created.to_string(),
        "Driver": record.driver,
        "Labels": or_null(&labels),
        "Mountpoint": engine.store.volumes().data(&record.name).display().to_string(),
        "Name": record.name,
        "Options": or_null(&record.options),
        "Scope": "local",
    })
}

/// podman's document of a volume; `users` is how many containers have it.
pub(crate) fn inspect_podman(engine: &Engine<'_>, record: &VolumeRecord, users: usize) -> Value {
    let mut document = inspect(engine, record);
    document["Labels"] = json!(record.labels);
    document["Options"] = json!(record.options);
    document["MountCount"] = json!(users);
    if record.anonymous {
        document["Anonymous"] = json!(true);
    }
    document
}

/// Filters of `volume ls` and `volume prune`: values of one key are alternatives but for labels.
///
/// # Errors
/// A key or value that is not known.
pub(crate) fn passes(
    record: &VolumeRecord,
    used: bool,
    filters: &[(String, String)],
) -> crate::common::Result<bool> {
    let mut by_key: BTreeMap<&str, bool> = BTreeMap::new();
    for (key, value) in filters {
        let yes = one(record, used, key, value)?;
        let known = by_key.entry(key).or_insert(key.starts_with("label"));
        *known = match key.starts_with("label") {
            true => *known && yes,
            false => *known || yes,
        };
    }
    Ok(by_key.values().all(|yes| *yes))
}

fn one(record: &VolumeRecord, used: bool, key: &str, value: &str) -> crate::common::Result<bool> {
    let bad = || {
        Error::new(Kind::Usage, "use filter", format!("{key}={value}"))
            .because("known are dangling, driver, label, label!, name, anonymous, since and until")
    };
    let switch = |is: bool| match value {
        "true" | "1" => Ok(is),
        "false" | "0" => Ok(!is),
        _ => Err(bad()),
    };
    let moment = || crate::engine::image::filter::moment(value).ok_or_else(bad);
    let labelled = || match value.split_once('=') {
        Some((key, value)) => record.labels.get(key).is_some_and(|found| found == value),
        None => record.labels.contains_key(value) || record.anonymous && value == ANONYMOUS,
    };
    Ok(match key {
        "name" => named(&record.name, value),
        "driver" => record.driver == value,
        "label" => labelled(),
        "label!" => !labelled(),
        "dangling" => switch(!used)?,
        "anonymous" => switch(record.anonymous)?,
        "until" => record.created < moment()?,
        "since" | "after" => record.created > moment()?,
        _ => return Err(bad()),
    })
}

/// docker's filter is a part of a name, podman's a regular expression.
fn named(name: &str, wanted: &str) -> bool {
    name.contains(wanted) || Regex::new(wanted).is_ok_and(|pattern| pattern.is_match(name))
}
