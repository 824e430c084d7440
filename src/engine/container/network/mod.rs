//! The network of a container, from before its first process to after its end.
//!
//! What can be refused is refused before the container is built: addresses and ports. Its
//! namespace is connected from outside while init makes the mounts, and init waits for that in
//! the end. What it has is written down in its directory, for whoever sees its end.

mod attendant;
mod bridged;
mod hosts;
mod late;
mod live;
mod mend;
mod neighbour;
mod ports;
mod private;
mod serving;
mod shared;

use std::io::Write;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::create::Prepared;
use super::{join, list};
use crate::common::{self, Error, Mode};
use crate::engine::Engine;
use crate::engine::network::{self, DEFAULT, default_network};
use crate::network::shared::Membership;
use crate::network::user::Program;
use crate::network::{Attachment, bridge};
use crate::runtime::{Connect, Connecting, Unconnected};
use crate::spec::config::{Network, NetworkMode, Port};
use crate::store::{ContainerDir, ContainerRecord};
use crate::sys::file;
use bridged::{Joined, Seat};
pub(crate) use bridged::{reload_networks, sweep_networks, tear_down};
use late::Late;
pub(crate) use live::{plug, unplug};
pub(crate) use mend::Served;
pub(super) use neighbour::{borrow_names, hostname};
use ports::Held;
use serving::{Helper, Role};
pub(super) use shared::join as join_shared;

/// What a connected container has beside its namespace, in a file of its directory: whoever keeps
/// the container may have been replaced meanwhile.
const FILE: &str = "network.json";
/// Largest such file, in bytes.
const MAX_FILE: usize = 1 << 20;

/// What `FILE` holds, one for each time that it was written down; the last one counts.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Connected {
    /// The container's ends of networks with a bridge.
    joined: Vec<Joined>,
    /// Programs that serve its network and end with it.
    helpers: Vec<Helper>,
    /// Published ports as this start has settled them.
    ports: Vec<Port>,
    /// The container's address that they lead to, where they are led by hand.
    leads: Option<IpAddr>,
    /// The start has given it a resolver.
    resolver: bool,
    /// What a network has brought that came later.
    late: Option<Late>,
}

impl Connected {
    /// What is written down in a container's directory; `None` when it has nothing.
    fn noted(dir: &ContainerDir) -> Option<Connected> {
        let bytes = file::read_bounded(&dir.path().join(FILE), MAX_FILE).ok()?;
        Some(Connected::last(&bytes))
    }

    fn last(bytes: &[u8]) -> Connected {
        // Who was killed may have left half a line.
        let lines = bytes.rsplit(|byte| *byte == b'\n');
        let mut whole = lines.filter_map(|line| serde_json::from_slice(line).ok());
        whole.next().unwrap_or_default()
    }

    fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// All processes that serve it.
    fn processes(&self) -> impl Iterator<Item = &Helper> {
        let late = self.late.iter().map(|late| &late.helper);
        self.helpers.iter().chain(late)
    }

    /// One of them, by its place.
    fn process_mut(&mut self, place: usize) -> Option<&mut Helper> {
        let late = self.late.iter_mut().map(|late| &mut late.helper);
        self.helpers.iter_mut().chain(late).nth(place)
    }
}

/// A network on its way to a container.
pub(super) struct Connection<'a> {
    engine: &'a Engine<'a>,
    prepared: &'a Prepared,
    /// An ordinary user's share in the namespace with the bridges.
    shared: Option<&'a Membership>,
    seats: Vec<Seat>,
    program: Option<Program>,
    ports: Vec<Port>,
    /// Those of them that the program leads.
    carried: Vec<Port>,
    held: Vec<(u16, Held)>,
    /// The address on a network with a bridge that they lead to.
    leads: Option<IpAddr>,
    /// Its ends of networks with a bridge, of the first `seats`.
    joined: Vec<Joined>,
    helpers: Vec<Helper>,
    /// Where it asks for names.
    resolver: Vec<OwnedFd>,
}

/// The published ports of a running container, as its start has settled them.
pub(super) fn settled(dir: &ContainerDir) -> Option<Vec<Port>> {
    Some(Connected::noted(dir)?.ports)
}

