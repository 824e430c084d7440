//! `--annotation`: notes of an image's documents.

use std::collections::BTreeMap;

use crate::oci::Platform;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// Where it stands.
    pub(crate) on: Annotated,
    /// The one platform whose image has it; all without.
    pub(crate) platform: Option<Platform>,
    /// Its name.
    pub(crate) key: String,
    /// What it says.
    pub(crate) value: String,
}

/// What has notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Annotated {
    /// The manifest of an image.
    Manifest,
    /// The index over images.
    Index,
    /// The line of an image in the index.
    ManifestDescriptor,
    /// The line of the index in an image layout.
    IndexDescriptor,
}

impl Annotated {
    /// BuildKit's name of it.
    pub(crate) fn named(name: &str) -> Option<Annotated> {
        match name {
            "" | "manifest" => Some(Annotated::Manifest),
            "index" => Some(Annotated::Index),
            "index-descriptor" => Some(Annotated::IndexDescriptor),
            "manifest-descriptor" => Some(Annotated::ManifestDescriptor),
            _ => None,
        }
    }
}

/// The notes of one document; the last of a name counts. An index is of no one platform.
pub(super) fn of(
    all: &[Annotation],
    on: Annotated,
    platform: Option<&Platform>,
) -> BTreeMap<String, String> {
    let fits = |note: &&Annotation| {
        note.on == on && (note.platform.is_none() || note.platform.as_ref() == platform)
    };
    let found = all.iter().filter(fits);
    found
        .map(|note| (note.key.clone(), note.value.clone()))
        .collect()
}
