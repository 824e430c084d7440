//! `--cache-to`: what the steps of a build came to, where others find it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::document::{DIFF_ID, Document, Layer, MEDIA_TYPE, Record, layer_type};
use super::import::Imported;
use crate::build::layers::Layer as BuildLayer;
use crate::build::progress::{Event, Progress, Vertex};
use crate::build::request::{CachePlace, CacheTo, Request};
use crate::build::solve::Solved;
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::image::layout::{self, Folder, Sink as _};
use crate::engine::image::push;
use crate::oci::{Descriptor, Manifest, MediaType};
use crate::store::{CacheRecord, CachedLayer};

/// The tag of a cache in a directory that is given none.
const LATEST: &str = "latest";

/// What builds know of their steps at their end.
#[derive(Debug, Default)]
pub(in crate::build) struct Known {
    records: BTreeMap<Digest, CacheRecord>,
    contents: BTreeMap<Digest, Digest>,
    /// Diff-ids of the results' layers.
    result: BTreeSet<Digest>,
}

impl Known {
    /// Adds a build for one platform.
    pub(in crate::build) fn add(&mut self, solved: &Solved) {
        let pieces = solved.layers.steps();
        let layer = |piece| match solved.layers.get(piece) {
            BuildLayer::Step(made) => Some(made.record.clone()),
            BuildLayer::Image { .. } => None,
        };
        let steps = pieces.into_iter().filter_map(layer);
        let all = steps.chain(solved.nothings.iter().cloned());
        self.records.extend(all.map(|record| (record.key, record)));
        self.contents.extend(&solved.contents);
        let pieces = solved.state.pieces.iter();
        let described = pieces.filter_map(|piece| solved.layers.described(*piece).ok());
        self.result.extend(described.map(|(diff_id, _)| diff_id));
    }

    fn document(&self) -> Document {
        let record = |record: &CacheRecord| Record {
            key: record.key,
            created: record.created,
            layer: record.layer.map(|layer| Layer {
                diff_id: layer.diff_id,
                size: layer.size,
            }),
            nothing: record.nothing,
        };
        let records = self.records.values().map(record);
        Document::new(records.collect(), self.contents.clone())
    }

    /// The layers that go with the document, each once.
    fn layers(&self, max: bool) -> Vec<(Digest, CachedLayer)> {
        let mut known = BTreeSet::new();
        let all = self.records.values();
        all.filter_map(|record| Some((record.key, record.layer?)))
            .filter(|(_, layer)| max || self.result.contains(&layer.diff_id))
            .filter(|(_, layer)| known.insert(layer.diff_id))
            .collect()
    }
}

/// What goes into an image's configuration.
///
/// # Errors
/// A `Bug` alone.
pub(in crate::build) fn inline(known: &Known) -> Result<serde_json::Value> {
    serde_json::to_value(known.document()).context("write the inline cache")
}

/// Writes every cache that was asked for beside the image.
///
/// # Errors
/// What writing gave, unless it is to be ignored.
pub(in crate::build) fn export(
    engine: &Engine<'_>,
    request: &Request,
    imported: &Imported<'_>,
    known: &Known,
    progress: &dyn Progress,
    mut vertex: Vertex,
) -> Result<()> {
    for to in &request.cache_to {
        let name = match &to.place {
            CachePlace::Inline => continue,
            CachePlace::Local(_) => "exporting cache to client directory",
            _ => "exporting cache to registry",
        };
        progress.event(&Event::Named { vertex, name });
        progress.event(&Event::Started { vertex });
        match one(engine, request, imported, known, to) {
            Ok(digest) => {
                let text = &format!("writing cache manifest {digest}");
                progress.event(&Event::Part { vertex, text });
                progress.event(&Event::Done { vertex });
            }
            Err(error) => {
                let why = &format!("{error:#}");
                progress.event(&Event::Failed { vertex, why });
                let error = error.context(format!("export cache to {}", to.place));
                if !to.ignore_error {
                    return Err(error);
                }
                engine.ui.warn(&format!("{error:#}"));
            }
        }
        vertex += 1;
    }
    Ok(())
}

fn one(
    engine: &Engine<'_>,
    request: &Request,
    imported: &Imported<'_>,
    known: &Known,
    to: &CacheTo,
) -> Result<Digest> {
    let config = serde_json::to_vec(&known.document())?;
    let layers = known.layers(to.max);
    let digest = engine.store.blobs().put_bytes(&config)?;
    let manifest = Manifest::of(
        Descriptor::new(MEDIA_TYPE, digest, config.len() as u64),
        layers.iter().map(|(_, layer)| described(layer)).collect(),
    );
    let blobs = engine.store.blobs();
    let missing: Vec<(Digest, Option<CachedLayer>)> = layers
        .into_iter()
        .filter(|(_, layer)| !blobs.has(&layer.blob))
        .map(|(key, layer)| (key, Some(layer)))
        .collect();
    match &to.place {
        CachePlace::Registry(name) => {
            let push = || push::artifact(engine, name, &request.registry, &manifest);
            match push() {
                // It had been enough that the registry has what is not here.
                Err(error) if !missing.is_empty() && is_missing(&error) => {
                    imported.fetch(&missing)?;
                    push()
                }
                other => other,
            }
        }
        CachePlace::Local(entry) => {
            if !missing.is_empty() {
                imported.fetch(&missing)?;
            }
            let tag = entry.tag.as_deref().unwrap_or(LATEST);
            Ok(directory(engine, &entry.path, tag, &manifest)?)
        }
        CachePlace::Inline => Err(Error::new(Kind::Bug, "export cache", "inline").into()),
        CachePlace::Other(kind) => Err(Error::new(Kind::Unsupported, "export cache", kind)
            .because("registry, local and inline are known")
            .into()),
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    let known = error.downcast_ref::<Error>();
    known.is_some_and(|error| error.kind() == Kind::NotFound)
}

fn described(layer: &CachedLayer) -> Descriptor {
    let mut blob = Descriptor::new(layer_type(), layer.blob, layer.blob_size);
    let diff_id = layer.diff_id.to_string();
    blob.annotations = Some(BTreeMap::from([(DIFF_ID.to_owned(), diff_id)]));
    blob
}

/// Writes a manifest and all it names to a layout, its name last.
fn directory(
    engine: &Engine<'_>,
    path: &Path,
    tag: &str,
    manifest: &Manifest,
) -> Result<Digest, Error> {
    let mut folder = Folder::at(path);
    for blob in manifest.layers.iter().chain([&manifest.config]) {
        let mut data = engine.store.blobs().open(&blob.digest)?;
        folder.put(&layout::blob(&blob.digest), blob.size, &mut data)?;
    }
    let bug = |error: serde_json::Error| Error::new(Kind::Bug, "write", "manifest").because(error);
    let bytes = serde_json::to_vec(manifest).map_err(bug)?;
    let digest = Digest::of(&bytes);
    layout::text(&mut folder, &layout::blob(&digest), &bytes)?;
    let entry = Descriptor::new(MediaType::OCI_MANIFEST, digest, bytes.len() as u64);
    layout::set(path, tag, entry)?;
    Ok(digest)
}
