//! Images that docker's list names (moby, `image/tarexport`): configurations, and layers that are
//! plain archives, or compressed.
//!
//! There is no manifest, so one is made. Layers that are not compressed become what the store has:
//! as many bytes again as they are unpacked would be kept for nothing, and pushed.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read};
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::plan::{self, Content, Plan};
use crate::archive::{self, Coding};
use crate::common::{Digest, Error, Hasher, Kind};
use crate::engine::Engine;
use crate::engine::image::layout::{Files, Found};
use crate::engine::worker::{self, Where};
use crate::oci::{Descriptor, ImageConfig, MAX_CONFIG, Manifest, MediaType, Platform};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A line of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The images of a list.
///
/// # Errors
/// As [`load`](super::load).
pub(super) fn plans(files: &Files, list: &[u8], platform: Option<&Platform>) -> Result<Vec<Plan>> {
    let bad = |why: String| Error::new(Kind::Corrupt, "read", "manifest.json").because(why);
    if matches!(files, Files::Folder(_)) {
        let why = "a directory with docker's list is not read, the archive it came from is";
        return Err(bad(why.to_owned()).into());
    }
    let items: Vec<Item> = serde_json::from_slice(list).map_err(|error| bad(error.to_string()))?;
    let mut plans = Vec::new();
    for item in &items {
        let plan = one(files, item)?;
        if plan::fits(&plan.config, platform) {
            plans.push(plan);
        }
    }
    match plans.is_empty() {
        true if items.is_empty() => Err(bad("it lists no image".to_owned()).into()),
        true => Err(plan::none_for(platform)),
        false => Ok(plans),
    }
}

fn one(files: &Files, item: &Item) -> Result<Plan> {
    let corrupt = |why: String| Error::new(Kind::Corrupt, "load image", &*item.config).because(why);
    let config_bytes = files.text(&item.config, MAX_CONFIG)?;
    let config_bytes = config_bytes
        .ok_or_else(|| corrupt("manifest.json names it, and it is not there".to_owned()))?;
    let digest = Digest::of(&config_bytes);
    // Its name is its digest, in every archive that docker or podman made.
    let stem = Path::new(&item.config).file_stem();
    let named = stem.and_then(|stem| Digest::from_hex(stem.to_str()?));
    if named.is_some_and(|named| named != digest) {
        return Err(corrupt(format!("its content has digest {digest}")).into());
    }
    let config = ImageConfig::parse(&config_bytes)?;
    let layers = item.layers.clone().unwrap_or_default();
    let wanted = config.rootfs.diff_ids.len();
    if layers.len() != wanted {
        let why = format!(
            "manifest.json names {} layers, and the configuration {wanted}",
            layers.len()
        );
        return Err(corrupt(why).into());
    }
    for layer in &layers {
        if files.find(layer)?.is_none() {
            let why = "manifest.json names it, and it is not there";
            return Err(Error::new(Kind::Corrupt, "load layer", layer.as_str())
                .because(why)
                .into());
        }
    }
    let names = item.repo_tags.iter().flatten();
    Ok(Plan {
        names: names
            .map(|name| plan::canonical(name))
            .collect::<Result<_>>()?,
        config_bytes,
        config,
        content: Content::Listed(layers),
        index: None,
        others: Vec::new(),
    })
}

/// The compressed layers of the images that are here, by diff-id.
///
/// # Errors
/// What reading records gave.
pub(super) fn known_layers(engine: &Engine<'_>) -> Result<BTreeMap<Digest, Descriptor>> {
    let mut known = BTreeMap::new();
    for record in engine.store.images().records()? {
        let Ok(documents) = engine.store.documents(&record) else {
            continue;
        };
        let layers = documents.manifest.layers.into_iter();
        for (layer, diff_id) in layers.zip(documents.config.rootfs.diff_ids) {
            if engine.store.blobs().has(&layer.digest) {
                known.insert(diff_id, layer);
            }
        }
    }
    Ok(known)
}

/// The layers of an image in compressed form. Those that are not in it come into the store.
///
/// # Errors
/// `Corrupt` for a layer with another diff-id; what compressing gave.
pub(super) fn described(
    engine: &Engine<'_>,
    files: &Files,
    plan: &Plan,
    names: &[String],
    known: &mut BTreeMap<Digest, Descriptor>,
) -> Result<Vec<Descriptor>> {
    let mut layers = Vec::new();
    for (name, diff_id) in names.iter().zip(&plan.config.rootfs.diff_ids) {
        let layer = match known.get(diff_id) {
            Some(layer) => layer.clone(),
            None => {
                let found = files.get(name)?;
                let failed = |error| Error::io("read layer", files.shown(name), error);
                match found.suffix().map_err(failed)? {
                    Some(suffix) => as_it_is(found, suffix).map_err(failed)?,
                    None => compressed(engine, found, name, *diff_id)?,
                }
            }
        };
        known.insert(*diff_id, layer.clone());
        layers.push(layer);
    }
    Ok(layers)
}

/// A layer that is compressed as layers may be.
fn as_it_is(mut found: Found, suffix: &str) -> io::Result<Descriptor> {
    let mut hasher = Hasher::default();
    let length = io::copy(&mut found, &mut hasher)?;
    let kind = format!("{}{suffix}", MediaType::OCI_LAYER);
    Ok(Descriptor::new(kind, hasher.finish(), length))
}

/// A layer that ketch compresses, in a process of its own.
fn compressed(
    engine: &Engine<'_>,
    found: Found,
    name: &str,
    diff_id: Digest,
) -> Result<Descriptor> {
    let coding = Coding::default();
    let worker = worker::spawn(engine, Where::here(), move |_| {
        let incoming = engine.store.incoming()?;
        let out = BufWriter::with_capacity(BUFFER, incoming.file()?);
        let layer = archive::recode(found, out, coding, None)?;
        if layer.diff_id != diff_id {
            let why = format!(
                "its content has diff-id {}, the image says {diff_id}",
                layer.diff_id
            );
            let error = Error::new(Kind::Corrupt, "verify layer", name);
            return Err(error.because(why).into());
        }
        incoming.publish(&engine.store, &layer.digest, layer.size)?;
        Ok(layer)
    })?;
    let layer = worker.finish(engine)?;
    let kind = format!("{}{}", MediaType::OCI_LAYER, coding.suffix());
    Ok(Descriptor::new(kind, layer.digest, layer.size))
}

/// A layer's compressed form, where it is in the archive.
///
/// # Errors
/// `NotFound` for one that is not; what reading gave.
pub(super) fn open(
    files: &Files,
    manifest: &Manifest,
    names: &[String],
    blob: &Descriptor,
    offset: u64,
) -> Result<Box<dyn Read + Send>> {
    let at = manifest
        .layers
        .iter()
        .position(|layer| layer.digest == blob.digest);
    let name = at.and_then(|at| names.get(at)).map_or("", String::as_str);
    let read = files.get(name)?.from(offset);
    Ok(read.map_err(|error| Error::io("read layer", files.shown(name), error))?)
}
