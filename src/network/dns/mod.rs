//! The resolver of a container on networks with names: 127.0.0.11 inside, served from outside.
//!
//! Names of other containers come from the store's files, read anew when they change; all others
//! are asked of the host's resolvers, from the host's network.

mod message;
mod names;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use message::{NO_ERROR, NO_NAME, Query, REFUSED, SERVER_FAILURE};
use names::{Found, Names};

use crate::common::{Error, Result};
use crate::sys::{file, net};

/// Where a container of a named network finds its resolver (moby, `libnetwork/resolver.go`).
const PLACE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 11), 53);

/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a socket that waits for its question is good for: the machine may come to another
/// network, where it had another address.
const FRESH: Duration = Duration::from_secs(1);
/// Questions that are asked of others at once.
const PENDING: usize = 256;
/// Datagrams of one kind that are read before the others have their turn.
const ROUND: usize = 64;
/// Streams that are answered at once.
const STREAMS: usize = 16;

/// Opens the sockets at which a container asks for names, for datagrams and for streams, in the
/// network namespace of this thread.
///
/// # Errors
/// bind(2)'s: somebody has the port.
pub(crate) fn listen() -> Result<[OwnedFd; 2]> {
    let failed = |error| Error::io("listen for names on", PLACE.to_string(), error);
    let datagrams = UdpSocket::bind(PLACE).map_err(failed)?;
    let streams = TcpListener::bind(PLACE).map_err(failed)?;
    Ok([datagrams.into(), streams.into()])
}

/// What a resolver works with.
#[derive(Debug)]
pub(crate) struct Resolver {
    /// Socket for datagrams, in the container's namespace.
    pub(crate) datagrams: UdpSocket,
    /// Socket for streams, there too.
    pub(crate) streams: TcpListener,
    /// The store's folder of networks.
    pub(crate) networks: PathBuf,
    /// Id of the container.
    pub(crate) container: String,
    /// Who is asked for all other names, in order.
    pub(crate) servers: Vec<SocketAddr>,
    /// They were asked for, and count for more than those of the networks.
    pub(crate) asked: bool,
}

/// A question that somebody else is to answer.
struct Pending {
    client: SocketAddr,
    query: Query,
    /// The question as it is passed on, under a number of ours.
    bytes: Vec<u8>,
    /// Towards the server that is asked now: a port of its own, which nobody can guess, and
    /// connected, so that nobody else can answer.
    towards: Option<UdpSocket>,
    servers: Arc<[SocketAddr]>,
    /// How many servers have been asked.
    asked: usize,
    due: Instant,
    /// What the last server said that had no answer.
    failure: Option<Vec<u8>>,
}

/// How it stands with a question.
enum State {
    Waiting,
    /// This server has none.
    Failed(Option<Vec<u8>>),
    Answered(Vec<u8>),
}

/// A socket for the next question, made while the last one's answer was waited for.
struct Spare {
    server: SocketAddr,
    made: Instant,
    socket: UdpSocket,
}

impl Spare {
    /// One towards the server that will be asked first.
    fn towards(server: SocketAddr) -> Option<Spare> {
        Some(Spare {
            server,
            made: Instant::now(),
            socket: net::udp_towards(server).ok()?,
        })
    }

    /// Whether a question to `server` can go out from it. What has come before the question is
    /// no answer to it, and who sent it may know the port.
    fn is_good(&self, server: SocketAddr) -> bool {
        let heard = self.socket.recv(&mut [0]).map_err(|error| error.kind());
        let silent = heard == Err(ErrorKind::WouldBlock);
        self.server == server && silent && self.made.elapsed() < FRESH
    }
}

/// Who is asked for names outside.
#[derive(Clone)]
struct Beyond {
    own: Arc<[SocketAddr]>,
    asked: bool,
}

impl Beyond {
    /// Those of the container's networks, where it has not asked for its own.
    fn servers(&self, names: &Names) -> Arc<[SocketAddr]> {
        match names.resolvers() {
            theirs if !self.asked && !theirs.is_empty() => theirs.into(),
            _ => self.own.clone(),
        }
    }
}

