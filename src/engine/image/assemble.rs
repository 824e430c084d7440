//! New images from layers that ketch made itself: unpacked, described, named.

use std::collections::BTreeMap;

use std::fs::File;
use std::os::fd::AsFd;

use anyhow::Result;

use super::pull::platform;
use super::stack;
use crate::archive::{NewLayer, UnpackOptions, unpack_layer};
use crate::common::{Digest, Error, Kind, Silent, Timestamp, parse_rfc3339};
use crate::engine::{Engine, identity};
use crate::oci::{Descriptor, ImageConfig, MAX_CONFIG, Manifest, MediaType};
use crate::reference::Reference;
use crate::store::{ImageRecord, LayerInfo, Stage};

/// Spelling of an image's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OCI image specification.
    Oci,
    /// Docker image manifest, version 2, schema 2.
    Docker,
}

/// An image to be.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// Its configuration, layers included.
    pub(crate) config: ImageConfig,
    /// Compressed layers, base first, as many as the configuration names.
    pub(crate) layers: Vec<Descriptor>,
    /// Its name; without one it is known by its id.
    pub(crate) name: Option<Reference>,
    /// How its documents are spelled.
    pub(crate) dialect: Dialect,
    /// Annotations of its manifest.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A name for a new image.
///
/// # Errors
/// `Usage` for what is no name, or has a digest.
pub(crate) fn new_name(text: &str) -> Result<Reference> {
    let name = Reference::parse(text)?;
    if name.digest().is_some() {
        return Err(Error::usage(
            "name image",
            text,
            "refusing to create a tag with a digest reference",
        )
        .into());
    }
    Ok(name)
}

/// Unpacks a layer whose blob is in the store, unless it is.
///
/// # Errors
/// `Corrupt` when the blob is not the layer it should be.
pub(crate) fn unpack(engine: &Engine<'_>, layer: &NewLayer) -> Result<()> {
    identity::as_owner(engine, || {
        let Stage::Make(stage) = engine.store.layers().stage(&layer.diff_id)? else {
            return Ok(());
        };
        let dir = File::open(stage.dir()).map_err(|e| Error::io("open", stage.dir(), e))?;
        let blob = engine.store.blobs().open(&layer.digest)?;
        let options = UnpackOptions::new(engine.mode);
        let unpacked = unpack_layer(blob, dir.as_fd(), &options, &Silent)?;
        if unpacked.diff_id != layer.diff_id {
            return Err(
                Error::new(Kind::Corrupt, "verify layer", layer.digest.to_string())
                    .because(format!("its content has diff-id {}", unpacked.diff_id))
                    .into(),
            );
        }
        let named = unpacked.unnamed.into_iter();
        let info = LayerInfo {
            size: unpacked.bytes,
            files: unpacked.files,
            unnamed: named
                .filter_map(|path| path.into_os_string().into_string().ok())
                .collect(),
            opaque: unpacked.opaque_top,
            ..LayerInfo::default()
        };
        let overrides = unpacked.overrides.into_iter();
        let owners: Vec<_> = overrides.map(|item| (item.path, item.stat)).collect();
        Ok(stage.commit(info, &owners)?)
    })
}

/// Writes the documents of an image whose layers are all here, and its name last.
pub(crate) fn publish(engine: &Engine<'_>, image: Assembly) -> Result<ImageRecord> {
    let record = describe(engine, image)?;
    engine.store.sync()?;
    engine.store.images().put(&record)?;
    Ok(record)
}

/// Whether the store has this very record, name included.
pub(crate) fn is_there(engine: &Engine<'_>, record: &ImageRecord) -> Result<bool> {
    let known = match &record.name {
        Some(name) => engine.store.images().get(name)?,
        None => {
            let found = engine.store.images().by_id(&record.config.hex())?;
            found
                .into_iter()
                .find(|known| known.manifest == record.manifest)
        }
    };
    // What lies beside an image may be another although the image is the same.
    Ok(known.is_some_and(|known| {
        known.manifest == record.manifest && (known.index == record.index || record.index.is_none())
    }))
}

