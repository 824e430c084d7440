//! What is to be loaded, known from documents alone.

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::engine::image::{pull, save};
use crate::oci::{Descriptor, ImageConfig, Manifest, Platform};
use crate::reference::Reference;

/// One image.
#[derive(Debug)]
pub(super) struct Plan {
    /// Canonical names.
    pub(super) names: Vec<String>,
    /// Its configuration, as it came and read.
    pub(super) config_bytes: Vec<u8>,
    pub(super) config: ImageConfig,
    /// Its layers.
    pub(super) content: Content,
    /// The index that it was chosen from.
    pub(super) index: Option<Vec<u8>>,
    /// What else that lists, where all of it is there.
    pub(super) others: Vec<Descriptor>,
}

/// How layers are known.
#[derive(Debug)]
pub(super) enum Content {
    /// By a manifest.
    Described {
        manifest: Box<Manifest>,
        bytes: Vec<u8>,
        media_type: String,
    },
    /// By names in an archive of docker's, one for each diff-id.
    Listed(Vec<String>),
}

impl Plan {
    /// Whether only names of its layers are known.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.content, Content::Listed(_))
    }
}

/// Whether an image is for the platform that was asked for.
pub(super) fn fits(config: &ImageConfig, wanted: Option<&Platform>) -> bool {
    wanted.is_none_or(|wanted| pull::platform(config).satisfies(wanted))
}

/// The error where no image is for the platform that was asked for.
pub(super) fn none_for(wanted: Option<&Platform>) -> anyhow::Error {
    let wanted = wanted.map(Platform::to_string).unwrap_or_default();
    Error::new(Kind::NotFound, "load image", "")
        .because(format!("none is for {wanted}"))
        .hint("leave --platform out to load what is there")
        .into()
}

/// A name in an archive as a canonical one.
///
/// # Errors
/// `Corrupt` for what is no name.
pub(super) fn canonical(text: &str) -> Result<String> {
    let bad = |why: String| Error::new(Kind::Corrupt, "read name of image", text).because(why);
    let name = Reference::parse(text).map_err(|error| bad(error.to_string()))?;
    match name.digest() {
        Some(_) => Err(bad("a digest is no name".to_owned()).into()),
        None => Ok(name.to_string()),
    }
}

/// The name that a line of an index gives. One that is only a tag, as OCI means it, becomes a name
/// of this machine, as with podman: it must not stand for an image of a registry.
///
/// # Errors
/// As [`canonical`].
pub(super) fn of_entry(entry: &Descriptor) -> Result<Option<String>> {
    let Some(notes) = &entry.annotations else {
        return Ok(None);
    };
    if let Some(name) = notes.get(save::IMAGE_NAME) {
        return canonical(name).map(Some);
    }
    match notes.get(Descriptor::REF_NAME) {
        None => Ok(None),
        Some(name) if name.contains(['/', ':']) => canonical(name).map(Some),
        Some(tag) => canonical(&format!("localhost/{}", tag.to_lowercase())).map(Some),
    }
}
