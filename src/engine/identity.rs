//! Work that must happen as the owner of a container's files: in `subid` mode inside a user
//! namespace with the whole range, otherwise right here.

use anyhow::Result;
use nix::sched::CloneFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Engine;
use super::worker::{self, Where};
use crate::common::{Error, Mode};
use crate::sys::credentials;

/// Runs `work` with the rights over every id a container can have.
///
/// # Errors
/// Those of `work`, with their kind, text and hint wherever it ran.
pub(crate) fn as_owner<T, F>(engine: &Engine<'_>, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    if engine.mode != Mode::Subid || engine.host.owns_ids() {
        return work();
    }
    let maps = engine.host.id_maps(engine.mode)?;
    let place = Where {
        namespaces: CloneFlags::CLONE_NEWUSER,
        maps: Some(&maps),
        ours: None,
    };
    let worker = worker::spawn(engine, place, |tie| {
        become_owner()?;
        tie.tighten()?;
        work()
    })?;
    worker.finish(engine)
}

/// User 0 of the namespace, and nothing more.
pub(crate) fn become_owner() -> Result<()> {
    credentials::set_ids(0, 0)?;
    credentials::set_groups(&[])
        .map_err(|errno| Error::errno("drop supplementary groups", "", errno))?;
    Ok(())
}
