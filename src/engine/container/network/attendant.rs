//! What a container on networks with a bridge has beside them: a resolver, its own lines in
//! `/etc/hosts`, and ports of the host's loopback device.

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use super::Connection;
use super::private::Helper;
use crate::common::{Error, Result};
use crate::engine::container::etc;
use crate::network::attendant::{self, Work};
use crate::network::dns::Resolver;
use crate::network::user::Program;
use crate::spec::config::Network;

/// Where the host says who resolves names.
const HOSTS_RESOLVERS: &str = "/etc/resolv.conf";
/// Who is asked where the host has only resolvers that a container cannot reach; docker's.
const PUBLIC: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// Starts the process that serves names and ports, where there are any.
pub(super) fn start(
    connection: &mut Connection<'_>,
    resolver: Vec<OwnedFd>,
) -> Result<Option<Helper>> {
    let mut work = Work::default();
    let mut sockets = resolver.into_iter();
    if let (Some(datagrams), Some(streams)) = (sockets.next(), sockets.next()) {
        let engine = connection.engine;
        work.resolver = Some(Resolver {
            datagrams: UdpSocket::from(datagrams),
            streams: TcpListener::from(streams),
            networks: engine.store.networks().dir(),
            container: connection.prepared.record.id.to_string(),
            servers: servers(&connection.prepared.asked.config.network.dns),
        });
    }
    let addresses = connection
        .seats
        .first()
        .map(|seat| seat.member.addresses.clone());
    let addresses = addresses.unwrap_or_default();
    let first = |is_ipv4: bool| {
        let mut all = addresses.iter().map(|address| address.ip);
        all.find(|ip| ip.is_ipv4() == is_ipv4)
    };
    for (port, held) in connection.held.drain(..) {
        if let Some(ip) = first(true).or_else(|| first(false)) {
            work.forwards.push(held.lead(SocketAddr::new(ip, port)));
        }
    }
    if let Some(share) = connection.shared {
        let copy = |descriptor: BorrowedFd<'_>| {
            let copied = descriptor.try_clone_to_owned();
            copied.map_err(|error| Error::io("hold", "the shared network", error))
        };
        // The process holds the share as long as the container lives.
        for descriptor in share.descriptors() {
            work.held.push(copy(descriptor)?);
        }
        work.enter = Some((copy(share.user())?, copy(share.network())?));
    }
    match work.is_some() {
        true => attendant::start(work).map(Helper::of).map(Some),
        false => Ok(None),
    }
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
    let mut lines = String::new();
    for seat in seats {
        for address in &seat.member.addresses {
            lines.push_str(&format!("{}\t{hostname}\n", address.ip));
        }
    }
    append(&dir.join("hosts"), &lines)?;
    if network.wants_host() {
        let gateway = seats.iter().find_map(|seat| seat.member.gateways.first());
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
    append(&dir.join("hosts"), &format!("127.0.1.1\t{hostname}\n"))?;
    if prepared.asked.config.network.wants_host() {
        etc::set_gateway(&dir.join("hosts"), program.host())?;
    }
    if is_images(&prepared.asked.config.network) {
        return Ok(());
    }
    overwrite(&dir.join("resolv.conf"), &text)
}

/// `--dns none`: the image's file stays.
fn is_images(network: &Network) -> bool {
    network.dns.iter().any(|server| server == "none")
}

fn append(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Error::io("write", path, error))
}

/// The file stays the one that is mounted.
fn overwrite(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| Error::io("write", path, error))
}
