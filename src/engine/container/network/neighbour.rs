//! What a container in the network namespace of another one knows of names: what that one knows.

use std::io::Write;

use anyhow::Result;

use crate::common::Error;
use crate::engine::Engine;
use crate::spec::EtcFiles;
use crate::spec::config::{Network, NetworkMode};
use crate::store::ContainerDir;
use crate::sys::file;

/// Largest file of names that is taken over, in bytes.
const MAX_FILE: usize = 1 << 20;

/// The host name of the container whose network or host name is shared.
pub(in crate::engine::container) fn hostname(engine: &Engine<'_>, name: &str) -> Option<String> {
    name_in(&engine.store.containers().find(name).ok()?)
}

/// The host name of the container in this directory, as its last start has settled it.
pub(super) fn name_in(dir: &ContainerDir) -> Option<String> {
    let bytes = file::read_bounded(&dir.path().join("hostname"), MAX_FILE).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Gives a container that shares another one's network what that one knows of hosts and
/// resolvers, as it is now.
///
/// # Errors
/// The files cannot be written.
pub(in crate::engine::container) fn borrow_names(
    engine: &Engine<'_>,
    network: &Network,
    own: &EtcFiles,
) -> Result<()> {
    let NetworkMode::Container(name) = &network.mode else {
        return Ok(());
    };
    let dir = engine.store.containers().find(name)?;
    for (file_name, path) in [("hosts", &own.hosts), ("resolv.conf", &own.resolv_conf)] {
        // Its container may have made it anything; what cannot be read is not shared.
        let Ok(bytes) = file::read_bounded(&dir.path().join(file_name), MAX_FILE) else {
            continue;
        };
        std::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}
