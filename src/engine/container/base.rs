//! What a container's image left behind, whether or not the image still has a name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use super::lower::Lower;
use crate::common::{Mode, Timestamp};
use crate::engine::Engine;
use crate::oci::ImageConfig;
use crate::store::{ContainerEntry, ContainerRecord, ImageDocuments, ImageRecord};

/// Manifest and configuration of the container's image; `None` for one of a plain directory.
/// They are kept as long as the container is there.
pub(super) fn documents(
    engine: &Engine<'_>,
    record: &ContainerRecord,
) -> Result<Option<ImageDocuments>> {
    let (Some(manifest), Some(config)) = (record.manifest, record.config) else {
        return Ok(None);
    };
    let image = ImageRecord {
        name: None,
        manifest,
        media_type: String::new(),
        manifest_size: 0,
        config,
        platform: String::new(),
        layers: Vec::new(),
        blobs: Vec::new(),
        size: 0,
        created: None,
        pulled: Timestamp::now(),
        index: None,
        repo_digests: Vec::new(),
        labels: BTreeMap::new(),
        stack: Default::default(),
    };
    Ok(Some(engine.store.documents(&image)?))
}

/// The configuration alone; that of nothing for a container of a plain directory.
pub(super) fn image_config(engine: &Engine<'_>, record: &ContainerRecord) -> Result<ImageConfig> {
    let documents = documents(engine, record)?;
    Ok(documents
        .map(|documents| documents.config)
        .unwrap_or_default())
}

/// Intended owners of what cannot carry them itself, by path in the container's whole tree.
/// `None` where files have their owners on disk; with a range of ids that is all but devices,
/// which carry it.
pub(super) fn intended(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
) -> Result<Option<BTreeMap<PathBuf, String>>> {
    let mut found = BTreeMap::new();
    match engine.mode {
        Mode::Root => return Ok(None),
        Mode::Subid => return Ok(Some(found)),
        Mode::Single => {}
    }
    let layers = &entry.record.layers;
    for (at, layer) in layers.iter().enumerate() {
        let above = layers[at + 1..].iter().rev();
        let mut above = Lower::new(engine, above.map(|layer| engine.store.layers().path(layer)));
        above.push_top(entry.dir.upper());
        for (path, text) in engine.store.layers().owners(layer)? {
            // What a higher layer has at the path is another object.
            if !above.says(&path) {
                found.insert(path, text);
            }
        }
    }
    Ok(Some(found))
}
