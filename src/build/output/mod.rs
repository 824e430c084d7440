//! What a build comes to: an image of the store first, then whatever else was asked.

mod destination;
mod files;
mod form;
pub(super) mod image;
mod provenance;
mod several;
mod verify;

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use form::{Exporter, Form};

use super::Built;
use super::annotation::{self, Annotated, Annotation};
use super::request::{Output, OutputKind, Request};
use super::solve::Solved;
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::image::assemble;
use crate::engine::image::layout::{Archive, Folder};
use crate::engine::image::push::{self, PushRequest};
use crate::engine::image::save::{self, Selection};
use crate::store::ImageRecord;

pub(super) use several::publish as publish_several;

/// Refuses what cannot be made for so many platforms, before anything is built.
///
/// # Errors
/// `Unsupported` for an output of one platform, `Usage` for notes of an index that is not made.
pub(super) fn check(engine: &Engine<'_>, request: &Request, platforms: usize) -> Result<()> {
    if let Some(note) = without_place(request) {
        engine.ui.warn(&format!(
            "--annotation index-descriptor:{} is left out: only an image layout, an output of \
             type oci or docker with a dest, has a line for the index",
            note.key
        ));
    }
    match platforms {
        0 | 1 => image::forms(request).iter().try_for_each(Form::check_alone),
        _ => several::check(request),
    }
}

/// A note of the line of an index that no output has.
fn without_place(request: &Request) -> Option<&Annotation> {
    let has_line = |output: &&Output| output.destination.is_some() && !output.is_files();
    let lines = request.outputs.iter().any(|output| has_line(&output));
    let general = request.annotations.iter().filter(|_| !lines);
    let stray = request.outputs.iter().filter(|output| !has_line(output));
    general
        .chain(stray.flat_map(|output| &output.annotations))
        .find(|note| note.on == Annotated::IndexDescriptor)
}

/// Makes everything that was asked beside the image in the store.
///
/// # Errors
/// `Usage` for an output without a destination that needs one; what writing gave.
fn all(
    engine: &Engine<'_>,
    request: &Request,
    solved: &Solved,
    mut exporter: Option<Exporter<'_>>,
    built: &mut Built,
) -> Result<()> {
    for output in &request.outputs {
        match &mut exporter {
            Some(exporter) if !output.is_files() => {
                let form = Form::of(request, Some(output));
                let record = exporter.record(&form, false)?;
                built.image.get_or_insert(digests(&record));
                image_output(engine, request, output, &record)?;
            }
            _ => files_output(engine, request, output, solved)?,
        }
    }
    notes(request, built, described(built))
}

/// Writes what was asked about the result: its id, and BuildKit's document (`--metadata-file`)
/// with the names that it has.
fn notes(request: &Request, built: &Built, mut document: Map<String, Value>) -> Result<()> {
    if let (Some(path), Some((id, _))) = (&request.iidfile, built.image) {
        destination::note(path, id.to_string().as_bytes())?;
    }
    if let Some(path) = &request.metadata_file {
        if !built.names.is_empty() {
            document.insert("image.name".to_owned(), json!(built.names.join(",")));
        }
        let text = format!("{:#}\n", Value::Object(document));
        destination::note(path, text.as_bytes())?;
    }
    Ok(())
}

/// An image under each of its names; once without any.
fn named(record: &ImageRecord, names: &[String]) -> Vec<ImageRecord> {
    let name = |name: Option<&String>| ImageRecord {
        name: name.cloned(),
        ..record.clone()
    };
    match names.is_empty() {
        true => vec![name(None)],
        false => names.iter().map(|one| name(Some(one))).collect(),
    }
}

/// Id of an image, and what a registry knows it by.
fn digests(record: &ImageRecord) -> (Digest, Digest) {
    (record.config, record.index.unwrap_or(record.manifest))
}

fn files_output(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    solved: &Solved,
) -> Result<()> {
    let latest = request.epoch;
    match (output.kind, &output.destination) {
        (OutputKind::Local, Some(path)) if path != Path::new("-") => {
            files::directory(engine, solved, latest, path)
        }
        (OutputKind::Tar, Some(path)) => {
            files::archive(engine, solved, latest, destination::file(path)?)
        }
        _ => Err(no_place(output)),
    }
}

fn image_output(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    record: &ImageRecord,
) -> Result<()> {
    let wanted = match output.names.is_empty() {
        true => &request.tags,
        false => &output.names,
    };
    let names = wanted.iter().map(|name| assemble::new_name(name));
    let names = names.map(|name| name.map(|name| name.to_string()));
    let records = named(record, &names.collect::<Result<Vec<_>>>()?);
    let notes: Vec<_> = request
        .annotations
        .iter()
        .chain(&output.annotations)
        .cloned()
        .collect();
    let notes = annotation::of(&notes, Annotated::IndexDescriptor, None);
    let selection = Selection {
        records: &records,
        form: match output.kind {
            OutputKind::Docker => save::Form::Docker,
            _ => save::Form::Oci { strict: false },
        },
        plain: false,
        notes: &notes,
    };
    match &output.destination {
        _ if output.push => registry(engine, request, output, &records),
        _ if output.is_image() => Ok(()),
        Some(path) if output.unpacked => save::write(engine, &selection, &mut Folder::at(path)),
        Some(path) => {
            let mut archive = Archive::new(destination::file(path)?);
            save::write(engine, &selection, &mut archive)?;
            Ok(archive.finish()?)
        }
        None => Err(no_place(output)),
    }
}

/// Pushes every name of the image.
fn registry(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    records: &[ImageRecord],
) -> Result<()> {
    for record in records {
        let image = record.name.clone().ok_or_else(|| {
            Error::usage("build", "--push", "tag is needed when pushing to registry")
                .hint("give the image a name with -t")
        })?;
        let wanted = PushRequest {
            image,
            registry: request.registry.clone(),
            by_digest: output.by_digest,
            ..PushRequest::default()
        };
        push::send(engine, record, &wanted)?;
    }
    Ok(())
}

fn no_place(output: &Output) -> anyhow::Error {
    Error::new(
        Kind::Usage,
        "write output",
        format!("{:?}", output.kind).to_lowercase(),
    )
    .because("dest is required")
    .hint("-o type=TYPE,dest=PATH")
    .into()
}

/// What BuildKit notes of one image.
fn described(built: &Built) -> Map<String, Value> {
    let mut document = Map::new();
    if let Some((id, manifest)) = built.image {
        document.insert("containerimage.config.digest".to_owned(), json!(id));
        document.insert("containerimage.digest".to_owned(), json!(manifest));
    }
    document
}
