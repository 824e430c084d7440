//! Networks that a running container gets or loses.

use std::fs::File;
use std::os::fd::AsFd;

use anyhow::Result;

use super::bridged::{self, Joined, Seat};
use super::{Connected, FILE, MAX_FILE, shared};
use crate::common::{self, Error};
use crate::engine::Engine;
use crate::network::{Attachment, Record};
use crate::store::{ContainerDir, ContainerEntry, Join, Phase};
use crate::sys::file;

/// Puts a container on a network at once, when it runs; another one gets it with its next start.
///
/// # Errors
/// As for a start. The container is not on the network then.
pub(crate) fn plug(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    record: &Record,
    asked: &Attachment,
) -> Result<()> {
    let Some(namespace) = namespace(entry)? else {
        return Ok(());
    };
    let networks = engine.store.networks();
    let interface = free_interface(engine, entry);
    let join = Join {
        container: &entry.record.id,
        name: &entry.record.name,
        attachment: asked,
        interface: &interface,
    };
    let seat = Seat {
        member: networks.join(record, &join)?,
        record: record.clone(),
    };
    let note = |device| {
        let joined = Joined {
            network: record.name.clone(),
            device,
            published: false,
        };
        change(&entry.dir, |connected| connected.joined.push(joined))
    };
    let attached = shared::of(engine)
        .and_then(|share| bridged::attach(engine, share.as_ref(), &seat, &[], namespace.as_fd()));
    match attached.and_then(|joined| note(joined.device)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = bridged::leave(engine, &entry.record.id, &record.name);
            Err(error.into())
        }
    }
}

/// Takes a container from a network at once, when it runs. Ports that led there lead nowhere.
///
/// # Errors
/// When the kernel refuses; the container is on the network still.
pub(crate) fn unplug(engine: &Engine<'_>, entry: &ContainerEntry, record: &Record) -> Result<()> {
    let Some(namespace) = namespace(entry)? else {
        return Ok(());
    };
    let networks = engine.store.networks();
    let connected = read(&entry.dir);
    let mut joined = connected.joined.iter();
    let joined = joined.find(|joined| joined.network == record.name);
    let member = networks.member(&record.name, &entry.record.id)?;
    if let (Some(joined), Some(member)) = (joined, member) {
        let device = joined.device.as_deref();
        bridged::detach(engine, record, &member, device, namespace.as_fd())?;
    }
    change(&entry.dir, |connected| {
        connected
            .joined
            .retain(|joined| joined.network != record.name);
    })?;
    Ok(bridged::leave(engine, &entry.record.id, &record.name)?)
}

/// The network namespace of a container; `None` when it does not run.
fn namespace(entry: &ContainerEntry) -> common::Result<Option<File>> {
    let state = match entry.dir.phase()? {
        Some(Phase::Started(state)) if entry.alive => state,
        _ => return Ok(None),
    };
    let path = format!("/proc/{}/ns/net", state.pid);
    match File::open(&path) {
        // Its number may be another's by now; one that is still there has been it all the time.
        Ok(file) if state.is_running() => Ok(Some(file)),
        Err(error) if state.is_running() => Err(Error::io("open", path, error)),
        _ => Ok(None),
    }
}

/// The first `ethN` that the container has not got.
fn free_interface(engine: &Engine<'_>, entry: &ContainerEntry) -> String {
    let networks = engine.store.networks();
    let connected = read(&entry.dir);
    let member = |joined: &Joined| networks.member(&joined.network, &entry.record.id).ok()?;
    let members: Vec<_> = connected.joined.iter().filter_map(member).collect();
    let is_free = |name: &String| !members.iter().any(|member| member.interface == *name);
    let mut names = (0..=members.len()).map(|index| format!("eth{index}"));
    names.find(is_free).unwrap_or_default()
}

fn read(dir: &ContainerDir) -> Connected {
    let bytes = file::read_bounded(&dir.path().join(FILE), MAX_FILE).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Changes what is written down of a container's networks; nobody else does meanwhile.
fn change(dir: &ContainerDir, change: impl FnOnce(&mut Connected)) -> common::Result<()> {
    let mut done = Ok(());
    dir.change(|_| {
        let mut connected = read(dir);
        change(&mut connected);
        let text = serde_json::to_vec(&connected).unwrap_or_default();
        done = file::write_unseen(&dir.path().join(FILE), &text);
        None
    })?;
    done
}
