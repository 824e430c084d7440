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
    let mut exporter = match request.makes_image() {
        true => Some(Exporter::new(engine, request, file, &solved)?),
        false => None,
    };
    if let (Some(first), Some(twin)) = (&mut exporter, twin) {
        verified(engine, request, file, first, twin)?;
    }
    let mut built = Built {
        names: names(&request.tags)?,
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

/// The names, canonical.
pub(super) fn names(tags: &[String]) -> Result<Vec<String>> {
    let names = tags.iter().map(|tag| assemble::new_name(tag));
    names.map(|name| Ok(name?.to_string())).collect()
}

/// Compares the image with a second build's in every form that is wanted.
pub(super) fn verified<'a>(
    engine: &'a Engine<'a>,
    request: &Request,
    file: &Dockerfile,
    first: &mut Exporter<'a>,
    twin: &Solved,
) -> Result<()> {
    let mut second = Exporter::new(engine, request, file, twin)?;
    for form in forms(request) {
        verify::compare(engine, [&mut *first, &mut second], &form)?;
    }
    Ok(())
}

/// The form of the image in the store.
pub(super) fn stored(request: &Request) -> Form {
    let mut outputs = request.outputs.iter();
    let first = outputs.find(|output| output.is_image() && output.store != Some(false));
    Form::of(request, first)
}

/// The forms that are wanted of the image.
pub(super) fn forms(request: &Request) -> Vec<Form> {
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
