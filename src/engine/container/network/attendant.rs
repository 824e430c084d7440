//! What a container on networks with a bridge has beside them: a resolver, its own lines in
//! `/etc/hosts`, and ports of the host's loopback device.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use super::Connection;
use super::bridged::Seat;
use super::hosts;
use super::ports::Held;
use super::serving::{Helper, Role};
use crate::common::{ContainerId, Error, Result};
use crate::engine::Engine;
use crate::engine::container::etc;
use crate::network::attendant::{self, Work};
use crate::network::dns::Resolver;
use crate::network::forward::Forward;
use crate::network::shared::Membership;
use crate::network::user::Program;
use crate::spec::config::Network;
use crate::sys::namespace;

/// Where the host says who resolves names.
const HOSTS_RESOLVERS: &str = "/etc/resolv.conf";
/// Who is asked where the host has only resolvers that a container cannot reach; docker's.
const PUBLIC: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// podman's name of the host.
const HOST: &str = "host.containers.internal";

/// Starts what serves names and ports, where there are any.
///
/// An ordinary user's have a share in the shared namespace as long as they run, and so as long as
/// the container does. Ports are led on from there and names are asked for outside: two processes.
pub(super) fn start(
    connection: &mut Connection<'_>,
    sockets: Option<[OwnedFd; 2]>,
) -> Result<Vec<Helper>> {
    let prepared = connection.prepared;
    let network = &prepared.asked.config.network;
    let (engine, share) = (connection.engine, connection.shared);
    let mut names = outside(engine, &prepared.record.id, network, sockets, share)?;
    let held = std::mem::take(&mut connection.held);
    let forwards = connection.leads.map(|target| lead(held, target));
    let mut forwards = forwards.unwrap_or_default();
    let Some(share) = connection.shared else {
        names.forwards = forwards;
        return all([(Role::Outside, names)]);
    };
    if connection
        .seats
        .first()
        .is_some_and(|seat| seat.record.internal)
    {
        forwards.clear();
    }
    let ports = shared(share, forwards)?;
    all([(Role::Outside, names), (Role::Shared, ports)])
}

/// Starts a process for each that has something to do; none runs on after an error.
fn all<const COUNT: usize>(works: [(Role, Work); COUNT]) -> Result<Vec<Helper>> {
    let mut begun: Vec<Helper> = Vec::new();
    for (role, work) in works.into_iter().filter(|(_, work)| work.is_some()) {
        let helper = begin(role, work).inspect_err(|_| begun.iter().for_each(Helper::end))?;
        begun.push(helper);
    }
    Ok(begun)
}

/// Starts one.
pub(super) fn begin(role: Role, work: Work) -> Result<Helper> {
    Ok(Helper::of(attendant::start(work)?, role))
}

/// The work outside: names, asked for at a container's sockets where it has any, and an ordinary
/// user's share in the shared namespace.
pub(super) fn outside(
    engine: &Engine<'_>,
    container: &ContainerId,
    network: &Network,
    sockets: Option<[OwnedFd; 2]>,
    share: Option<&Membership>,
) -> Result<Work> {
    let resolver = sockets.map(|[datagrams, streams]| Resolver {
        datagrams: UdpSocket::from(datagrams),
        streams: TcpListener::from(streams),
        networks: engine.store.networks().dir(),
        container: container.to_string(),
        servers: servers(&network.dns),
        asked: !network.dns.is_empty(),
    });
    let held = share.into_iter().flat_map(Membership::descriptors);
    Ok(Work {
        resolver,
        held: held.map(copy).collect::<Result<_>>()?,
        ..Work::default()
    })
}

/// The work in the shared namespace.
pub(super) fn shared(share: &Membership, forwards: Vec<Forward>) -> Result<Work> {
    Ok(Work {
        enter: Some((Some(copy(share.user())?), copy(share.network())?)),
        forwards,
        ..Work::default()
    })
}

/// The work in a private network: ports that lead to the container's own loopback device.
pub(super) fn inside(held: Vec<(u16, Held)>, namespace: BorrowedFd<'_>) -> Result<Work> {
    let failed = |errno| Error::errno("open user namespace of", "network", errno);
    let user = namespace::owner(namespace).map_err(failed)?;
    let is_own = namespace::is_own("user", &user).map_err(failed)?;
    Ok(Work {
        forwards: lead(held, Ipv4Addr::LOCALHOST.into()),
        enter: Some(((!is_own).then_some(user), copy(namespace)?)),
        ..Work::default()
    })
}

