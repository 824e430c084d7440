//! Content descriptors (image-spec, descriptor.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::platform::Platform;
use crate::common::Digest;

/// A typed, sized, digested pointer to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    /// Type of the blob, as written by whoever made the document.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) media_type: String,
    /// Digest of the blob's bytes.
    pub(crate) digest: Digest,
    /// Length in bytes; negative numbers do not parse.
    pub(crate) size: u64,
    /// Where the image runs; only in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    /// Alternative download places. Kept for a faithful round trip, never fetched: they would
    /// let an image direct requests (and, in older tools, credentials) to any host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) urls: Vec<String>,
    /// Type of an artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    /// Blob content inlined as base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
}

impl Descriptor {
    /// Annotation with the name of an entry in an image layout (image-spec, annotations.md).
    pub(crate) const REF_NAME: &'static str = "org.opencontainers.image.ref.name";

    /// Whether it is a layer that no registry may spread: its manifest says where it is.
    pub(crate) fn is_foreign(&self) -> bool {
        let words = ["foreign", "nondistributable"];
        words.iter().any(|word| self.media_type.contains(word))
    }

    /// A descriptor with the three required fields.
    pub(crate) fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Descriptor {
        Descriptor {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            annotations: None,
            urls: Vec::new(),
            artifact_type: None,
            data: None,
        }
    }
}