/// Settles what a container without a word about its network gets.
///
/// # Errors
/// The default network could not be made; the program that was asked for is not there.
pub(super) fn choose(engine: &Engine<'_>, network: &mut Network) -> Result<()> {
    let unreachable = match network.mode {
        NetworkMode::Host => Some("host"),
        NetworkMode::None => Some("none"),
        NetworkMode::Container(_) => Some("container"),
        _ => None,
    };
    if let Some(mode) = unreachable
        && !network.ports.is_empty()
    {
        engine.ui.warn(&format!(
            "published ports are discarded when using {mode} network mode"
        ));
    }
    if let NetworkMode::Container(name) = &mut network.mode {
        network.ports.clear();
        return join::settle(engine, name);
    }
    if !matches!(network.mode, NetworkMode::Default | NetworkMode::Private) {
        return Ok(());
    }
    if engine.mode != Mode::Root || network.helper.is_some() {
        return private::choose(engine, network);
    }
    network.mode = NetworkMode::Named;
    // What was asked of whatever it comes to.
    let wishes = network.attachments.pop().unwrap_or_default();
    network.attachments = vec![Attachment {
        network: DEFAULT.to_owned(),
        ..wishes
    }];
    default_network(engine).map(drop)
}

/// Whether and how init waits for its network.
pub(super) fn plan(network: &Network) -> Option<Connect> {
    // docker: the default network has no names.
    let names = |attachment: &Attachment| attachment.network != DEFAULT;
    let resolver = network.named().any(names);
    let waits = matches!(network.mode, NetworkMode::Named | NetworkMode::Private);
    waits.then_some(Connect { resolver })
}

impl<'a> Connection<'a> {
    /// Takes what can be refused before the container is built: addresses and ports.
    pub(super) fn prepare(
        engine: &'a Engine<'a>,
        prepared: &'a Prepared,
        shared: Option<&'a Membership>,
    ) -> Result<Connection<'a>> {
        let mut connection = Connection {
            engine,
            prepared,
            shared,
            seats: Vec::new(),
            program: None,
            ports: Vec::new(),
            carried: Vec::new(),
            held: Vec::new(),
            leads: None,
            joined: Vec::new(),
            helpers: Vec::new(),
            resolver: Vec::new(),
        };
        let network = &prepared.asked.config.network;
        if !matches!(network.mode, NetworkMode::Private | NetworkMode::Named) {
            return Ok(connection);
        }
        release(engine, &prepared.record, &prepared.dir)?;
        if network.publish_all || !network.ports.is_empty() {
            let exposed = exposed(engine, &prepared.record);
            let (ports, held) = ports::settle(engine, network, &exposed)?;
            (connection.ports, connection.held) = (ports, held);
        }
        if network.mode == NetworkMode::Private {
            let program = private::program(engine, network)?;
            let (led, by_hand) = private::divide(&program, &connection.ports)?;
            private::warn_of_ports(engine, &program, &bridged::published(&led)?);
            // It binds its own itself, and what is open at the clone stays open in init.
            let by_hand = bridged::published(&by_hand)?;
            let is_by_hand = |held: &Held| by_hand.iter().any(|port| held.is(port));
            connection.held.retain(|(_, held)| is_by_hand(held));
            connection.carried = led;
            attendant::write_private_names(&connection, &program)?;
            connection.program = Some(program);
        }
        if network.is_on_named() {
            connection.seats = bridged::take(engine, &prepared.record, network)?;
            if network.mode == NetworkMode::Private {
                let seats = connection.seats.iter_mut();
                seats.for_each(|seat| seat.member.gateways.clear());
            }
            connection.leads = bridged::first_address(&connection.seats);
            connection.warn_of_limits();
            connection.note()?;
            attendant::write_names(&connection)?;
        }
        Ok(connection)
    }

    /// Says what an ordinary user's network with a name cannot give.
    fn warn_of_limits(&self) {
        let of_bridge = self.shared.is_some() && self.program.is_none();
        let Some(first) = self.seats.first().filter(|_| of_bridge) else {
            return;
        };
        if self.prepared.asked.config.network.wants_host() {
            self.engine.ui.warn(
                "host-gateway: the host is not reached from an ordinary user's network with a \
                 name; --network private reaches it",
            );
        }
        if first.record.internal && !self.ports.is_empty() {
            let name = &first.record.name;
            self.engine.ui.warn(&format!(
                "--publish: no port leads into the internal network {name}"
            ));
        }
    }

    /// Writes down what the container has, before it has it: nobody who is killed leaves
    /// something that nobody knows of. A line more costs less than another file, which has to be
    /// made, to change places and to be removed.
    fn note(&self) -> common::Result<()> {
        let all = self.seats.iter().enumerate().map(|(index, seat)| {
            self.joined.get(index).cloned().unwrap_or(Joined {
                network: seat.record.name.clone(),
                device: None,
                published: false,
            })
        });
        let connected = Connected {
            joined: all.collect(),
            helpers: self.helpers.clone(),
            ports: self.ports.clone(),
            leads: self.leads,
            resolver: plan(&self.prepared.asked.config.network).is_some_and(|plan| plan.resolver),
            late: None,
        };
        let path = self.prepared.dir.path().join(FILE);
        let written =
            file::open_append(&path).and_then(|mut file| file.write_all(&connected.line()));
        written.map_err(|error| Error::io("write", path, error))
    }
}

