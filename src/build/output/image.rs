//! The image: documents, then names, then everything else that was asked.

use anyhow::Result;

use super::form::{Exporter, Form};
use super::verify;
use crate::build::Built;
use crate::build::request::Request;
use crate::build::solve::Solved;
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::engine::image::assemble;
use crate::store::ImageRecord;

/// Writes what was asked of the target; with `twin`, the result of a second build, only when that
/// is the same.
///
/// # Errors
/// What writing gave; no name is set when it was the image in the store.
pub(in crate::build) fn publish(
    engine: &Engine<'_>,
    request: &Request,
    file: &Dockerfile,
    mut solved: Solved,
    twin: Option<&Solved>,
) -> Result<Built> {
    let names = request.tags.iter().map(|tag| assemble::new_name(tag));
    let names = names.collect::<Result<Vec<_>>>()?;
    let mut exporter = match request.makes_image() {
        true => Some(Exporter::new(engine, request, file, &solved)?),
        false => None,
    };
    if let (Some(first), Some(twin)) = (&mut exporter, twin) {
        let mut second = Exporter::new(engine, request, file, twin)?;
        for form in forms(request) {
            verify::compare(engine, [&mut *first, &mut second], &form)?;
        }
    }
    let mut built = Built {
        names: names.iter().map(ToString::to_string).collect(),
        verified: twin.is_some(),
        ..Built::default()
    };
    if let Some(exporter) = exporter.as_mut().filter(|_| request.keep) {
        let record = exporter.record(&stored(request), true)?;
        keep(engine, &record, &built.names, exporter, &mut solved)?;
        built.is_kept = true;
        built.image = Some(super::digests(&record));
    }
    super::all(engine, request, &solved, exporter, &mut built)?;
    Ok(built)
}

/// The form of the image in the store.
fn stored(request: &Request) -> Form {
    let mut outputs = request.outputs.iter();
    let first = outputs.find(|output| output.is_image() && output.store != Some(false));
    Form::of(request, first)
}

/// The forms that are wanted of the image.
fn forms(request: &Request) -> Vec<Form> {
    let outputs = request.outputs.iter().filter(|output| !output.is_files());
    let mut forms: Vec<Form> = outputs.map(|one| Form::of(request, Some(one))).collect();
    if request.keep || forms.is_empty() {
        forms.push(stored(request));
    }
    forms
}

/// Gives the image its names in the store.
fn keep(
    engine: &Engine<'_>,
    record: &ImageRecord,
    names: &[String],
    exporter: &mut Exporter<'_>,
    solved: &mut Solved,
) -> Result<()> {
    let mut fresh = Vec::new();
    for named in super::named(record, names) {
        if !assemble::is_there(engine, &named)? {
            fresh.push(named);
        }
    }
    if !fresh.is_empty() {
        engine.store.sync()?;
        for record in &fresh {
            engine.store.images().put(record)?;
        }
        exporter.synced()?;
        solved.synced(engine)?;
    }
    Ok(())
}
