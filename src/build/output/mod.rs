//! What a build comes to: an image of the store first, then whatever else was asked.

mod files;
pub(super) mod image;
mod layout;
pub(super) mod several;

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, json};

use super::Built;
use super::request::{Output, OutputKind, Request};
use super::solve::Solved;
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::image::push::{self, PushRequest};
use crate::store::ImageRecord;

/// Makes everything that was asked beside the image in the store.
///
/// # Errors
/// `Usage` for an output without a destination that needs one; what writing gave.
pub(super) fn all(
    engine: &Engine<'_>,
    request: &Request,
    solved: &Solved,
    records: &[ImageRecord],
    built: &Built,
) -> Result<()> {
    for output in &request.outputs {
        one(engine, request, output, solved, records)?;
    }
    if let Some(path) = &request.iidfile {
        layout::note(path, built.id.to_string().as_bytes())?;
    }
    if let Some(path) = &request.metadata_file {
        layout::note(path, metadata(built).as_bytes())?;
    }
    Ok(())
}

fn one(
    engine: &Engine<'_>,
    request: &Request,
    output: &Output,
    solved: &Solved,
    records: &[ImageRecord],
) -> Result<()> {
    let docker = output.kind == OutputKind::Docker;
    match (output.kind, &output.destination) {
        (OutputKind::Image, _) if output.is("push", "true") => registry(engine, request, records),
        (OutputKind::Image, _) | (OutputKind::Docker, None) => Ok(()),
        (OutputKind::Local, Some(path)) if path == Path::new("-") => Err(no_place(output)),
        (OutputKind::Local, Some(path)) => files::directory(engine, solved, path),
        (OutputKind::Tar, Some(path)) => files::archive(engine, solved, layout::destination(path)?),
        (OutputKind::Oci | OutputKind::Docker, Some(path)) => match output.is("tar", "false") {
            true => layout::directory(engine, records, docker, path),
            false => layout::archive(engine, records, docker, layout::destination(path)?),
        },
        (OutputKind::Local | OutputKind::Tar | OutputKind::Oci, None) => Err(no_place(output)),
    }
}

/// Pushes every name of the image.
fn registry(engine: &Engine<'_>, request: &Request, records: &[ImageRecord]) -> Result<()> {
    let mut names = records.iter().filter_map(|record| record.name.clone());
    let first = names.next().ok_or_else(|| {
        Error::usage("build", "--push", "tag is needed when pushing to registry")
            .hint("give the image a name with -t")
    })?;
    for image in std::iter::once(first).chain(names) {
        push::push(
            engine,
            &PushRequest {
                image,
                registry: request.registry.clone(),
                ..PushRequest::default()
            },
        )?;
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

/// BuildKit's document of a result (`--metadata-file`).
fn metadata(built: &Built) -> String {
    let mut document = Map::new();
    document.insert("containerimage.config.digest".to_owned(), json!(built.id));
    document.insert("containerimage.digest".to_owned(), json!(built.manifest));
    if !built.names.is_empty() {
        document.insert("image.name".to_owned(), json!(built.names.join(",")));
    }
    format!("{:#}\n", serde_json::Value::Object(document))
}
