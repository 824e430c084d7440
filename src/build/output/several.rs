//! An image for several platforms: an index over one image for each. A name stands for the image
//! of this machine's platform, and for the others by the index.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::form::{Exporter, Form};
use super::{files, image};
use crate::build::request::{Output, OutputKind, Request};
use crate::build::{Built, Target};
use crate::common::{Error, Kind};
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::oci::{Descriptor, Document, Index, MAX_DOCUMENT, MediaType, Platform};
use crate::store::ImageRecord;

/// Refuses what cannot hold several platforms, before anything is built.
///
/// # Errors
/// `Unsupported`.
pub(super) fn check(request: &Request) -> Result<()> {
    let bad = |output: &&Output| {
        let to_file = output.destination.is_some();
        output.kind == OutputKind::Tar || output.kind == OutputKind::Docker && to_file
    };
    let Some(output) = request.outputs.iter().find(bad) else {
        return Ok(());
    };
    let kind = format!("type={:?}", output.kind).to_lowercase();
    Err(Error::new(Kind::Unsupported, "write output", kind)
        .because("it holds one platform, and several are built")
        .hint("type=oci and type=local hold several")
        .into())
}

/// Writes what was asked of the targets, together.
///
/// # Errors
/// What writing gave; no name is set when it was the image in the store.
pub(in crate::build) fn publish(
    engine: &Engine<'_>,
    request: &Request,
    file: &Dockerfile,
    targets: &mut [Target],
) -> Result<Built> {
    let mut exporters = Vec::new();
    for target in targets.iter() {
        let mut exporter = Exporter::new(engine, request, file, &target.solved)?;
        if let Some(twin) = &target.twin {
            image::verified(engine, request, file, &mut exporter, twin)?;
        }
        exporters.push(exporter);
    }
    let mut built = Built {
        names: image::names(&request.tags)?,
        verified: request.verify,
        ..Built::default()
    };
    let mut size = 0;
    if request.keep {
        let record;
        (record, size) = joined(
            engine,
            targets,
            &mut exporters,
            &image::stored(request),
            true,
        )?;
        engine.store.sync()?;
        for record in super::named(&record, &built.names) {
            engine.store.images().put(&record)?;
        }
        for (target, exporter) in targets.iter_mut().zip(&mut exporters) {
            exporter.synced()?;
            target.solved.synced(engine)?;
        }
        built.is_kept = true;
        built.image = record.index.map(|index| (index, index));
    }
    for output in &request.outputs {
        if output.is_files() {
            files(engine, request, output, targets)?;
            continue;
        }
        let form = Form::of(request, Some(output));
        let (record, length) = joined(engine, targets, &mut exporters, &form, false)?;
        if built.image.is_none() {
            built.image = record.index.map(|index| (index, index));
            size = length;
        }
        super::image_output(engine, request, output, &record)?;
    }
    super::notes(request, &built, described(&built, size))?;
    Ok(built)
}

/// The images in a form under one index, as the record of this machine's; and the index's length
/// in bytes.
fn joined(
    engine: &Engine<'_>,
    targets: &[Target],
    exporters: &mut [Exporter<'_>],
    form: &Form,
    unpacked: bool,
) -> Result<(ImageRecord, usize)> {
    let (mut records, mut manifests) = (Vec::new(), Vec::new());
    for (target, exporter) in targets.iter().zip(exporters) {
        let record = ImageRecord {
            platform: target.platform.to_string(),
            ..exporter.record(form, unpacked)?
        };
        manifests.extend(entries(engine, exporter, form, &record)?);
        records.push(record);
    }
    let index = Index {
        annotations: form.index_notes(),
        ..Index::of(manifests)
    };
    let bytes = serde_json::to_vec(&index)?;
    let digest = engine.store.blobs().put_bytes(&bytes)?;
    let host = Platform::host();
    let own = targets
        .iter()
        .position(|target| target.platform.satisfies(&host));
    let record = ImageRecord {
        index: Some(digest),
        ..records.swap_remove(own.unwrap_or(0))
    };
    Ok((record, bytes.len()))
}

/// The lines of one image: its own, and its attestation's where it has one.
fn entries(
    engine: &Engine<'_>,
    exporter: &Exporter<'_>,
    form: &Form,
    record: &ImageRecord,
) -> Result<Vec<Descriptor>> {
    let Some(index) = &record.index else {
        return Ok(vec![exporter.entry(form, record)]);
    };
    let bytes = engine.store.blobs().read(index, MAX_DOCUMENT)?;
    match Document::parse(&bytes, "")? {
        Document::Index(index) => Ok(index.manifests),
        Document::Manifest(_) => Ok(Vec::new()),
    }
}

/// The files of each platform in a directory of its own.
fn files(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    targets: &[Target],
) -> Result<()> {
    let path = output.destination.as_deref();
    let path = path.filter(|path| *path != Path::new("-"));
    let path = path.ok_or_else(|| super::no_place(output))?;
    for target in targets {
        // docker: linux/arm/v7 is in linux_arm_v7.
        let below = path.join(target.platform.to_string().replace('/', "_"));
        files::directory(engine, &target.solved, request.epoch, &below)?;
    }
    Ok(())
}

/// What docker notes of an index: there is no one configuration.
fn described(built: &Built, size: usize) -> Map<String, Value> {
    let mut document = Map::new();
    if let Some((_, digest)) = built.image {
        let descriptor = json!({
            "mediaType": MediaType::OCI_INDEX,
            "digest": digest,
            "size": size,
        });
        document.insert("containerimage.descriptor".to_owned(), descriptor);
        document.insert("containerimage.digest".to_owned(), json!(digest));
    }
    document
}