/// The host's ports, each on its way to an address of the container's.
pub(super) fn lead(held: Vec<(u16, Held)>, target: IpAddr) -> Vec<Forward> {
    let lead = |(port, held): (u16, Held)| held.lead(SocketAddr::new(target, port));
    held.into_iter().map(lead).collect()
}

/// A descriptor of the same, for another process.
fn copy(descriptor: BorrowedFd<'_>) -> Result<OwnedFd> {
    let copied = descriptor.try_clone_to_owned();
    copied.map_err(|error| Error::io("hold", "the shared network", error))
}

/// Who is asked for names that are no container's: those of `--dns`, else the host's.
fn servers(asked: &[String]) -> Vec<SocketAddr> {
    let texts: Vec<String> = match asked {
        [] => etc::nameservers(Path::new(HOSTS_RESOLVERS)),
        asked => asked.to_vec(),
    };
    // A zone belongs to an interface of the host's.
    let ips = texts
        .iter()
        .filter_map(|text| text.split('%').next()?.parse::<IpAddr>().ok());
    ips.map(|ip| SocketAddr::new(ip, 53)).collect()
}

/// Completes `/etc/hosts` and `/etc/resolv.conf` with what is known once the addresses are.
pub(super) fn write_names(connection: &Connection<'_>) -> Result<()> {
    let (prepared, seats) = (connection.prepared, &connection.seats);
    let network = &prepared.asked.config.network;
    let dir = prepared.dir.path();
    let hostname = prepared.planned.spec.hostname().clone().unwrap_or_default();
    let gateway = seats.iter().find_map(|seat| seat.member.gateways.first());
    let domain = prepared.planned.spec.domainname().as_deref();
    let own = etc::own_names(&hostname, domain);
    let mut lines = String::new();
    for Seat { member, .. } in seats {
        lines.push_str(&hosts::lines(member, &own, &hostname));
    }
    // An ordinary user's bridges are not the host's.
    if let (Some(gateway), None) = (gateway, connection.shared) {
        lines.push_str(&format!("{gateway}\t{HOST}\n"));
    }
    append(&dir.join("hosts"), &lines)?;
    if network.wants_host() {
        etc::set_gateway(&dir.join("hosts"), gateway.copied())?;
    }
    if is_images(network) {
        return Ok(());
    }
    let has_names = seats.iter().any(|seat| seat.record.dns);
    let text = match has_names {
        true => etc::resolver_conf(network),
        false => etc::outside_conf(network, &PUBLIC),
    };
    overwrite(&dir.join("resolv.conf"), &text)
}

/// The same for a private network, whose program can ask the host's resolvers.
pub(super) fn write_private_names(connection: &Connection<'_>, program: &Program) -> Result<()> {
    let prepared = connection.prepared;
    let text = etc::private_conf(&prepared.asked.config.network, program.resolver());
    let hostname = prepared.planned.spec.hostname().clone().unwrap_or_default();
    let dir = prepared.dir.path();
    let name = &prepared.record.name;
    let names = etc::own_names(&hostname, prepared.planned.spec.domainname().as_deref());
    let own = format!("127.0.1.1\t{names} {name}\n");
    append(&dir.join("hosts"), &own)?;
    if prepared.asked.config.network.wants_host() {
        etc::set_gateway(&dir.join("hosts"), program.host())?;
    }
    if is_images(&prepared.asked.config.network) {
        return Ok(());
    }
    overwrite(&dir.join("resolv.conf"), &text)
}

/// `--dns none`: the image's file stays.
pub(super) fn is_images(network: &Network) -> bool {
    network.dns.iter().any(|server| server == "none")
}

/// Adds to a file.
pub(super) fn append(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Error::io("write", path, error))
}

/// The file stays the one that is mounted. One that is emptied first would be sent to the disk when
/// it is closed (ext4's `auto_da_alloc`).
pub(super) fn overwrite(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        let length = text.len() as u64;
        match file.metadata()?.len() > length {
            true => file.set_len(length),
            false => Ok(()),
        }
    });
    written.map_err(|error| Error::io("write", path, error))
}
