//! One image as it is written: its documents and layers in the form that is wanted.

use std::io;

use anyhow::Result;

use super::{Form, Selection};
use crate::archive::decompress;
use crate::common::{Digest, Error, Hasher, Kind};
use crate::engine::Engine;
use crate::engine::image::assemble::{Dialect, spelled};
use crate::engine::image::layout::{self, Sink};
use crate::engine::image::recode::not_kept;
use crate::oci::{Descriptor, Document, MAX_DOCUMENT, Manifest, MediaType};
use crate::store::ImageRecord;

/// An image as it is written.
pub(super) struct Image<'a> {
    pub(super) record: &'a ImageRecord,
    /// Its names in the archive.
    pub(super) names: Vec<&'a str>,
    /// Its configuration and layers, then documents, each once.
    pub(super) parts: Vec<Part>,
    /// Digests of its layers as they are written.
    pub(super) layers: Vec<Digest>,
    /// Its manifest as it is written.
    pub(super) manifest: Vec<u8>,
    /// What a layout lists of it: its manifest, or its index with all that lists.
    pub(super) entry: Descriptor,
}

/// A blob on its way out.
pub(super) struct Part {
    pub(super) digest: Digest,
    source: Source,
}

enum Source {
    /// A blob of the store.
    Stored,
    /// A layer, and the blob that it is in compressed.
    Layer { blob: Digest, length: u64 },
    /// A document that is not in the store.
    Text(Vec<u8>),
}

impl<'a> Image<'a> {
    /// Looks an image up, and what of it is written in which form.
    pub(super) fn of(
        engine: &Engine<'_>,
        selection: &Selection<'_>,
        record: &'a ImageRecord,
    ) -> Result<Image<'a>> {
        let documents = engine.store.documents(record)?;
        let manifest = documents.manifest;
        let is_docker = record.media_type == MediaType::DOCKER_MANIFEST;
        let dialect = match selection.form {
            Form::Dir => Some(Dialect::Docker),
            Form::Oci { strict: true } if is_docker => Some(Dialect::Oci),
            _ if selection.plain && is_docker => Some(Dialect::Docker),
            _ if selection.plain => Some(Dialect::Oci),
            _ => None,
        };
        let stored = |digest: Digest| Part {
            digest,
            source: Source::Stored,
        };
        let mut image = Image {
            record,
            names: Vec::new(),
            parts: vec![stored(manifest.config.digest)],
            layers: Vec::new(),
            manifest: engine.store.blobs().read(&record.manifest, MAX_DOCUMENT)?,
            entry: record.descriptor(),
        };
        let mut layers = Vec::new();
        let diff_ids = &documents.config.rootfs.diff_ids;
        for (layer, diff_id) in manifest.layers.iter().zip(diff_ids) {
            let (layer, part) = match selection.plain && layer.digest != *diff_id {
                true => plain(engine, layer, *diff_id)?,
                false => (layer.clone(), stored(layer.digest)),
            };
            layers.push(layer);
            image.layers.push(part.digest);
            image.add(part);
        }
        if let Some(dialect) = dialect {
            image.document(manifest, layers, dialect)?;
        } else {
            image.add(stored(record.manifest));
            if let Some((index, others)) = whole(engine, record)? {
                others.into_iter().for_each(|one| image.add(stored(one)));
                image.entry = index;
            }
        }
        Ok(image)
    }

    fn add(&mut self, part: Part) {
        if !self.parts.iter().any(|known| known.digest == part.digest) {
            self.parts.push(part);
        }
    }

    /// Makes a manifest of these layers in a dialect.
    fn document(
        &mut self,
        manifest: Manifest,
        layers: Vec<Descriptor>,
        dialect: Dialect,
    ) -> Result<()> {
        let (kind, config) = match dialect {
            Dialect::Oci => (MediaType::OCI_MANIFEST, MediaType::OCI_CONFIG),
            Dialect::Docker => (MediaType::DOCKER_MANIFEST, MediaType::DOCKER_CONFIG),
        };
        let layers = layers.into_iter().map(|layer| Descriptor {
            media_type: spelled(&layer.media_type, dialect),
            ..layer
        });
        let anew = Manifest {
            media_type: Some(kind.to_owned()),
            annotations: manifest.annotations.filter(|_| dialect == Dialect::Oci),
            ..Manifest::of(
                Descriptor {
                    media_type: config.to_owned(),
                    ..manifest.config
                },
                layers.collect(),
            )
        };
        self.manifest = serde_json::to_vec(&anew)?;
        let digest = Digest::of(&self.manifest);
        self.entry = Descriptor {
            platform: self.entry.platform.take(),
            ..Descriptor::new(kind, digest, self.manifest.len() as u64)
        };
        let source = Source::Text(self.manifest.clone());
        self.add(Part { digest, source });
        Ok(())
    }
}

