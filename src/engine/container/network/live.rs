//! Networks that a running container gets or loses.

use std::fs::File;
use std::os::fd::AsFd;

use anyhow::Result;

use super::bridged::{self, Joined, Seat};
use super::late::Late;
use super::{Connected, FILE, hosts, shared};
use crate::common::{self, Error};
use crate::engine::Engine;
use crate::engine::container::asked_network;
use crate::network::space::Space;
use crate::network::{Attachment, Record};
use crate::spec::config::NetworkMode;
use crate::store::{ContainerDir, ContainerEntry, Join, Phase, StateRecord};
use crate::sys::file;
use crate::sys::netlink::Netlink;

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
    let Some((state, namespace)) = running(entry)? else {
        return Ok(());
    };
    let space = Space::around(namespace.as_fd())?;
    let interface = space.run(free_interface)?;
    let join = Join {
        container: &entry.record.id,
        name: &entry.record.name,
        attachment: asked,
        interface: &interface,
    };
    let mut seat = Seat {
        member: engine.store.networks().join(record, &join)?,
        record: record.clone(),
    };
    let joined = connect(engine, (entry, &state), &mut seat, &namespace, &space);
    match joined {
        Ok(()) => hosts::add(engine, entry, &seat.member),
        Err(_) => drop(bridged::leave(engine, &entry.record.id, &record.name)),
    }
    joined
}

/// Connects the namespace, and writes down what the container has of it.
fn connect(
    engine: &Engine<'_>,
    (entry, state): (&ContainerEntry, &StateRecord),
    seat: &mut Seat,
    namespace: &File,
    space: &Space,
) -> Result<()> {
    let network = asked_network(&entry.record);
    let is_private = network.mode == NetworkMode::Private;
    let share = shared::of(engine)?;
    let had = read(&entry.dir);
    let needs_names = !had.resolver && seat.record.dns && !seat.record.is_default();
    let needs_share = is_private && share.is_some();
    let late = match had.late.is_none() && (needs_names || needs_share) {
        true => Some(Late::start(
            engine,
            (entry, state),
            share.as_ref(),
            &network,
            space,
        )?),
        false => None,
    };
    let joined = match &share {
        Some(share) if is_private => {
            // Its way out is the program's.
            seat.member.gateways.clear();
            bridged::attach_beside(engine, share, seat, namespace.as_fd())
        }
        share => bridged::attach(engine, share.as_ref(), seat, &[], namespace.as_fd()),
    };
    let noted = joined.and_then(|joined| {
        let joined = Joined {
            published: false,
            ..joined
        };
        change(&entry.dir, |connected| connected.joined.push(joined))
    });
    match (noted, late) {
        (Ok(()), Some(late)) => Ok(change(&entry.dir, |connected| connected.late = Some(late))?),
        (Err(error), Some(late)) => {
            let _ = late.end(entry.dir.path(), &network);
            Err(error.into())
        }
        (noted, None) => Ok(noted?),
    }
}

/// Takes a container from a network at once, when it runs. Ports that led there lead nowhere.
///
/// # Errors
/// When the kernel refuses; the container is on the network still.
pub(crate) fn unplug(engine: &Engine<'_>, entry: &ContainerEntry, record: &Record) -> Result<()> {
    let Some((_, namespace)) = running(entry)? else {
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
        hosts::remove(engine, entry, &member);
    }
    let mut late = None;
    change(&entry.dir, |connected| {
        connected
            .joined
            .retain(|joined| joined.network != record.name);
        late = connected.late.take_if(|_| connected.joined.is_empty());
    })?;
    bridged::leave(engine, &entry.record.id, &record.name)?;
    match late {
        Some(late) => Ok(late.end(entry.dir.path(), &asked_network(&entry.record))?),
        None => Ok(()),
    }
}

/// A running container with its network namespace; `None` when it does not run.
fn running(entry: &ContainerEntry) -> common::Result<Option<(StateRecord, File)>> {
    match entry.alive {
        true => namespace(entry.dir.phase()?),
        false => Ok(None),
    }
}

/// The same of a container that is known to have a keeper.
pub(super) fn namespace(phase: Option<Phase>) -> common::Result<Option<(StateRecord, File)>> {
    let Some(Phase::Started(state)) = phase else {
        return Ok(None);
    };
    let path = format!("/proc/{}/ns/net", state.pid);
    match File::open(&path) {
        // Its number may be another's by now; one that is still there has been it all the time.
        Ok(file) if state.is_running() => Ok(Some((state, file))),
        Err(error) if state.is_running() => Err(Error::io("open", path, error)),
        _ => Ok(None),
    }
}

/// The first `ethN` that is not in the network namespace of this thread.
fn free_interface() -> common::Result<String> {
    let links = Netlink::route()?.links()?;
    let is_free = |name: &String| !links.iter().any(|link| link.name == *name);
    let mut names = (0..=links.len()).map(|index| format!("eth{index}"));
    Ok(names.find(is_free).unwrap_or_default())
}

/// What is written down of a container's networks.
pub(super) fn read(dir: &ContainerDir) -> Connected {
    Connected::noted(dir).unwrap_or_default()
}

/// Changes what is written down of a container's networks; nobody else does meanwhile.
pub(super) fn change(
    dir: &ContainerDir,
    change: impl FnOnce(&mut Connected),
) -> common::Result<()> {
    let mut done = Ok(());
    dir.change(|_| {
        let mut connected = read(dir);
        change(&mut connected);
        done = file::write_unseen(&dir.path().join(FILE), &connected.line());
        None
    })?;
    done
}
