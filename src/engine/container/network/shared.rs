//! The one network namespace, N, of an ordinary user's containers on networks with names: their
//! bridges are in it, and it has one way out for all.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::common::{Mode, Result};
use crate::engine::Engine;
use crate::network::shared::{Membership, Place};
use crate::spec::config::Network;

/// Does `work` with N's `Place`.
fn with<T>(engine: &Engine<'_>, work: impl FnOnce(&Place<'_>) -> Result<T>) -> Result<T> {
    let dir = engine.store.root().join("network");
    work(&Place {
        dir: &dir,
        host: &engine.host,
        mode: engine.mode,
    })
}

/// A container's share in N for as long as the answer lives; none for a container that has no use
/// for it, and none as root, whose networks are the host's.
///
/// # Errors
/// N could not be made.
pub(in crate::engine::container) fn join(
    engine: &Engine<'_>,
    network: &Network,
) -> Result<Option<Membership>> {
    match network.is_on_named() {
        true => of(engine),
        false => Ok(None),
    }
}

/// A share in N, which is made where there is none; none as root.
///
/// # Errors
/// N could not be made.
pub(super) fn of(engine: &Engine<'_>) -> Result<Option<Membership>> {
    match engine.mode {
        Mode::Root => Ok(None),
        _ => with(engine, |place| place.join(engine.ui)).map(Some),
    }
}

/// A share in N where there is one; none as root.
///
/// # Errors
/// What looking for it gave.
pub(super) fn visit(engine: &Engine<'_>) -> Result<Option<Membership>> {
    match engine.mode {
        Mode::Root => Ok(None),
        _ => with(engine, |place| place.visit(engine.ui)),
    }
}

/// Does `work` where the bridges are, in N with `share`.
///
/// # Errors
/// Those of `work`.
pub(super) fn inside<T>(share: Option<&Membership>, work: impl FnOnce() -> Result<T>) -> Result<T>
where
    T: Serialize + DeserializeOwned,
{
    match share {
        Some(share) => share.space().run(work),
        None => work(),
    }
}

/// Does `work` where the bridges are; `None` when there is no such place any more, and so nothing
/// that the work could be about.
///
/// # Errors
/// Those of `work`.
pub(super) fn within<T>(engine: &Engine<'_>, work: impl FnOnce() -> Result<T>) -> Result<Option<T>>
where
    T: Serialize + DeserializeOwned,
{
    if engine.mode == Mode::Root {
        return work().map(Some);
    }
    match visit(engine)? {
        Some(share) => share.space().run(work).map(Some),
        None => Ok(None),
    }
}