/// A resolver at work.
pub(crate) struct Server {
    resolver: Resolver,
    names: Names,
    beyond: Beyond,
    spare: Option<Spare>,
    pending: Vec<Pending>,
    streams: Arc<AtomicUsize>,
}

impl Server {
    /// Takes over the sockets.
    ///
    /// # Errors
    /// fcntl(2)'s.
    pub(crate) fn new(resolver: Resolver) -> Result<Server> {
        let fail = |error| Error::io("resolve names", "", error);
        resolver.datagrams.set_nonblocking(true).map_err(fail)?;
        resolver.streams.set_nonblocking(true).map_err(fail)?;
        let names = Names::new(resolver.networks.clone(), resolver.container.clone());
        Ok(Server {
            beyond: Beyond {
                own: resolver.servers.as_slice().into(),
                asked: resolver.asked,
            },
            resolver,
            names,
            spare: None,
            pending: Vec::new(),
            streams: Arc::default(),
        })
    }

    /// What to wait for.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let mut all = vec![
            self.resolver.datagrams.as_fd(),
            self.resolver.streams.as_fd(),
        ];
        let outside = self.pending.iter().filter_map(|one| one.towards.as_ref());
        all.extend(outside.map(AsFd::as_fd));
        all
    }

    /// When something is due next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.due).min()
    }

    /// Does what there is to do now, of each kind as much as leaves time for the others.
    pub(crate) fn serve(&mut self) {
        let mut buffer = [0; 4096];
        // Who has asked waits longest.
        let now = Instant::now();
        let (datagrams, spare) = (&self.resolver.datagrams, &mut self.spare);
        self.pending.retain_mut(|pending| {
            let reply = match pending.hear(&mut buffer, now) {
                State::Waiting => return true,
                State::Answered(reply) => reply,
                State::Failed(said) => {
                    pending.failure = said.or(pending.failure.take());
                    if pending.ask(spare) {
                        return true;
                    }
                    pending.give_up()
                }
            };
            let _ = datagrams.send_to(&reply, pending.client);
            false
        });
        for _ in 0..ROUND {
            let Ok((length, client)) = self.resolver.datagrams.recv_from(&mut buffer) else {
                break;
            };
            self.question(&buffer[..length], client);
        }
        for _ in 0..STREAMS {
            let Ok((stream, _)) = self.resolver.streams.accept() else {
                break;
            };
            self.stream(stream);
        }
    }

    fn question(&mut self, bytes: &[u8], client: SocketAddr) {
        let reply = match message::parse(bytes) {
            Err(reply) => reply,
            Ok(query) => {
                let room = query.room();
                match local(&mut self.names, &query) {
                    Some((code, records)) => Some(query.answer(code, &records, room)),
                    None => self.pass_on(query, bytes, client),
                }
            }
        };
        if let Some(reply) = reply {
            let _ = self.resolver.datagrams.send_to(&reply, client);
        }
    }

    /// Passes a question on; gives the answer when that is not possible.
    fn pass_on(&mut self, query: Query, bytes: &[u8], client: SocketAddr) -> Option<Vec<u8>> {
        let servers = self.beyond.servers(&self.names);
        if servers.is_empty() {
            return Some(query.answer(NO_NAME, &[], query.room()));
        }
        let mut pending = Pending {
            client,
            query,
            bytes: bytes.to_vec(),
            servers,
            towards: None,
            asked: 0,
            due: Instant::now(),
            failure: None,
        };
        if self.pending.len() >= PENDING || !pending.ask(&mut self.spare) {
            return Some(pending.give_up());
        }
        let first = pending.servers[0];
        self.pending.push(pending);
        if self.spare.is_none() {
            self.spare = Spare::towards(first);
        }
        None
    }

    /// Answers over a stream, on a thread: they are rare.
    fn stream(&self, stream: TcpStream) {
        if self.streams.fetch_add(1, Ordering::Relaxed) >= STREAMS {
            self.streams.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let mut names = Names::new(
            self.resolver.networks.clone(),
            self.resolver.container.clone(),
        );
        let beyond = self.beyond.clone();
        let count = self.streams.clone();
        let work = move || {
            let _ = converse(stream, &mut names, &beyond);
            count.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().spawn(work).is_err() {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Pending {
    /// Asks the next server that can be reached; false when there is none left.
    fn ask(&mut self, spare: &mut Option<Spare>) -> bool {
        while let Some(server) = self.servers.get(self.asked) {
            self.asked += 1;
            let Ok(number) = file::random::<2>() else {
                return false;
            };
            self.bytes[..2].copy_from_slice(&number);
            let ready = spare.take().filter(|spare| spare.is_good(*server));
            let socket = match ready {
                Some(spare) => Ok(spare.socket),
                None => net::udp_towards(*server),
            };
            if let Ok(socket) = socket
                && socket.send(&self.bytes).is_ok()
            {
                self.towards = Some(socket);
                self.due = Instant::now() + PATIENCE;
                return true;
            }
        }
        false
    }

    /// Hears what its server says.
    fn hear(&self, buffer: &mut [u8], now: Instant) -> State {
        let Some(towards) = &self.towards else {
            return State::Failed(None);
        };
        for _ in 0..ROUND {
            let length = match towards.recv(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Nobody listens there.
                Err(_) => return State::Failed(None),
            };
            let said = &buffer[..length];
            if let Some(code) = message::code_of(said, &self.bytes, &self.query) {
                let mut reply = said.to_vec();
                reply[..2].copy_from_slice(&self.query.id.to_be_bytes());
                return match message::is_final(code) {
                    true => State::Answered(reply),
                    false => State::Failed(Some(reply)),
                };
            }
        }
        match self.due <= now {
            true => State::Failed(None),
            false => State::Waiting,
        }
    }

    /// The answer when nobody had one.
    fn give_up(&mut self) -> Vec<u8> {
        let own = || self.query.answer(SERVER_FAILURE, &[], self.query.room());
        self.failure.take().unwrap_or_else(own)
    }
}

/// What is known here; `None` for what others are to be asked.
fn local(names: &mut Names, query: &Query) -> Option<(u8, Vec<message::Data>)> {
    // Nobody needs another class, and asking others would be a way out of an internal network.
    if !query.is_internet {
        return Some((REFUSED, Vec::new()));
    }
    match names.find(&query.name, query.kind) {
        Found::Records(records) => Some((NO_ERROR, records)),
        Found::Unknown { outside: true } => None,
        // Without a way out no other name is one.
        Found::Unknown { .. } => Some((NO_NAME, Vec::new())),
    }
}

/// Questions and answers over one stream, each with its length before it.
fn converse(mut stream: TcpStream, names: &mut Names, beyond: &Beyond) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    loop {
        let bytes = read_message(&mut stream)?;
        let reply = match message::parse(&bytes) {
            Err(reply) => reply.unwrap_or_default(),
            Ok(query) => match local(names, &query) {
                Some((code, records)) => query.answer(code, &records, usize::from(u16::MAX)),
                None => {
                    let servers = beyond.servers(names);
                    let mut asked = servers.iter().map(|server| ask_by_stream(server, &bytes));
                    let asked = asked.find_map(|said| {
                        let said = said.ok()?;
                        let code = message::code_of(&said, &bytes, &query)?;
                        message::is_final(code).then_some(said)
                    });
                    let code = if servers.is_empty() {
                        NO_NAME
                    } else {
                        SERVER_FAILURE
                    };
                    asked.unwrap_or_else(|| query.answer(code, &[], usize::MAX))
                }
            },
        };
        if reply.is_empty() {
            return Ok(());
        }
        write_message(&mut stream, &reply)?;
    }
}

fn ask_by_stream(server: &SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write_message(&mut stream, bytes)?;
    read_message(&mut stream)
}

fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn write_message(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut whole = length.to_be_bytes().to_vec();
    whole.extend(&bytes[..usize::from(length)]);
    stream.write_all(&whole)
}

#[cfg(test)]
mod tests;
