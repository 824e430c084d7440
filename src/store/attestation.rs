//! What lies beside an image in its index and is none: how it was made, what is in it.

use super::Store;
use crate::common::Digest;
use crate::oci::{Index, MAX_DOCUMENT, Manifest};

/// BuildKit, `docs/attestations/attestation-storage.md`.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const ATTESTATION: &str = "attestation-manifest";

impl Store {
    /// Blobs of the attestations of an index, as far as they are here: manifests and all that
    /// they name.
    pub(crate) fn attestations(&self, index: &Digest) -> Vec<Digest> {
        let mut found = Vec::new();
        let blobs = self.blobs();
        let Ok(bytes) = blobs.read(index, MAX_DOCUMENT) else {
            return found;
        };
        let Ok(index) = serde_json::from_slice::<Index>(&bytes) else {
            return found;
        };
        for entry in index.manifests {
            let notes = entry.annotations.unwrap_or_default();
            if notes
                .get(REFERENCE_TYPE)
                .is_none_or(|kind| kind != ATTESTATION)
            {
                continue;
            }
            let bytes = blobs.read(&entry.digest, MAX_DOCUMENT);
            let manifest = bytes
                .ok()
                .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
            if let Some(manifest) = manifest {
                let named = manifest.layers.iter().chain([&manifest.config]);
                found.extend(named.map(|blob| blob.digest));
                found.push(entry.digest);
            }
        }
        found
    }
}
