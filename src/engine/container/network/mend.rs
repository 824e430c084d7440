//! The program of a private network, for who keeps the container: another takes the place of one
//! that was killed.

use std::os::fd::{AsFd, OwnedFd};

use super::live::{change, namespace, read};
use super::{bridged, private};
use crate::common::{Error, Kind, Result};
use crate::engine::Engine;
use crate::engine::container::asked_network;
use crate::spec::config::NetworkMode;
use crate::store::{ContainerDir, ContainerRecord};

/// The program that carries a running container's packets, to wait for its end; `None` for a
/// container that has no such program.
pub(crate) fn program_of(record: &ContainerRecord, dir: &ContainerDir) -> Option<OwnedFd> {
    // It is the first: those of networks with names come later.
    let is_private = asked_network(record).mode == NetworkMode::Private;
    let first = read(dir).helpers.into_iter().next()?;
    is_private.then(|| first.pidfd())?
}

/// Starts it again, with the same ports, as a child of this process; to wait for its end.
///
/// # Errors
/// As for a start; the container has ended.
pub(crate) fn renew_program(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    dir: &ContainerDir,
) -> Result<OwnedFd> {
    let gone = |what: &str| Error::new(Kind::NotFound, "connect again", what);
    let phase = dir.phase()?;
    let (_, namespace) = namespace(phase)?.ok_or_else(|| gone(&record.name))?;
    let network = asked_network(record);
    let program = private::program(engine, &network)?;
    let connected = read(dir);
    if let Some(before) = connected.helpers.first() {
        before.end();
    }
    let mut ports = bridged::published(&connected.ports)?;
    let left_out = program.left_out(&ports);
    ports.retain(|port| !left_out.contains(port));
    let helper = private::connect(&program, &network, &ports, namespace.as_fd())?;
    change(dir, |connected| {
        connected
            .helpers
            .splice(..connected.helpers.len().min(1), [helper.clone()]);
    })?;
    helper.pidfd().ok_or_else(|| gone(program.name()))
}
