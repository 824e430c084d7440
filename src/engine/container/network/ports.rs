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
use crate::network::{Protocol, Published};
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
    /// Whether it is this one.
    pub(super) fn is(&self, port: &Published) -> bool {
        let (at, protocol) = match self {
            Held::Tcp(listener) => (listener.local_addr(), Protocol::Tcp),
            Held::Udp(socket) => (socket.local_addr(), Protocol::Udp),
        };
        port.protocol == protocol
            && at.is_ok_and(|at| at == SocketAddr::new(port.host, port.host_port))
    }

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
                    last: None,
                });
            }
        }
    }
    // Whoever can have another number leaves this one to who cannot.
    asked.sort_by_key(Port::is_open);
    hold(engine, &asked)
}

/// Holds ports; those that are settled stay as they are.
///
/// # Errors
/// As [`settle`].
pub(super) fn hold(engine: &Engine<'_>, asked: &[Port]) -> Result<Settled> {
    let (mut ports, mut held) = (Vec::new(), Vec::new());
    for port in asked {
        let (settled, sockets) = one(engine, port)?;
        ports.extend(settled);
        held.extend(sockets.into_iter().map(|socket| (port.container, socket)));
    }
    Ok((ports, held))
}

/// One port: at every address of both families where none was asked for, as docker does it,
/// unless the settings say otherwise.
fn one(engine: &Engine<'_>, port: &Port) -> Result<(Vec<Port>, Vec<Held>)> {
    let places = places(engine, &port.host_ip)?;
    let mut taken = None;
    for number in numbers(port) {
        match everywhere(port, number, &places) {
            Ok((number, held)) => {
                let settled = places.iter().map(|place| Port {
                    host_ip: place.to_string(),
                    host: number,
                    last: None,
                    ..port.clone()
                });
                return Ok((settled.collect(), held));
            }
            Err((place, error)) if error.kind() == ErrorKind::AddrInUse => {
                taken = Some((place, error));
            }
            Err((place, error)) => return Err(refuse(engine, port, place, error)),
        }
    }
    let unspecified = (
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ErrorKind::AddrInUse.into(),
    );
    let (place, error) = taken.unwrap_or(unspecified);
    Err(refuse(engine, port, place, error))
}

/// The host's addresses that a port is taken at: what was asked, else what the settings say.
fn places(engine: &Engine<'_>, asked: &str) -> Result<Vec<IpAddr>> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| Error::usage("publish port", text, "not an address"))
    };
    if !asked.is_empty() {
        return Ok(vec![parse(asked)?]);
    }
    let every = [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ];
    let set = &engine.settings.file()?.publish_addresses;
    let mut places = set.clone().unwrap_or_else(|| every.to_vec());
    if places.is_empty() {
        return Err(
            Error::usage("read settings", "publish-addresses", "the list is empty")
                .hint("leave it out to publish ports at every address"),
        );
    }
    // Those that this machine can have, as long as any is left.
    if places.iter().any(IpAddr::is_ipv4) && !net::has_ipv6() {
        places.retain(IpAddr::is_ipv4);
    }
    Ok(places)
}

/// The numbers to try; 0 is any one.
fn numbers(port: &Port) -> Vec<u16> {
    match (port.host, port.last) {
        (0, _) => vec![0; TRIES],
        (host, last) => (host..=last.unwrap_or(host)).collect(),
    }
}

/// Binds one number at each place; any one where it is 0.
fn everywhere(
    port: &Port,
    mut number: u16,
    places: &[IpAddr],
) -> std::result::Result<(u16, Vec<Held>), (IpAddr, std::io::Error)> {
    let mut held = Vec::new();
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
    let object = match place {
        IpAddr::V4(place) => format!("{place}:{}/{}", port.host_words(), port.protocol),
        IpAddr::V6(place) => format!("[{place}]:{}/{}", port.host_words(), port.protocol),
    };
    match error.kind() {
        ErrorKind::AddrInUse if port.last.is_some() => {
            Error::new(Kind::Conflict, "publish port", object)
                .because("every port of the range is already allocated".to_owned())
                .hint("choose a longer range, or stop what has them")
        }
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
