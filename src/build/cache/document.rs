//! The document of a cache that leaves the machine: what the steps of a build came to, by key. It
//! is the configuration of a manifest whose layers are the results, or lies in an image's own
//! configuration (`type=inline`).
//!
//! ```text
//! manifest  config: this document         application/vnd.ketch.build.cache.v1+json
//!           layers: compressed layers, each with its diff-id as containerd's annotation
//! ```
//!
//! A record may name a layer that the manifest does not have (`mode=min`): its key is good for
//! going on as long as nobody needs its files. No line of a Dockerfile is in it: who finds a key
//! has the step, and an image that carries it tells nothing of the stages it was made by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::common::{Digest, Error, Kind, Result, Timestamp};
use crate::oci::MediaType;

/// Media type of the document.
pub(super) const MEDIA_TYPE: &str = "application/vnd.ketch.build.cache.v1+json";

/// containerd's and BuildKit's annotation of a layer's descriptor: its diff-id.
pub(super) const DIFF_ID: &str = "containerd.io/uncompressed";

/// Version of the document that is written, and the newest one that is read.
const VERSION: u32 = 1;

/// Most records that are read.
const MAX_RECORDS: usize = 20_000;

/// What the steps of some builds came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    version: u32,
    /// The steps.
    pub(super) records: Vec<Record>,
    /// Digests of what was copied from stages and images, by the name of the question.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) contents: BTreeMap<Digest, Digest>,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Digest of all that the result depends on.
    pub(super) key: Digest,
    /// When it ended.
    pub(super) created: Timestamp,
    /// Its layer, where its digest is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layer: Option<Layer>,
    /// It has no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) nothing: bool,
}

/// A layer of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    /// Digest of its archive.
    pub(super) diff_id: Digest,
    /// Sum of its files' lengths in bytes.
    pub(super) size: u64,
}

impl Document {
    /// A document of these records.
    pub(super) fn new(records: Vec<Record>, contents: BTreeMap<Digest, Digest>) -> Document {
        Document {
            version: VERSION,
            records,
            contents,
        }
    }

    /// Reads what somebody wrote.
    ///
    /// # Errors
    /// `Unsupported` for a newer version, `Corrupt` for what is no such document.
    pub(super) fn parse(bytes: &[u8]) -> Result<Document> {
        let corrupt = |why: String| Error::new(Kind::Corrupt, "read build cache", "").because(why);
        let head: Head = serde_json::from_slice(bytes).map_err(|e| corrupt(e.to_string()))?;
        if head.version > VERSION {
            let why = format!("it has version {}, not {VERSION}", head.version);
            let why = format!("{why}: a newer ketch wrote it");
            return Err(Error::new(Kind::Unsupported, "read build cache", "").because(why));
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|e| corrupt(e.to_string()))?;
        match document.records.len() + document.contents.len() > MAX_RECORDS {
            true => Err(corrupt(format!("more than {MAX_RECORDS} records"))),
            false => Ok(document),
        }
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Media type of the layers that ketch writes.
pub(super) fn layer_type() -> String {
    format!("{}+gzip", MediaType::OCI_LAYER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let record = Record {
            key: Digest::of(b"key"),
            created: Timestamp(1_000_000_000),
            layer: Some(Layer {
                diff_id: Digest::of(b"l"),
                size: 7,
            }),
            nothing: false,
        };
        let contents = BTreeMap::from([(Digest::of(b"q"), Digest::of(b"a"))]);
        let document = Document::new(vec![record], contents);
        let bytes = serde_json::to_vec(&document).unwrap();
        assert_eq!(Document::parse(&bytes).unwrap(), document);
        let newer = br#"{"version":2,"other":1}"#;
        assert_eq!(
            Document::parse(newer).unwrap_err().kind(),
            Kind::Unsupported
        );
        for bad in [
            &b""[..],
            b"[]",
            b"{}",
            br#"{"version":1}"#,
            br#"{"version":1,"records":[{"key":"../x"}]}"#,
        ] {
            assert_eq!(Document::parse(bad).unwrap_err().kind(), Kind::Corrupt);
        }
    }
}
