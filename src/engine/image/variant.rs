//! The images of other platforms that an index in the store lists: a name has one record, and what
//! else its index has is found by the index.

use super::stack;
use crate::common::{Timestamp, parse_rfc3339};
use crate::engine::{Engine, identity};
use crate::oci::{Document, ImageConfig, MAX_CONFIG, MAX_DOCUMENT, Platform};
use crate::store::ImageRecord;

/// The image for `wanted` of the index that `record` was chosen from, when its documents are
/// here; its layers may be not.
pub(crate) fn of(
    engine: &Engine<'_>,
    record: &ImageRecord,
    wanted: &Platform,
) -> Option<ImageRecord> {
    let blobs = engine.store.blobs();
    let bytes = blobs.read(record.index.as_ref()?, MAX_DOCUMENT).ok()?;
    let Document::Index(index) = Document::parse(&bytes, "").ok()? else {
        return None;
    };
    index.candidates(wanted).into_iter().find_map(|entry| {
        let bytes = blobs.read(&entry.digest, MAX_DOCUMENT).ok()?;
        let Document::Manifest(manifest) = Document::parse(&bytes, &entry.media_type).ok()? else {
            return None;
        };
        let config = blobs.read(&manifest.config.digest, MAX_CONFIG).ok()?;
        let config = ImageConfig::parse(&config).ok()?;
        let layers = config.rootfs.diff_ids.clone();
        if layers.len() != manifest.layers.len() {
            return None;
        }
        let platform = entry.platform.as_ref().unwrap_or(wanted);
        let stack = identity::as_owner(engine, || Ok(stack::of(&engine.store, &layers)));
        Some(ImageRecord {
            manifest: entry.digest,
            media_type: entry.media_type.clone(),
            manifest_size: bytes.len() as u64,
            config: manifest.config.digest,
            platform: platform.to_string(),
            blobs: manifest.layers.iter().map(|layer| layer.digest).collect(),
            size: layers
                .iter()
                .map(|layer| {
                    engine
                        .store
                        .layers()
                        .info(layer)
                        .map_or(0, |info| info.size)
                })
                .sum(),
            created: config.created.as_deref().and_then(parse_rfc3339),
            pulled: Timestamp::now(),
            labels: config.config.labels.clone(),
            stack: stack.ok()?,
            layers,
            ..record.clone()
        })
    })
}
