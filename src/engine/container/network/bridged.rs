//! Containers on networks with a bridge: root's are the host's, all others in the shared namespace.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::shared;
use crate::common::{ContainerId, Error, Mode, Result};
use crate::engine::Engine;
use crate::engine::container::asked_network;
use crate::host::find_program;
use crate::network::shared::Membership;
use crate::network::{self, Attachment, Ground, Member, Protocol, Published, Record, bridge};
use crate::spec::config::{Network, NetworkMode, Port};
use crate::store::{ContainerRecord, Join};

/// A network with what the container has on it.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// The network.
    pub(super) record: Record,
    /// What the container has there.
    pub(super) member: Member,
}

/// One of a running container's ends, for the time after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Joined {
    /// Name of the network.
    pub(super) network: String,
    /// Name of the host's end, where there is one.
    pub(super) device: Option<String>,
    /// Ports lead to it.
    pub(super) published: bool,
}

/// Takes addresses on every network that a container asks for. On an error none is kept.
pub(super) fn take(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    network: &Network,
) -> Result<Vec<Seat>> {
    let mut seats: Vec<Seat> = Vec::new();
    // The program of a private network has the first.
    let first = usize::from(network.mode == NetworkMode::Private);
    for (index, attachment) in (first..).zip(network.named()) {
        let seat = seat(engine, record, attachment, index);
        match seat {
            Ok(seat) => seats.push(seat),
            Err(error) => {
                for seat in &seats {
                    let _ = leave(engine, &record.id, &seat.record.name);
                }
                return Err(error);
            }
        }
    }
    Ok(seats)
}

/// Takes addresses on one network. `index` names the device.
pub(super) fn seat(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    attachment: &Attachment,
    index: usize,
) -> Result<Seat> {
    let networks = engine.store.networks();
    let network = networks.find(&attachment.network)?;
    let join = Join {
        container: &record.id,
        name: &record.name,
        attachment,
        interface: &format!("eth{index}"),
    };
    let member = networks.join(&network, &join)?;
    Ok(Seat {
        record: network,
        member,
    })
}

/// The address that ports lead to: one on the first network.
pub(super) fn first_address(seats: &[Seat]) -> Option<IpAddr> {
    let first = &seats.first()?.member;
    let address = first.address(true).or_else(|| first.address(false))?;
    Some(address.ip)
}

/// How programs are looked for, where one is needed.
pub(super) fn find(engine: &Engine<'_>) -> impl Fn(&str) -> Option<PathBuf> {
    let path = engine.host.search_path();
    move |name| find_program(path.as_deref(), name)
}

/// Gives back what a container has on a network, and the bridge with the last one.
pub(super) fn leave(engine: &Engine<'_>, container: &ContainerId, network: &str) -> Result<()> {
    engine.store.networks().leave(network, container, |record| {
        // As docker0: to make it and to remove it takes longer than all the rest of a start.
        if record.is_default() {
            return Ok(());
        }
        tear_down(engine, record)
    })
}

/// Removes the bridge of a network that no running container is on; for who holds its lock.
pub(crate) fn tear_down(engine: &Engine<'_>, record: &Record) -> Result<()> {
    if !record.is_bridged() {
        return Ok(());
    }
    let find = find(engine);
    shared::within(engine, || bridge::remove(record, &find)).map(|_| ())
}

/// Joins a namespace to a network, and lets ports of the host lead there. `share` is an ordinary
/// user's in the namespace with the bridges.
pub(super) fn attach(
    engine: &Engine<'_>,
    share: Option<&Membership>,
    seat: &Seat,
    ports: &[Published],
    namespace: BorrowedFd<'_>,
) -> Result<Joined> {
    let Seat { record, member } = seat;
    let find = find(engine);
    // In the shared namespace ports are led by hand: the host's packets do not come there.
    let ports = if engine.mode == Mode::Root {
        ports
    } else {
        &[]
    };
    let connected = engine.store.networks().locked(record, || {
        let ground = share.map_or(Ground::Host, |_| Ground::Shared);
        let work = || network::connect(record, member, ports, (namespace, ground), &find);
        shared::inside(share, work)
    })?;
    joined(engine, share, record, connected, !ports.is_empty())
}

