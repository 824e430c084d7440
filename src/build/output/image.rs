//! The image in the store: documents, then names.

use anyhow::Result;

use crate::build::Built;
use crate::build::request::Request;
use crate::build::solve::Solved;
use crate::common::{Timestamp, parse_rfc3339};
use crate::engine::Engine;
use crate::engine::image::assemble::{self, Assembly};
use crate::oci::{ImageConfig, RootFs};
use crate::store::ImageRecord;

/// Dates an image and its history: as asked, else as its latest layer.
fn date(image: &mut ImageConfig, request: &Request, latest: Option<Timestamp>) {
    let base = image.created.as_deref().and_then(parse_rfc3339);
    let created = match request.epoch {
        Some(seconds) => Timestamp(i128::from(seconds) * 1_000_000_000),
        None => latest.or(base).unwrap_or_else(Timestamp::now),
    };
    // A line without a layer has the time of the layer before it.
    let mut before = None;
    for line in &mut image.history {
        match &line.created {
            Some(time) => before = Some(time.clone()),
            None => line.created = before.clone().or_else(|| Some(created.to_string())),
        }
    }
    image.created = Some(created.to_string());
}

/// Writes the documents of the target and gives it its names.
///
/// # Errors
/// What writing gave; no name is set then.
pub(in crate::build) fn publish(
    engine: &Engine<'_>,
    request: &Request,
    mut solved: Solved,
) -> Result<Built> {
    let record = described(engine, request, &solved)?;
    let names = names(request)?;
    let wanted: Vec<Option<String>> = match names.is_empty() {
        true => vec![None],
        false => names.iter().cloned().map(Some).collect(),
    };
    let all = wanted.into_iter().map(|name| ImageRecord {
        name,
        ..record.clone()
    });
    let all: Vec<ImageRecord> = all.collect();
    let mut fresh = Vec::new();
    for record in &all {
        if !assemble::is_there(engine, record)? {
            fresh.push(record);
        }
    }
    if !fresh.is_empty() {
        engine.store.sync()?;
        for record in fresh {
            engine.store.images().put(record)?;
        }
        solved.synced(engine)?;
    }
    let built = Built {
        id: record.config,
        manifest: record.manifest,
        names,
    };
    super::all(engine, request, &solved, &all, &built)?;
    Ok(built)
}

/// The image's names, canonical.
pub(super) fn names(request: &Request) -> Result<Vec<String>> {
    let names = request.tags.iter().map(|tag| assemble::new_name(tag));
    let names = names.map(|name| name.map(|name| name.to_string()));
    names.collect()
}

/// Writes the documents of a target, which has no name yet.
pub(super) fn described(
    engine: &Engine<'_>,
    request: &Request,
    solved: &Solved,
) -> Result<ImageRecord> {
    let mut image = solved.state.image.clone();
    let (mut diff_ids, mut blobs) = (Vec::new(), Vec::new());
    let mut latest: Option<Timestamp> = None;
    for piece in &solved.state.pieces {
        let (diff_id, blob) = solved.layers.described(*piece)?;
        diff_ids.push(diff_id);
        blobs.push(blob);
        latest = latest.max(solved.layers.created(*piece));
    }
    date(&mut image, request, latest);
    image.rootfs = RootFs {
        kind: "layers".to_owned(),
        diff_ids,
    };
    image.config.labels.extend(request.labels.iter().cloned());
    let assembly = Assembly {
        config: image,
        layers: blobs,
        name: None,
        dialect: request.dialect,
        annotations: request.annotations.iter().cloned().collect(),
    };
    assemble::describe(engine, assembly)
}
