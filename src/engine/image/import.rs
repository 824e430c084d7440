//! `import`: an image of one layer from an archive of a file system.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};

use anyhow::Result;

use super::assemble::{self, Assembly, Dialect};
use super::change;
use crate::archive::{LayerWriter, decompress};
use crate::common::{Digest, Error, Timestamp};
use crate::engine::Engine;
use crate::oci::{ContainerConfig, Descriptor, History, ImageConfig, MediaType, Platform, RootFs};
use crate::registry;
use crate::settings::Secret;

/// Bytes gathered before they are compressed.
const BUFFER: usize = 256 << 10;

/// `import`.
#[derive(Debug, Clone)]
pub(crate) struct ImportRequest {
    /// What the archive is, for the history and for errors.
    pub(crate) source: String,
    /// Name of the new image.
    pub(crate) name: Option<String>,
    /// A note.
    pub(crate) message: Option<String>,
    /// Instructions of a Dockerfile for the configuration.
    pub(crate) changes: Vec<String>,
    /// What it runs on; this machine unless asked.
    pub(crate) platform: Option<Platform>,
}

/// Makes an image of the tar stream `input`, compressed or not, and returns its id.
///
/// # Errors
/// `Corrupt` for what is no archive, `Usage` for a bad name or change.
pub(crate) fn import(
    engine: &Engine<'_>,
    request: &ImportRequest,
    input: &mut (dyn Read + Send),
) -> Result<Digest> {
    let name = request
        .name
        .as_deref()
        .map(assemble::new_name)
        .transpose()?;
    let mut config = ContainerConfig::default();
    for line in &request.changes {
        change::apply(&mut config, line)?;
    }
    engine.store.hold()?;
    let incoming = engine.store.incoming()?;
    let failed = |error| Error::io("read archive", &request.source, error);
    let mut tar = decompress(input).map_err(failed)?;
    let mut out = BufWriter::with_capacity(
        BUFFER,
        LayerWriter::new(BufWriter::with_capacity(BUFFER, incoming.file()?)),
    );
    let count = io::copy(&mut tar, &mut out).map_err(failed)?;
    drop(tar);
    if count == 0 {
        return Err(Error::usage("import", request.source.as_str(), "the archive is empty").into());
    }
    out.flush().map_err(failed)?;
    let writer = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    let layer = writer.finish().map_err(failed)?;
    incoming.publish(&engine.store, &layer.digest, layer.size)?;
    assemble::unpack(engine, &layer)?;
    let platform = request.platform.clone().unwrap_or_else(Platform::host);
    let now = Timestamp::now().to_string();
    let note = format!("Imported from {}", request.source);
    let image = ImageConfig {
        created: Some(now.clone()),
        architecture: platform.architecture,
        os: platform.os,
        variant: platform.variant,
        config,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![layer.diff_id],
        },
        history: vec![History {
            created: Some(now),
            comment: Some(request.message.clone().unwrap_or(note)),
            ..History::default()
        }],
        ..ImageConfig::default()
    };
    let media_type = format!("{}+gzip", MediaType::OCI_LAYER);
    let assembly = Assembly {
        config: image,
        layers: vec![Descriptor::new(media_type, layer.digest, layer.size)],
        name,
        dialect: Dialect::Oci,
        annotations: BTreeMap::new(),
    };
    Ok(assemble::publish(engine, assembly)?.config)
}

/// Opens an archive on a web server, with what `Authorization` says to it.
pub(crate) fn open_address(
    engine: &Engine<'_>,
    address: &str,
    login: Option<&Secret>,
) -> Result<Box<dyn Read + Send>> {
    let options = registry::Options::default();
    let client = registry::Client::new(&engine.settings, engine.ui, &options);
    Ok(client.file(address, login)?)
}
