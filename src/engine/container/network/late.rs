//! What a running container needs once it comes to a network with names: a resolver, and a share in
//! the namespace with the bridges. Its start had no use for either.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::MAX_FILE;
use super::attendant::{begin, is_images, outside, overwrite};
use super::serving::{Helper, Role};
use crate::common::{Error, Result};
use crate::engine::Engine;
use crate::engine::container::etc;
use crate::network::attendant::Work;
use crate::network::dns;
use crate::network::shared::Membership;
use crate::network::space::Space;
use crate::spec::config::Network;
use crate::store::{ContainerEntry, StateRecord};
use crate::sys::{file, process};

/// What there is of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Late {
    /// The process that answers.
    pub(super) helper: Helper,
    /// What the container's `resolv.conf` said before.
    before: String,
}

impl Late {
    /// Starts it for the container in `space`, whose keeper ends it.
    ///
    /// # Errors
    /// What the kernel gave; nothing is left then. A port 53 that the payload has is only said.
    pub(super) fn start(
        engine: &Engine<'_>,
        (entry, state): (&ContainerEntry, &StateRecord),
        share: Option<&Membership>,
        network: &Network,
        space: &Space,
    ) -> Result<Late> {
        let failed = |error| Error::io("watch", format!("process {}", state.supervisor), error);
        let keeper = process::pidfd_open(state.supervisor).map_err(failed)?;
        if !state.is_running() {
            return Err(Error::usage(
                "connect",
                &entry.record.name,
                "it has just ended",
            ));
        }
        let sockets = match space.open(dns::listen) {
            Ok(sockets) => Some(sockets),
            Err(error) => {
                engine
                    .ui
                    .warn(&format!("{error}; it finds no other container by its name"));
                None
            }
        };
        let path = entry.dir.path().join("resolv.conf");
        let before = file::read_bounded(&path, MAX_FILE).unwrap_or_default();
        let rewrites = sockets.is_some() && !is_images(network);
        let work = Work {
            keeper: Some(keeper),
            ..outside(engine, &entry.record.id, network, sockets, share)?
        };
        let helper = begin(Role::Late, work)?;
        if rewrites {
            overwrite(&path, &etc::resolver_conf(network)).inspect_err(|_| helper.end())?;
        }
        Ok(Late {
            helper,
            before: String::from_utf8_lossy(&before).into_owned(),
        })
    }

    /// Ends it, for a container that goes on without such a network.
    pub(super) fn end(&self, dir: &Path, network: &Network) -> Result<()> {
        self.helper.end();
        match is_images(network) {
            true => Ok(()),
            false => overwrite(&dir.join("resolv.conf"), &self.before),
        }
    }
}
