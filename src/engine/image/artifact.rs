//! What a registry keeps beside images, and layers that are fetched one by one.

use std::io::Read;

use anyhow::Result;

use super::pull::{RegistryOptions, fetch_layers};
use crate::common::Digest;
use crate::engine::Engine;
use crate::oci::{Descriptor, Platform};
use crate::reference::Reference;
use crate::registry::{Artifact, Client};
use crate::settings::Source;

/// Reads a manifest and its configuration, of an index those for `platform`.
///
/// # Errors
/// `Usage` for a bad name; `NotFound`, `Denied`, `Corrupt` and `Network` as the registry answers.
pub(crate) fn find(
    engine: &Engine<'_>,
    name: &str,
    platform: &Platform,
    registry: &RegistryOptions,
) -> Result<Artifact> {
    let reference = Reference::parse(name)?;
    let options = registry.client();
    let client = Client::new(&engine.settings, engine.ui, &options);
    Ok(client.artifact(&reference, platform)?)
}

/// Brings layers of a manifest that [`find`] found into the store.
///
/// # Errors
/// `NotFound`, `Denied` and `Network` as the registry answers; `Corrupt` for other content.
pub(crate) fn fetch(
    engine: &Engine<'_>,
    sources: &[Source],
    registry: &RegistryOptions,
    layers: &[(Descriptor, Digest)],
) -> Result<()> {
    let options = registry.client();
    let client = Client::new(&engine.settings, engine.ui, &options);
    let open = |blob: &Descriptor, offset: u64| -> Result<Box<dyn Read + Send + '_>> {
        Ok(client.blob(sources, blob, offset)?)
    };
    fetch_layers(engine, layers, &open)
}
