//! `--verify`: the image of a second build, which took nothing from the cache, is the same as
//! that of the first, or what differs first is said.

use anyhow::Result;
use serde_json::Value;

use super::form::{Exporter, Form};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::image::recode;
use crate::oci::ImageConfig;
use crate::store::ImageRecord;

/// Compares the images of two builds in a form.
///
/// # Errors
/// `Conflict` that says where they begin to differ.
pub(super) fn compare(
    engine: &Engine<'_>,
    [first, second]: [&mut Exporter<'_>; 2],
    form: &Form,
) -> Result<()> {
    let (one, other) = (first.record(form, false)?, second.record(form, false)?);
    if one.manifest == other.manifest {
        return Ok(());
    }
    let why = difference(engine, &one, &other)?;
    let error = Error::new(Kind::Conflict, "verify", one.manifest.to_string())
        .because(format!("the second build gives {}: {why}", other.manifest));
    let error = match form.is_dated() {
        true => error
            .hint("a command whose result depends on time, order or chance has to be told not to"),
        false => error.hint(
            "times differ in any two builds: SOURCE_DATE_EPOCH=SECONDS with --rewrite-timestamp",
        ),
    };
    Err(error.into())
}

/// The first layer that differs and what in it; without one, what in the configuration.
fn difference(engine: &Engine<'_>, one: &ImageRecord, other: &ImageRecord) -> Result<String> {
    let (first, second) = (
        engine.store.documents(one)?.config,
        engine.store.documents(other)?.config,
    );
    let layers = one.blobs.iter().zip(&other.blobs).enumerate();
    for (at, (a, b)) in layers {
        if a == b {
            continue;
        }
        let made = maker(&first, at);
        if let Some(found) = recode::compare(engine, a, b)? {
            let (path, what) = (found.path, found.what);
            return Ok(format!("layer {} ({made}): {path}: {what}", at + 1));
        }
    }
    if one.blobs.len() != other.blobs.len() {
        let (a, b) = (one.blobs.len(), other.blobs.len());
        return Ok(format!("{a} layers, then {b}"));
    }
    let (first, second) = (serde_json::to_value(first)?, serde_json::to_value(second)?);
    Ok(value(&first, &second, "configuration").unwrap_or_else(|| "the documents".to_owned()))
}

/// What made a layer, as the history says.
fn maker(image: &ImageConfig, layer: usize) -> String {
    let mut lines = image.history.iter().filter(|line| !line.empty_layer);
    let line = lines.nth(layer).and_then(|line| line.created_by.clone());
    line.unwrap_or_else(|| "unknown".to_owned())
}

/// The first place at which two documents differ, with both values.
fn value(a: &Value, b: &Value, place: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(first), Value::Object(second)) => {
            let keys = first.keys().chain(second.keys());
            let mut found = keys.map(|key| {
                let get = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                value(&get(first), &get(second), &format!("{place}.{key}"))
            });
            found.find_map(|found| found)
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            let mut pairs = first.iter().zip(second).enumerate();
            pairs.find_map(|(at, (a, b))| value(a, b, &format!("{place}[{at}]")))
        }
        _ if a == b => None,
        _ => Some(format!("{place}: {a}, then {b}")),
    }
}
