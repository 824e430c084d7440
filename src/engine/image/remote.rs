//! What a registry has under a name, without fetching the image.

use anyhow::Result;

use super::pull::RegistryOptions;
use crate::common::Digest;
use crate::engine::Engine;
use crate::oci::Descriptor;
use crate::reference::Reference;
use crate::registry::Client;

/// A document of a registry.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// The name it was asked by, canonical.
    pub(crate) name: String,
    /// Its digest.
    pub(crate) digest: Digest,
    /// Its media type.
    pub(crate) media_type: String,
    /// As served.
    pub(crate) bytes: Vec<u8>,
    /// What an index lists; empty for a manifest.
    pub(crate) manifests: Vec<Descriptor>,
}

/// Asks the registry.
///
/// # Errors
/// `Usage` for a bad name; `NotFound`, `Denied` and `Network` as the registry answers.
pub(crate) fn inspect(
    engine: &Engine<'_>,
    image: &str,
    registry: &RegistryOptions,
) -> Result<Remote> {
    let reference = Reference::parse(image)?;
    let options = registry.client();
    let client = Client::new(&engine.settings, engine.ui, &options);
    let (bytes, digest, served) = client.served(&reference)?;
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let listed = document["manifests"].as_array().into_iter().flatten();
    let descriptor = |entry: &serde_json::Value| serde_json::from_value(entry.clone()).ok();
    Ok(Remote {
        name: reference.to_string(),
        digest,
        media_type: document["mediaType"].as_str().unwrap_or(&served).to_owned(),
        manifests: listed.filter_map(descriptor).collect(),
        bytes,
    })
}
