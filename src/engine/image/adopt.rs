//! An image in a directory in OCI's layout, whose files are brought into the store. It gets no name
//! there: what is built on it keeps it.

use std::io::Read;

use anyhow::Result;

use super::layout::{Entry, Layout};
use super::pull::{fetch_layers, layers, platform as made_for};
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::oci::{
    Descriptor, Document, ImageConfig, MAX_CONFIG, MAX_DOCUMENT, MAX_NESTING, Manifest, MediaType,
    Platform,
};

/// An image whose layers are all here.
#[derive(Debug, Clone)]
pub(crate) struct Adopted {
    /// Digest of what the entry names: an index or a manifest.
    pub(crate) digest: Digest,
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// The configuration.
    pub(crate) config: ImageConfig,
}

/// Brings the image of an entry in, of an index the one for `platform`.
///
/// # Errors
/// `NotFound` when the layout does not have it, or not for the platform; `Corrupt` for bytes with
/// another digest; `Unsupported` for what is no image.
pub(crate) fn adopt(engine: &Engine<'_>, entry: &Entry, platform: &Platform) -> Result<Adopted> {
    let layout = Layout::at(&entry.path);
    let found = match entry.digest {
        // Any document of the layout, listed or not.
        Some(digest) => Descriptor::new("", digest, 0),
        None => layout.find(entry.tag.as_deref(), None)?,
    };
    let manifest = manifest(&layout, entry, &found, platform)?;
    let bytes = layout.read(&manifest.config.digest, MAX_CONFIG)?;
    let config = match MediaType::of(&manifest.config.media_type) {
        MediaType::Config => ImageConfig::parse(&bytes)?,
        _ => {
            let kind = &manifest.config.media_type;
            return Err(
                Error::new(Kind::Unsupported, "use image", entry.to_string())
                    .because(format!("it is an artifact of type {kind:?}"))
                    .into(),
            );
        }
    };
    let made_for = made_for(&config);
    if !config.architecture.is_empty() && !made_for.satisfies(platform) {
        return Err(Error::new(Kind::NotFound, "use image", entry.to_string())
            .because(format!("it is made for {made_for}, not for {platform}"))
            .hint("--platform says what is wanted")
            .into());
    }
    let open = |blob: &Descriptor, offset: u64| -> Result<Box<dyn Read + Send>> {
        Ok(layout.open(blob, offset)?)
    };
    fetch_layers(engine, &layers(&manifest, &config)?, &open)?;
    Ok(Adopted {
        digest: found.digest,
        manifest,
        config,
    })
}

/// Follows indexes to the manifest for a platform.
fn manifest(
    layout: &Layout,
    entry: &Entry,
    found: &Descriptor,
    platform: &Platform,
) -> Result<Manifest> {
    let mut next = found.clone();
    for _ in 0..=MAX_NESTING {
        let bytes = layout.read(&next.digest, MAX_DOCUMENT)?;
        match Document::parse(&bytes, &next.media_type)? {
            Document::Manifest(manifest) => return Ok(*manifest),
            Document::Index(index) => {
                let child = index.candidates(platform).first().copied().cloned();
                next = child.ok_or_else(|| {
                    Error::new(Kind::NotFound, "find image", entry.to_string())
                        .because(format!("it has none for {platform}"))
                })?;
            }
        }
    }
    Err(
        Error::new(Kind::Corrupt, "read image layout", entry.to_string())
            .because(format!("indexes are nested deeper than {MAX_NESTING}"))
            .into(),
    )
}
