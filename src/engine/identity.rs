//! Work that must happen as the owner of a container's files: in `subid` mode inside a user
//! namespace with the whole range, otherwise right here.

use std::io::Read;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Engine;
use super::worker::{self, Where, Worker};
use crate::common::{Error, Mode};
use crate::host::IdMaps;
use crate::sys::{credentials, mount, namespace};

/// Runs `work` with the rights over every id a container can have.
///
/// # Errors
/// Those of `work`, with their kind, text and hint wherever it ran.
pub(crate) fn as_owner<T, F>(engine: &Engine<'_>, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    match is_apart(engine) {
        false => work(),
        true => begin_as_owner(engine, work)?.finish(engine),
    }
}

/// Whether the rights over every id are only those of another user namespace.
fn is_apart(engine: &Engine<'_>) -> bool {
    engine.mode == Mode::Subid && !engine.host.owns_ids()
}

/// As [`as_owner`], in a child process in any case, for who goes on meanwhile.
///
/// # Errors
/// What making the process gave; those of `work` come from [`Worker::finish`].
pub(crate) fn begin_as_owner<T, F>(engine: &Engine<'_>, work: F) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let maps = match is_apart(engine) {
        true => Some(engine.host.id_maps(engine.mode)?),
        false => None,
    };
    let place = Where {
        namespaces: match maps {
            Some(_) => CloneFlags::CLONE_NEWUSER,
            None => CloneFlags::empty(),
        },
        maps: maps.as_ref(),
        ours: None,
    };
    worker::spawn(engine, place, |tie| {
        if is_apart(engine) {
            become_owner()?;
            tie.tighten()?;
        }
        work()
    })
}

/// Forks a child for `work` in a mount namespace of its own, from which nothing goes back to the
/// caller's, with the rights over every id of `maps`. `ours` is [`Where::ours`].
///
/// # Errors
/// What making the process gave; those of `work` come from [`Worker::finish`].
pub(crate) fn apart<T, F>(
    engine: &Engine<'_>,
    maps: &IdMaps,
    ours: Option<OwnedFd>,
    work: F,
) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let mode = engine.mode;
    let place = Where {
        namespaces: match mode {
            Mode::Root => CloneFlags::CLONE_NEWNS,
            _ => CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER,
        },
        maps: (mode == Mode::Subid).then_some(maps),
        ours,
    };
    worker::spawn(engine, place, |tie| {
        match mode {
            Mode::Root => {}
            Mode::Subid => become_owner()?,
            Mode::Single => {
                namespace::write_maps("self", &maps.uids, &maps.gids, true)?;
                credentials::set_ids(0, 0)?;
            }
        }
        tie.tighten()?;
        mount::set_propagation("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)
            .map_err(|errno| Error::errno("cut mount propagation of", "/", errno))?;
        work()
    })
}

/// Takes this very process into a user namespace with the mode's map and a mount namespace, as
/// user 0; one that is in such a user namespace stays there.
///
/// # Errors
/// Why the namespaces or their maps could not be made.
pub(crate) fn enter(engine: &Engine<'_>) -> Result<()> {
    let namespaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS;
    let unshare = |namespaces| {
        nix::sched::unshare(namespaces)
            .map_err(|errno| Error::errno("make namespace", "user", errno))
    };
    if engine.mode == Mode::Root || engine.host.owns_ids() {
        unshare(CloneFlags::CLONE_NEWNS)?;
    } else {
        let maps = engine.host.id_maps(engine.mode)?;
        if engine.mode == Mode::Single {
            unshare(namespaces)?;
            namespace::write_maps("self", &maps.uids, &maps.gids, true)?;
            credentials::set_ids(0, 0)?;
        } else {
            // newuidmap maps a process from outside: one that stays there calls it.
            let (reader, writer) = nix::unistd::pipe().context("make pipe")?;
            let own = std::process::id() as i32;
            let helper = worker::spawn(engine, Where::holding(writer), |_| {
                std::fs::File::from(reader).read_exact(&mut [0])?;
                worker::map(engine, own, &maps)
            })?;
            unshare(namespaces)?;
            if let Some(writer) = &helper.ours {
                nix::unistd::write(writer, b"g").context("start the helper process")?;
            }
            helper.finish(engine)?;
            become_owner()?;
        }
    }
    mount::set_propagation("/", MsFlags::MS_REC | MsFlags::MS_SLAVE)
        .map_err(|errno| Error::errno("cut mount propagation of", "/", errno))?;
    Ok(())
}

/// User 0 of the namespace, and nothing more.
pub(crate) fn become_owner() -> Result<()> {
    credentials::set_ids(0, 0)?;
    credentials::set_groups(&[])
        .map_err(|errno| Error::errno("drop supplementary groups", "", errno))?;
    Ok(())
}
