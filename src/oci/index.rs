//! Indexes ("fat manifests") and the choice of a platform from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::media_type::MediaType;
use super::platform::Platform;

/// Largest manifest or index in bytes; the limit the distribution spec asks registries to accept.
pub(crate) const MAX_DOCUMENT: usize = 4 << 20;

/// Deepest nesting of indexes that is followed.
pub(crate) const MAX_NESTING: usize = 4;

/// An image index or Docker manifest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// Always 2.
    pub(crate) schema_version: u32,
    /// The document's own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// The choices.
    pub(crate) manifests: Vec<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Index {
    /// An OCI index of these entries.
    pub(crate) fn of(manifests: Vec<Descriptor>) -> Index {
        Index {
            schema_version: 2,
            media_type: Some(MediaType::OCI_INDEX.to_owned()),
            manifests,
            annotations: None,
        }
    }

    /// The entries worth trying for `wanted`, best first: exact variant, then no variant, then
    /// nested indexes and entries without a platform. Attestations (platform `unknown`) never.
    pub(crate) fn candidates(&self, wanted: &Platform) -> Vec<&Descriptor> {
        let rank = |entry: &&Descriptor| match &entry.platform {
            Some(platform) if platform.variant == wanted.variant => 0,
            Some(_) => 1,
            None => 2,
        };
        let mut found: Vec<&Descriptor> = self
            .manifests
            .iter()
            .filter(|entry| match &entry.platform {
                Some(platform) => platform.satisfies(wanted),
                None => matches!(
                    MediaType::of(&entry.media_type),
                    MediaType::Index | MediaType::Manifest
                ),
            })
            .collect();
        found.sort_by_key(rank);
        found
    }
}
