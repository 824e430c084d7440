//! `network ls`.

use anyhow::Result;
use regex_lite::Regex;

use super::{DEFAULT, PODMAN_DEFAULT, default_network};
use crate::common::{Digest, Error, Timestamp};
use crate::engine::Engine;
use crate::engine::image::filter::moment;
use crate::network::{Driver, Record};

/// One network, or what docker lists beside them.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The network; for `host` and `none`, what there is to say of them.
    pub(crate) record: Record,
    /// docker's word for the driver.
    pub(crate) driver: &'static str,
}

impl Row {
    fn of(record: Record) -> Row {
        let driver = record.driver.word();
        Row { record, driver }
    }

    /// docker's `host` and `none`, which nobody makes or removes.
    fn predefined(name: &str, driver: &'static str) -> Row {
        let record = Record {
            name: name.to_owned(),
            id: Digest::of(format!("network {name}").as_bytes())
                .hex()
                .to_owned(),
            created: Timestamp::default(),
            driver: Driver::None,
            interface: String::new(),
            subnets: Vec::new(),
            internal: false,
            ipv6: false,
            dns: false,
            resolvers: Vec::new(),
            isolate: false,
            labels: Default::default(),
            options: Default::default(),
        };
        Row { record, driver }
    }

    /// Whether its user did not make it.
    fn is_builtin(&self) -> bool {
        self.record.is_default() || matches!(self.driver, "host" | "null")
    }
}

/// docker's `host` and `none` by name.
pub(super) fn predefined(name: &str) -> Option<Row> {
    match name {
        "host" => Some(Row::predefined("host", "host")),
        "none" => Some(Row::predefined("none", "null")),
        _ => None,
    }
}

/// Networks that pass the filters, by name; with `all` docker's `host` and `none` too.
///
/// # Errors
/// `Usage` for an unknown filter or value.
pub(crate) fn list(
    engine: &Engine<'_>,
    filters: &[(String, String)],
    all: bool,
) -> Result<Vec<Row>> {
    for (key, value) in filters {
        check(key, value)?;
    }
    default_network(engine)?;
    let networks = engine.store.networks();
    let mut rows: Vec<Row> = networks.list()?.into_iter().map(Row::of).collect();
    if all {
        rows.extend(predefined("host"));
        rows.extend(predefined("none"));
    }
    rows.sort_by(|one, other| one.record.name.cmp(&other.record.name));
    let mut found = Vec::new();
    for row in rows {
        if passes(engine, &row, filters)? {
            found.push(row);
        }
    }
    Ok(found)
}

fn check(key: &str, value: &str) -> Result<(), Error> {
    let bad = |why: &str| Err(Error::usage("use filter", format!("{key}={value}"), why));
    match key {
        "driver" | "id" | "label" | "label!" | "scope" => Ok(()),
        "name" if Regex::new(value).is_ok() => Ok(()),
        "type" if matches!(value, "custom" | "builtin") => Ok(()),
        "dangling" if matches!(value, "true" | "false" | "1" | "0") => Ok(()),
        "until" if moment(value).is_some() => Ok(()),
        "name" | "type" | "dangling" | "until" => bad("invalid value"),
        _ => bad("use driver, id, label, name, scope, type, dangling or until"),
    }
}

/// Values of one key are alternatives, labels and keys are not.
fn passes(engine: &Engine<'_>, row: &Row, filters: &[(String, String)]) -> Result<bool> {
    let record = &row.record;
    let mut keys: Vec<&str> = filters.iter().map(|(key, _)| key.as_str()).collect();
    keys.dedup();
    for key in keys {
        let mut values = filters
            .iter()
            .filter(|(other, _)| other == key)
            .map(|(_, value)| value.as_str());
        let pass = match key {
            "driver" => values.any(|value| row.driver == value),
            "id" => values.any(|value| record.id.starts_with(value)),
            "label" => values.all(|value| has_label(record, value)),
            "label!" => values.all(|value| !has_label(record, value)),
            "name" => values.any(|value| is_named(record, value)),
            "scope" => values.any(|value| value == "local"),
            "type" => values.any(|value| row.is_builtin() == (value == "builtin")),
            "until" => values.all(|value| moment(value).is_none_or(|until| record.created < until)),
            _ => {
                // docker: built-in networks are always wanted.
                let used =
                    row.is_builtin() || !engine.store.networks().members(&record.name)?.is_empty();
                values.all(|value| matches!(value, "true" | "1") != used)
            }
        };
        if !pass {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the labels have `KEY` or `KEY=VALUE`.
pub(super) fn has_label(record: &Record, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => record.labels.get(key).is_some_and(|found| found == value),
        None => record.labels.contains_key(wanted),
    }
}

/// A part of the name is enough, and the default network has two.
fn is_named(record: &Record, wanted: &str) -> bool {
    let fits = |name: &str| Regex::new(wanted).is_ok_and(|pattern| pattern.is_match(name));
    fits(&record.name) || (record.name == DEFAULT && fits(PODMAN_DEFAULT))
}