/// As [`attach`], for a container that was started beside the shared namespace.
pub(super) fn attach_beside(
    engine: &Engine<'_>,
    share: &Membership,
    Seat { record, member }: &Seat,
    namespace: BorrowedFd<'_>,
) -> Result<Joined> {
    let connected = engine.store.networks().locked(record, || {
        network::connect_beside(record, member, share.space(), namespace, &find(engine))
    })?;
    joined(engine, Some(share), record, connected, false)
}

/// Says what a network lacks, and has the rules of all others loaded where they were lost.
fn joined(
    engine: &Engine<'_>,
    share: Option<&Membership>,
    record: &Record,
    connected: network::Connected,
    published: bool,
) -> Result<Joined> {
    if let Some(lack) = &connected.lack {
        engine.ui.warn(&format!(
            "network {}: its containers reach nothing but each other: {lack}",
            record.name
        ));
    }
    if connected.fresh {
        restore(engine, share, &record.name)?;
    }
    Ok(Joined {
        network: record.name.clone(),
        device: connected.device,
        published,
    })
}

/// Adds the firewall's rules of all members that run again: somebody has removed them.
///
/// # Errors
/// What the kernel or the programs for the rules gave.
pub(crate) fn reload_networks(engine: &Engine<'_>) -> Result<()> {
    let share = shared::visit(engine)?;
    // Without a share nobody is on a network.
    match engine.mode == Mode::Root || share.is_some() {
        true => restore(engine, share.as_ref(), ""),
        false => Ok(()),
    }
}

/// Adds the firewall's rules of all members that run again; `but` is a network with a new one.
fn restore(engine: &Engine<'_>, share: Option<&Membership>, but: &str) -> Result<()> {
    let networks = engine.store.networks();
    for record in networks.list()? {
        if !record.is_bridged() {
            continue;
        }
        let mut members = Vec::new();
        for member in networks.members(&record.name)? {
            let ports = ports(engine, &member.container, &record.name).unwrap_or_default();
            members.push((member, ports));
        }
        // The network at hand has its rules, and those of the member that has just come.
        if members.len() > usize::from(record.name == but) {
            let find = find(engine);
            let again = || bridge::restore(&record, &members, &find);
            networks.locked(&record, || shared::inside(share, again))?;
        }
    }
    Ok(())
}

/// Removes what killed keepers have left of their containers' networks on the host.
pub(crate) fn sweep_networks(engine: &Engine<'_>) -> Result<()> {
    let networks = engine.store.networks();
    for record in networks.list()? {
        if !record.is_bridged() {
            continue;
        }
        networks.locked(&record, || {
            let members = networks.members(&record.name)?;
            let lives = |container: &str| members.iter().any(|one| one.container == container);
            let sweep = || bridge::sweep(&[&record.interface], lives, &find(engine));
            shared::within(engine, sweep).map(|_| ())
        })?;
    }
    Ok(())
}

/// The ports that lead to a container on a network: on the first that it asks for.
fn ports(engine: &Engine<'_>, container: &str, network: &str) -> Option<Vec<Published>> {
    let dir = engine.store.containers().find(container).ok()?;
    let config = asked_network(&dir.record().ok()?);
    // A private network's program has them all.
    if config.mode != NetworkMode::Named {
        return None;
    }
    let first = config.attachments.first()?;
    let is_first = engine.store.networks().find(&first.network).ok()?.name == network;
    is_first.then(|| published(&super::settled(&dir)?).ok())?
}

/// Takes a namespace that goes on from a network, and lets nothing lead there. `device` is what
/// [`attach`] has noted.
pub(super) fn detach(
    engine: &Engine<'_>,
    record: &Record,
    member: &Member,
    device: Option<&str>,
    namespace: BorrowedFd<'_>,
) -> Result<()> {
    let find = find(engine);
    let networks = engine.store.networks();
    networks.locked(record, || {
        let work = || network::disconnect(device, member, namespace, &find);
        shared::within(engine, work).map(|_| ())
    })
}

/// The container's ports, as rules know them.
pub(super) fn published(ports: &[Port]) -> Result<Vec<Published>> {
    let one = |port: &Port| {
        let bad = |what: &str| Error::usage("publish port", what, "not known");
        Ok(Published {
            protocol: match port.protocol.as_str() {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                "sctp" => Protocol::Sctp,
                other => return Err(bad(other)),
            },
            host: match port.host_ip.as_str() {
                "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                text => text.parse().map_err(|_| bad(text))?,
            },
            host_port: port.host,
            port: port.container,
        })
    };
    ports.iter().map(one).collect()
}
