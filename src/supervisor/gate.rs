//! A container that `container init` has made: its first process waits at a gate, and a client
//! that comes to start it has the gate opened.

use std::time::Instant;

use anyhow::Result;

use crate::common::Timestamp;
use crate::engine::Engine;
use crate::engine::container;
use crate::runtime;
use crate::seccomp::IdentityEmulator;
use crate::store::{ContainerDir, ContainerRecord};

/// The gate, and who will be behind it.
#[derive(Debug)]
pub(super) struct Held {
    /// Where the first process waits.
    pub(super) gate: runtime::Gate,
    /// User and group of the payload.
    pub(super) ids: (u32, u32),
}

/// A held container in the hands of its supervisor.
pub(super) struct Gate<'a> {
    engine: &'a Engine<'a>,
    record: &'a ContainerRecord,
    dir: &'a ContainerDir,
    held: Held,
}

/// A payload that has just become one.
pub(super) struct Opened {
    /// Since when, as it is written down.
    pub(super) began: Timestamp,
    /// The same on a clock that nobody sets.
    pub(super) since: Instant,
    /// Identity calls to answer.
    pub(super) emulator: Option<IdentityEmulator>,
}

impl<'a> Gate<'a> {
    /// The gate of a container.
    pub(super) fn new(
        engine: &'a Engine<'a>,
        record: &'a ContainerRecord,
        dir: &'a ContainerDir,
        held: Held,
    ) -> Gate<'a> {
        Gate {
            engine,
            record,
            dir,
            held,
        }
    }

    /// Has the first process become the payload, and writes that down.
    ///
    /// # Errors
    /// `RunFailure` with docker's exit code when it could not. It may live even so, where only the
    /// record could not be written.
    pub(super) fn open(self) -> Result<Opened> {
        let (began, listener) =
            container::open_gate(self.engine, self.record, self.dir, &self.held.gate)?;
        let (uid, gid) = self.held.ids;
        Ok(Opened {
            began,
            since: Instant::now(),
            emulator: listener.map(|socket| IdentityEmulator::new(socket, uid, gid)),
        })
    }
}
