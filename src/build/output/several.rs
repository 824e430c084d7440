//! An image for several platforms: an index over one image for each. A name stands for the image
//! of this machine's platform, and for the others by the index.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::{files, image, layout, registry};
use crate::build::Built;
use crate::build::request::{Output, OutputKind, Request};
use crate::build::solve::Solved;
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::oci::{Descriptor, Index, MediaType, Platform};
use crate::store::ImageRecord;

/// The target of each platform.
pub(in crate::build) type Targets = Vec<(Platform, Solved)>;

/// Refuses what cannot hold several platforms, before anything is built.
///
/// # Errors
/// `Unsupported`.
pub(in crate::build) fn check(request: &Request) -> Result<()> {
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

/// Writes the documents of every target and the index over them, and gives it its names; then
/// whatever else was asked.
///
/// # Errors
/// What writing gave; no name is set then.
pub(in crate::build) fn publish(
    engine: &Engine<'_>,
    request: &Request,
    targets: &mut Targets,
) -> Result<Built> {
    let mut records = Vec::new();
    for (platform, solved) in targets.iter() {
        records.push(ImageRecord {
            platform: platform.to_string(),
            ..image::described(engine, request, solved)?
        });
    }
    let bytes = serde_json::to_vec(&index(&records))?;
    let digest = engine.store.blobs().put_bytes(&bytes)?;
    let host = Platform::host();
    let own = targets
        .iter()
        .position(|(platform, _)| platform.satisfies(&host));
    let main = ImageRecord {
        index: Some(digest),
        ..records.swap_remove(own.unwrap_or(0))
    };
    let names = image::names(request)?;
    let named = match names.is_empty() {
        true => vec![main.clone()],
        false => names
            .iter()
            .map(|name| ImageRecord {
                name: Some(name.clone()),
                ..main.clone()
            })
            .collect(),
    };
    engine.store.sync()?;
    for record in &named {
        engine.store.images().put(record)?;
    }
    for (_, solved) in targets.iter_mut() {
        solved.synced(engine)?;
    }
    let built = Built {
        id: digest,
        manifest: digest,
        names,
    };
    for output in &request.outputs {
        one(engine, request, output, targets, &named)?;
    }
    notes(request, &built, bytes.len())?;
    Ok(built)
}

fn index(records: &[ImageRecord]) -> Index {
    let entry = |record: &ImageRecord| Descriptor {
        platform: record.platform.parse().ok(),
        ..Descriptor::new(
            record.media_type.clone(),
            record.manifest,
            record.manifest_size,
        )
    };
    Index {
        schema_version: 2,
        media_type: Some(MediaType::OCI_INDEX.to_owned()),
        manifests: records.iter().map(entry).collect(),
        annotations: None,
    }
}

fn one(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    targets: &Targets,
    records: &[ImageRecord],
) -> Result<()> {
    match (output.kind, &output.destination) {
        (OutputKind::Image, _) if output.is("push", "true") => registry(engine, request, records),
        (OutputKind::Local, Some(path)) if path != Path::new("-") => {
            for (platform, solved) in targets {
                // docker: linux/arm/v7 is in linux_arm_v7.
                let below = path.join(platform.to_string().replace('/', "_"));
                files::directory(engine, solved, &below)?;
            }
            Ok(())
        }
        (OutputKind::Oci, Some(path)) => match output.is("tar", "false") {
            true => layout::directory(engine, records, false, path),
            false => layout::archive(engine, records, false, layout::destination(path)?),
        },
        (OutputKind::Image, _) | (OutputKind::Docker, None) => Ok(()),
        _ => Err(super::no_place(output)),
    }
}

/// What docker notes of an index: there is no one configuration.
fn notes(request: &Request, built: &Built, size: usize) -> Result<()> {
    if let Some(path) = &request.iidfile {
        layout::note(path, built.id.to_string().as_bytes())?;
    }
    if let Some(path) = &request.metadata_file {
        let digest: Digest = built.manifest;
        let mut document = json!({
            "containerimage.descriptor": {
                "mediaType": MediaType::OCI_INDEX,
                "digest": digest,
                "size": size,
            },
            "containerimage.digest": digest,
        });
        if !built.names.is_empty() {
            document["image.name"] = json!(built.names.join(","));
        }
        layout::note(path, format!("{document:#}\n").as_bytes())?;
    }
    Ok(())
}
