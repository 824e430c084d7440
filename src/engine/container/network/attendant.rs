//! What a container on networks with a bridge has beside them: a resolver, its own lines in
//! `/etc/hosts`, and ports of the host's loopback device.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use super::Connection;
use super::bridged::Seat;
use super::ports::Held;
use super::private::Helper;
use crate::common::{Error, Result};
use crate::engine::container::etc;
use crate::network::attendant::{self, Work};
use crate::network::dns::Resolver;
use crate::network::forward::Forward;
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
    resolver: Vec<OwnedFd>,
) -> Result<Vec<Helper>> {
    let mut names = Work {
        resolver: names(connection, resolver),
        held: held(connection)?,
        ..Work::default()
    };
    let mut forwards = forwards(connection);
    let Some(share) = connection.shared else {
        names.forwards = forwards;
        return begin([names]);
    };
    if connection
        .seats
        .first()
        .is_some_and(|seat| seat.record.internal)
    {
        forwards.clear();
    }
    let ports = Work {
        enter: Some((Some(copy(share.user())?), copy(share.network())?)),
        forwards,
        ..Work::default()
    };
    begin([names, ports])
}

/// Starts what leads ports into a private network, to the container's own loopback device.
pub(super) fn lead(held: Vec<(u16, Held)>, namespace: BorrowedFd<'_>) -> Result<Helper> {
    let failed = |errno| Error::errno("open user namespace of", "network", errno);
    let user = namespace::owner(namespace).map_err(failed)?;
    let is_own = namespace::is_own("user", &user).map_err(failed)?;
    let lead = |(port, held): (u16, Held)| held.lead((Ipv4Addr::LOCALHOST, port).into());
    let pid = attendant::start(Work {
        forwards: held.into_iter().map(lead).collect(),
        enter: Some(((!is_own).then_some(user), copy(namespace)?)),
        ..Work::default()
    })?;
    Ok(Helper::of(pid))
}

/// Starts a process for each that has something to do; none runs on after an error.
fn begin<const COUNT: usize>(works: [Work; COUNT]) -> Result<Vec<Helper>> {
    let mut begun = Vec::new();
    for work in works.into_iter().filter(Work::is_some) {
        match attendant::start(work) {
            Ok(pid) => begun.push(Helper::of(pid)),
            Err(error) => {
                begun.iter().for_each(Helper::end);
                return Err(error);
            }
        }
    }
    Ok(begun)
}

/// What answers for names, where the container is to be answered.
fn names(connection: &Connection<'_>, sockets: Vec<OwnedFd>) -> Option<Resolver> {
    let mut sockets = sockets.into_iter();
    let (datagrams, streams) = (sockets.next()?, sockets.next()?);
    let asked = &connection.prepared.asked.config.network.dns;
    Some(Resolver {
        datagrams: UdpSocket::from(datagrams),
        streams: TcpListener::from(streams),
        networks: connection.engine.store.networks().dir(),
        container: connection.prepared.record.id.to_string(),
        servers: servers(asked),
        asked: !asked.is_empty(),
    })
}

/// The host's ports, each with the address that it leads to.
fn forwards(connection: &mut Connection<'_>) -> Vec<Forward> {
    let held = std::mem::take(&mut connection.held);
    let first = connection.seats.first().map(|seat| &seat.member);
    let Some(first) =
        first.and_then(|member| member.address(true).or_else(|| member.address(false)))
    else {
        return Vec::new();
    };
    let lead = |(port, held): (u16, Held)| held.lead(SocketAddr::new(first.ip, port));
    held.into_iter().map(lead).collect()
}

/// An ordinary user's share in the shared namespace.
fn held(connection: &Connection<'_>) -> Result<Vec<OwnedFd>> {
    let share = connection.shared.map(|share| share.descriptors());
    share.into_iter().flatten().map(copy).collect()
}

/// A descriptor of the same, for another process.
pub(super) fn copy(descriptor: BorrowedFd<'_>) -> Result<OwnedFd> {
    let copied = descriptor.try_clone_to_owned();
    copied.map_err(|error| Error::io("hold", "the shared network", error))
}

/// Who is asked for names that are no container's: those of `--dns`, else the host's.
pub(super) fn servers(asked: &[String]) -> Vec<SocketAddr> {
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
        let mut names = vec![own.as_str()];
        names.extend(member.names().filter(|name| *name != hostname));
        for address in &member.addresses {
            lines.push_str(&format!("{}\t{}\n", address.ip, names.join(" ")));
        }
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

fn append(path: &Path, text: &str) -> Result<()> {
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