/// Writes the documents of an image whose layers are all here. It has no name yet, and a pin of
/// the caller keeps it.
pub(crate) fn describe(engine: &Engine<'_>, image: Assembly) -> Result<ImageRecord> {
    let store = &engine.store;
    let (manifest_type, config_type) = match image.dialect {
        Dialect::Oci => (MediaType::OCI_MANIFEST, MediaType::OCI_CONFIG),
        Dialect::Docker => (MediaType::DOCKER_MANIFEST, MediaType::DOCKER_CONFIG),
    };
    let config_bytes = serde_json::to_vec(&image.config)?;
    if config_bytes.len() > MAX_CONFIG {
        let why = format!("its configuration is larger than {MAX_CONFIG} bytes");
        return Err(Error::usage("write image", "", why).into());
    }
    let config = store.blobs().put_bytes(&config_bytes)?;
    let layers = image.layers.into_iter().map(|layer| Descriptor {
        media_type: spelled(&layer.media_type, image.dialect),
        ..layer
    });
    let config_entry = Descriptor::new(config_type, config, config_bytes.len() as u64);
    let manifest = Manifest {
        media_type: Some(manifest_type.to_owned()),
        annotations: (!image.annotations.is_empty()).then_some(image.annotations),
        ..Manifest::of(config_entry, layers.collect())
    };
    let bytes = serde_json::to_vec(&manifest)?;
    let digest = store.blobs().put_bytes(&bytes)?;
    let entry = Descriptor::new(manifest_type, digest, bytes.len() as u64);
    Ok(ImageRecord {
        name: image.name.map(|name| name.to_string()),
        ..record(engine, &entry, &manifest, &image.config)?
    })
}

/// The record of an image whose documents and layers are here; it has no name and no index.
pub(super) fn record(
    engine: &Engine<'_>,
    entry: &Descriptor,
    manifest: &Manifest,
    config: &ImageConfig,
) -> Result<ImageRecord> {
    let store = &engine.store;
    let diff_ids = config.rootfs.diff_ids.clone();
    let size = |layer: &Digest| store.layers().info(layer).map_or(0, |info| info.size);
    Ok(ImageRecord {
        name: None,
        manifest: entry.digest,
        media_type: entry.media_type.clone(),
        manifest_size: entry.size,
        config: manifest.config.digest,
        platform: platform(config).to_string(),
        size: diff_ids.iter().map(size).sum(),
        blobs: manifest.layers.iter().map(|layer| layer.digest).collect(),
        created: config.created.as_deref().and_then(parse_rfc3339),
        pulled: Timestamp::now(),
        index: None,
        repo_digests: Vec::new(),
        labels: config.config.labels.clone(),
        stack: identity::as_owner(engine, || Ok(stack::of(store, &diff_ids)))?,
        layers: diff_ids,
    })
}

/// The media type of a layer in a dialect; others than these two know stay as they are.
pub(super) fn spelled(media_type: &str, dialect: Dialect) -> String {
    const DOCKER: &str = "application/vnd.docker.image.rootfs.diff.tar";
    let rest = [MediaType::OCI_LAYER, DOCKER]
        .iter()
        .find_map(|known| media_type.strip_prefix(known));
    match (rest, dialect) {
        (Some(""), Dialect::Oci) => MediaType::OCI_LAYER.to_owned(),
        (Some(""), Dialect::Docker) => DOCKER.to_owned(),
        (Some(".gzip" | "+gzip"), Dialect::Oci) => format!("{}+gzip", MediaType::OCI_LAYER),
        (Some(".gzip" | "+gzip"), Dialect::Docker) => format!("{DOCKER}.gzip"),
        (Some(".zstd"), Dialect::Oci) => format!("{}+zstd", MediaType::OCI_LAYER),
        _ => media_type.to_owned(),
    }
}
