//! The network of a container, from before its first process to after its end.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::create::Prepared;
use crate::common;
use crate::engine::Engine;
use crate::runtime::{Connect, Started, Unconnected};
use crate::spec::config::Network;
use crate::store::ContainerDir;
use crate::sys::file;

/// What a connected container has beside its namespace, in a file of its directory: whoever keeps
/// the container may have been replaced meanwhile.
const FILE: &str = "network.json";
/// Largest such file, in bytes.
const MAX_FILE: usize = 1 << 20;

/// What `FILE` holds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Connected {
    /// Children of the container's keeper that serve its network and end with it.
    helpers: Vec<i32>,
}

/// A network on its way to a container.
#[derive(Debug)]
pub(super) struct Connection {
    connected: Connected,
}

/// Whether and how init waits for its network.
pub(super) fn plan(_network: &Network) -> Option<Connect> {
    None
}

impl Connection {
    /// Takes what can be refused before the container is built: addresses and ports.
    pub(super) fn prepare(_engine: &Engine<'_>, _prepared: &Prepared) -> Result<Connection> {
        Ok(Connection {
            connected: Connected::default(),
        })
    }

    /// Connects the namespace; init builds the container meanwhile and waits in the end.
    pub(super) fn connect(&mut self, _init: &Started, _ends: Unconnected) -> common::Result<()> {
        Ok(())
    }
}

/// Gives back what a container had of its networks. Its first process has ended.
pub(super) fn release(_engine: &Engine<'_>, dir: &ContainerDir) -> Result<()> {
    let path = dir.path().join(FILE);
    let Ok(bytes) = file::read_bounded(&path, MAX_FILE) else {
        return Ok(());
    };
    let _connected: Connected = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(())
}