/// A layer as a plain archive.
fn plain(engine: &Engine<'_>, layer: &Descriptor, diff_id: Digest) -> Result<(Descriptor, Part)> {
    let failed = |error| Error::io("decompress layer", layer.digest.to_string(), error);
    let blob = engine.store.blobs().open(&layer.digest);
    let mut tar = decompress(blob.map_err(not_kept)?).map_err(failed)?;
    let mut hasher = Hasher::default();
    let length = io::copy(&mut tar, &mut hasher).map_err(failed)?;
    if hasher.finish() != diff_id {
        let why = format!("its content does not have diff-id {diff_id}");
        let error = Error::new(Kind::Corrupt, "verify layer", layer.digest.to_string());
        return Err(error.because(why).into());
    }
    let blob = layer.digest;
    let source = Source::Layer { blob, length };
    let part = Part {
        digest: diff_id,
        source,
    };
    Ok((Descriptor::new(MediaType::OCI_LAYER, diff_id, length), part))
}

/// The line of an image's index and all that it lists; `None` for an image alone, and where not
/// all of the others are here: then it goes alone, as in a push.
fn whole(engine: &Engine<'_>, record: &ImageRecord) -> Result<Option<(Descriptor, Vec<Digest>)>> {
    let blobs = engine.store.blobs();
    let Some(digest) = record.index else {
        return Ok(None);
    };
    let Ok(bytes) = blobs.read(&digest, MAX_DOCUMENT) else {
        return Ok(None);
    };
    let Document::Index(index) = Document::parse(&bytes, "")? else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for entry in &index.manifests {
        let Ok(text) = blobs.read(&entry.digest, MAX_DOCUMENT) else {
            return Ok(None);
        };
        let Ok(Document::Manifest(manifest)) = Document::parse(&text, &entry.media_type) else {
            return Ok(None);
        };
        all.extend(manifest.layers.iter().map(|layer| layer.digest));
        all.extend([manifest.config.digest, entry.digest]);
    }
    if !all.iter().all(|digest| blobs.has(digest)) {
        return Ok(None);
    }
    all.push(digest);
    let kind = index.media_type.as_deref().unwrap_or(MediaType::OCI_INDEX);
    Ok(Some((
        Descriptor::new(kind, digest, bytes.len() as u64),
        all,
    )))
}

impl Part {
    /// Fails when the store does not have it.
    pub(super) fn check(&self, engine: &Engine<'_>) -> Result<()> {
        if matches!(self.source, Source::Stored) {
            engine.store.blobs().open(&self.digest).map_err(not_kept)?;
        }
        Ok(())
    }

    /// Writes it under a name.
    pub(super) fn write(&self, engine: &Engine<'_>, name: &str, sink: &mut dyn Sink) -> Result<()> {
        let failed = |error| Error::io("read", self.digest.to_string(), error);
        match &self.source {
            Source::Text(bytes) => layout::text(sink, name, bytes)?,
            Source::Stored => {
                let mut blob = engine.store.blobs().open(&self.digest)?;
                let length = blob.metadata().map_err(failed)?.len();
                sink.put(name, length, &mut blob)?;
            }
            Source::Layer { blob, length } => {
                let blob = engine.store.blobs().open(blob)?;
                let mut tar = decompress(blob).map_err(failed)?;
                sink.put(name, *length, &mut tar)?;
            }
        }
        Ok(())
    }
}