impl Connecting for Connection<'_> {
    fn connect(&mut self, ends: Unconnected) -> common::Result<()> {
        let network = &self.prepared.asked.config.network;
        let ports = bridged::published(&self.ports)?;
        if let Some(program) = &self.program {
            self.helpers.push(private::connect(
                program,
                network,
                &self.carried,
                ends.namespace.as_fd(),
            )?);
            self.note()?;
            let held = std::mem::take(&mut self.held);
            if !held.is_empty() {
                let work = attendant::inside(held, ends.namespace.as_fd())?;
                self.helpers.push(attendant::begin(Role::Inside, work)?);
                self.note()?;
            }
        }
        for (index, seat) in self.seats.iter().enumerate() {
            // docker: ports lead to the first network.
            let is_first = index == 0 && self.program.is_none();
            let ports = if is_first { &ports[..] } else { &[] };
            self.joined.push(bridged::attach(
                self.engine,
                self.shared,
                seat,
                ports,
                ends.namespace.as_fd(),
            )?);
        }
        self.resolver = ends.resolver;
        Ok(())
    }

    /// Starts who answers for names and leads ports: until then whoever asks waits in a queue.
    fn attend(&mut self) -> common::Result<()> {
        if self.seats.is_empty() {
            return Ok(());
        }
        let resolver = std::mem::take(&mut self.resolver);
        let helpers = attendant::start(self, resolver.try_into().ok())?;
        self.helpers.extend(helpers);
        self.note()?;
        let container = self.prepared.record.id.as_str();
        for seat in &self.seats {
            network::note(&self.engine.store, &seat.record, "connect", Some(container));
        }
        Ok(())
    }
}

/// What the image says that it listens on.
fn exposed(engine: &Engine<'_>, record: &ContainerRecord) -> Vec<(u16, String)> {
    let words = record.config.map(|image| list::exposed(engine, &image));
    let one = |word: &String| {
        let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
        Some((number.parse().ok()?, protocol.to_owned()))
    };
    words.unwrap_or_default().iter().filter_map(one).collect()
}

/// Gives back what a container had of its networks. Its first process has ended.
pub(super) fn release(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    dir: &ContainerDir,
) -> Result<()> {
    let Some(connected) = Connected::noted(dir) else {
        return Ok(());
    };
    let mut done = Ok(());
    for joined in &connected.joined {
        if let Some(device) = joined.device.as_deref().filter(|_| joined.published) {
            done = done.and(bridge::free_ports(device, &bridged::find(engine)));
        }
        done = done.and(bridged::leave(engine, &record.id, &joined.network));
        if let Ok(Some(left)) = engine.store.networks().named(&joined.network) {
            let container = record.id.as_str();
            network::note(&engine.store, &left, "disconnect", Some(container));
        }
    }
    // Last: the share in a user's namespace ends with them. Ports are free at once.
    let has_share = !connected.joined.is_empty() && engine.mode != Mode::Root;
    let end = match !has_share && connected.ports.is_empty() {
        true => Helper::dismiss,
        false => Helper::end,
    };
    connected.helpers.iter().for_each(end);
    if let Some(late) = connected.late {
        late.helper.end();
    }
    file::remove_file(&dir.path().join(FILE))?;
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_line_counts() {
        let joined = |device: Option<&str>| Connected {
            joined: vec![Joined {
                network: "net".to_owned(),
                device: device.map(str::to_owned),
                published: false,
            }],
            ..Connected::default()
        };
        let (first, second) = (joined(None), joined(Some("kv-1")));
        let both = [first.line(), second.line()].concat();
        assert_eq!(Connected::last(&both), second);
        let whole = first.line().len();
        for length in whole..both.len() - 1 {
            assert_eq!(Connected::last(&both[..length]), first, "{length}");
        }
        assert_eq!(Connected::last(b"{\"joi"), Connected::default());
    }
}
