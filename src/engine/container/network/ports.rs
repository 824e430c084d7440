//! Published ports: what each start settles, and who has a port that is taken.
//!
//! A port is bound here before the container is built, so that one in use is refused while
//! nothing has happened. The sockets are closed when whatever leads the port takes over.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use crate::common::{Error, Kind, Result};
use crate::engine::Engine;
use crate::network::forward::Forward;
use crate::spec::config::{Network, Port};
use crate::sys::{net, processes};

/// Where the kernel says from which port on anybody may listen (ip(7)).
const FIRST_PORT: &str = "net.ipv4.ip_unprivileged_port_start";
/// Tries for a port that is free on both families.
const TRIES: usize = 16;

/// A port of the host that is taken.
#[derive(Debug)]
pub(super) enum Held {
    /// A socket that listens.
    Tcp(TcpListener),
    /// A bound one.
    Udp(UdpSocket),
}

/// Ports as they are now known, and what holds each, with the container's side of it.
pub(super) type Settled = (Vec<Port>, Vec<(u16, Held)>);

impl Held {
    /// Leads it to a port of the container's.
    pub(super) fn lead(self, target: SocketAddr) -> Forward {
        match self {
            Held::Tcp(listener) => Forward::Tcp { listener, target },
            Held::Udp(socket) => Forward::Udp { socket, target },
        }
    }
}

/// Settles what was asked: every address of the host and every number is known afterwards, and
/// held. `exposed` is what the image says it listens on.
///
/// # Errors
/// `Conflict`, naming the holder where it can be known, for a port in use; `Denied` for one that
/// an ordinary user may not have.
pub(super) fn settle(
    engine: &Engine<'_>,
    network: &Network,
    exposed: &[(u16, String)],
) -> Result<Settled> {
    let mut asked = network.ports.clone();
    if network.publish_all {
        let own = network.exposed.iter();
        let own = own.map(|port| (port.container, port.protocol.clone()));
        for (container, protocol) in exposed.iter().cloned().chain(own) {
            let is_it = |port: &Port| port.container == container && port.protocol == protocol;
            if !asked.iter().any(is_it) {
                asked.push(Port {
                    container,
                    protocol,
                    host_ip: String::new(),
                    host: 0,
                });
            }
        }
    }
    let (mut ports, mut held) = (Vec::new(), Vec::new());
    for port in asked {
        let (settled, sockets) = one(engine, &port)?;
        ports.extend(settled);
        held.extend(sockets.into_iter().map(|socket| (port.container, socket)));
    }
    Ok((ports, held))
}

/// One port: at every address of both families where none was asked for, as docker does it.
fn one(engine: &Engine<'_>, port: &Port) -> Result<(Vec<Port>, Vec<Held>)> {
    let every = [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ];
    let places: Vec<IpAddr> = match port.host_ip.as_str() {
        "" if net::has_ipv6() => every.to_vec(),
        "" => every[..1].to_vec(),
        ip => vec![
            ip.parse()
                .map_err(|_| Error::usage("publish port", ip, "not an address"))?,
        ],
    };
    let mut tries = if port.host == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        match everywhere(port, &places) {
            Ok((number, held)) => {
                let settled = places.iter().map(|place| Port {
                    host_ip: place.to_string(),
                    host: number,
                    ..port.clone()
                });
                return Ok((settled.collect(), held));
            }
            Err((_, error)) if tries > 0 && error.kind() == ErrorKind::AddrInUse => {}
            Err((place, error)) => return Err(refuse(engine, port, place, error)),
        }
    }
}

/// Binds one number at each place; any one where none was asked for.
fn everywhere(
    port: &Port,
    places: &[IpAddr],
) -> std::result::Result<(u16, Vec<Held>), (IpAddr, std::io::Error)> {
    let (mut number, mut held) = (port.host, Vec::new());
    for place in places {
        let at = SocketAddr::new(*place, number);
        let bound = match port.protocol.as_str() {
            "udp" => net::bind_udp(at).and_then(|socket| {
                let number = socket.local_addr()?.port();
                Ok((number, Held::Udp(socket)))
            }),
            "tcp" => net::listen_tcp(at).and_then(|socket| {
                let number = socket.local_addr()?.port();
                Ok((number, Held::Tcp(socket)))
            }),
            // No socket of this kind is needed: the kernel leads the port.
            _ => continue,
        };
        let (found, socket) = bound.map_err(|error| (*place, error))?;
        number = found;
        held.push(socket);
    }
    Ok((number, held))
}

fn refuse(engine: &Engine<'_>, port: &Port, place: IpAddr, error: std::io::Error) -> Error {
    let at = SocketAddr::new(place, port.host);
    let object = format!("{at}/{}", port.protocol);
    match error.kind() {
        ErrorKind::AddrInUse => {
            let refused = Error::new(Kind::Conflict, "publish port", object);
            match holder(engine, port) {
                Some(holder) => refused
                    .because(format!("port is already allocated: {holder} has it"))
                    .hint("choose another port of the host, or stop what has it"),
                None => refused.because("port is already allocated".to_owned()),
            }
        }
        ErrorKind::PermissionDenied => Error::new(Kind::Denied, "publish port", object)
            .because(format!(
                "an ordinary user may not listen on port {}",
                port.host
            ))
            .hint(format!(
                "use a port from 1024 on, or have root run `sysctl {FIRST_PORT}={}`",
                port.host
            )),
        _ => Error::io("publish port", object, error),
    }
}

/// Who has a port: another container, or a process of this user's.
fn holder(engine: &Engine<'_>, port: &Port) -> Option<String> {
    let containers = engine.store.containers().list().unwrap_or_default();
    for entry in containers.into_iter().flatten().filter(|entry| entry.alive) {
        let ports = super::settled(&entry.dir).unwrap_or_default();
        let same = |other: &Port| other.host == port.host && other.protocol == port.protocol;
        if ports.iter().any(same) {
            return Some(format!("container {}", entry.record.name));
        }
    }
    let inode = listening(&port.protocol, port.host)?;
    let (pid, program) = processes::opener(Path::new(&format!("socket:[{inode}]")))?;
    Some(format!("process {pid} ({program})"))
}

/// The inode of the socket that has a port (proc_net(5)).
fn listening(protocol: &str, port: u16) -> Option<String> {
    let wanted = format!(":{port:04X}");
    for family in ["", "6"] {
        let text = fs::read_to_string(format!("/proc/net/{protocol}{family}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let local = words.get(1).is_some_and(|local| local.ends_with(&wanted));
            // 0A listens, 07 is a bound datagram socket.
            if local
                && words
                    .get(3)
                    .is_some_and(|state| matches!(*state, "0A" | "07"))
            {
                return words.get(9).map(|&inode| inode.to_owned());
            }
        }
    }
    None
}
