//! Manifests, and telling a manifest from an index without being fooled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::index::{Index, MAX_DOCUMENT};
use super::media_type::MediaType;
use crate::common::{Error, Kind, Result};

/// Most layers a manifest may have; docker's own limit is 127, squashing tools go higher.
const MAX_LAYERS: usize = 1000;

/// A single-platform image manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// Always 2.
    pub(crate) schema_version: u32,
    /// The document's own type; OCI allows it to be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// Type of an artifact that is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    /// The image configuration.
    pub(crate) config: Descriptor,
    /// File system layers, base first.
    pub(crate) layers: Vec<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// An OCI manifest of a configuration and layers.
    pub(crate) fn of(config: Descriptor, layers: Vec<Descriptor>) -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(MediaType::OCI_MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            annotations: None,
        }
    }
}

/// What the bytes of a "manifest" turned out to be.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    /// One image.
    Manifest(Box<Manifest>),
    /// A choice of images.
    Index(Index),
}

impl Document {
    /// Parses bytes served as `content_type` (empty when unknown).
    ///
    /// The document's own fields decide; a served or embedded media type that disagrees with
    /// them, or a document that could be read both ways, is refused (CVE-2021-41190).
    pub(crate) fn parse(bytes: &[u8], content_type: &str) -> Result<Document> {
        let corrupt = |why: String| Error::new(Kind::Corrupt, "read manifest", "").because(why);
        if bytes.len() > MAX_DOCUMENT {
            return Err(corrupt(format!("larger than {MAX_DOCUMENT} bytes")));
        }
        let probe: Probe = serde_json::from_slice(bytes)
            .map_err(|error| corrupt(format!("not a JSON manifest: {error}")))?;
        let embedded = probe.media_type.as_deref().unwrap_or_default();
        let claims = [MediaType::of(embedded), MediaType::of(content_type)];
        if probe.schema_version == Some(1) || claims.contains(&MediaType::Schema1) {
            return Err(Error::new(Kind::Unsupported, "read manifest", "")
                .because("it has docker's schema 1, which was retired in 2019".to_owned())
                .hint("ask the publisher to push the image again with a current tool"));
        }
        if probe.schema_version != Some(2) {
            return Err(corrupt("schemaVersion is not 2".to_owned()));
        }
        let is_index = probe.manifests.is_some();
        if is_index && (probe.layers.is_some() || probe.config.is_some()) {
            return Err(corrupt("it is both an index and a manifest".to_owned()));
        }
        let expected = if is_index {
            MediaType::Index
        } else {
            MediaType::Manifest
        };
        for claim in claims {
            if matches!(claim, MediaType::Manifest | MediaType::Index) && claim != expected {
                return Err(corrupt("its media type and its fields disagree".to_owned()));
            }
        }
        let json = |error: serde_json::Error| corrupt(error.to_string());
        if is_index {
            return Ok(Document::Index(
                serde_json::from_slice(bytes).map_err(json)?,
            ));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(json)?;
        if manifest.layers.len() > MAX_LAYERS {
            return Err(corrupt(format!("more than {MAX_LAYERS} layers")));
        }
        Ok(Document::Manifest(Box::new(manifest)))
    }
}

/// The fields that tell the kinds of document apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_document_that_is_both_is_refused() {
        let both = r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
        assert_eq!(
            Document::parse(both.as_bytes(), "").unwrap_err().kind(),
            Kind::Corrupt
        );
    }

    #[test]
    fn media_type_and_content_must_agree() {
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        assert!(matches!(
            Document::parse(index.as_bytes(), MediaType::OCI_INDEX),
            Ok(Document::Index(_))
        ));
        assert!(Document::parse(index.as_bytes(), MediaType::OCI_MANIFEST).is_err());
        assert!(matches!(
            Document::parse(index.as_bytes(), "text/plain"),
            Ok(Document::Index(_))
        ));
    }

    #[test]
    fn schema_1_gets_its_own_words() {
        let error = Document::parse(br#"{"schemaVersion":1}"#, "").unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("schema 1"));
    }

    #[test]
    fn negative_sizes_and_bad_digests_do_not_parse() {
        for (digest, size) in [(DIGEST, "-1"), ("sha256:00", "1"), ("md5:aa", "1")] {
            let text = format!(
                r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":{size}}},"layers":[]}}"#
            );
            assert!(Document::parse(text.as_bytes(), "").is_err(), "{text}");
        }
    }
}
