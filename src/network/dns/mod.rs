//! The resolver of a container on networks with names: 127.0.0.11 inside, served from outside.
//!
//! Names of other containers come from the store's files, read anew when they change; all others
//! are asked of the host's resolvers, from the host's network.

mod message;
mod names;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use message::{NO_ERROR, NO_NAME, Query, REFUSED, SERVER_FAILURE};
use names::{Found, Names};

use crate::common::{Error, Result};
use crate::sys::{file, net};

/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions that are asked of others at once.
const PENDING: usize = 256;
/// Streams that are answered at once.
const STREAMS: usize = 16;

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
}

/// A question that somebody else is to answer.
struct Pending {
    client: SocketAddr,
    id: u16,
    query: Query,
    bytes: Vec<u8>,
    server: usize,
    due: Instant,
}

/// A resolver at work.
pub(crate) struct Server {
    resolver: Resolver,
    names: Names,
    /// Towards each server, connected: nobody else can answer.
    outside: Vec<UdpSocket>,
    pending: HashMap<u16, Pending>,
    streams: Arc<AtomicUsize>,
}

impl Server {
    /// Opens what is needed towards the servers.
    ///
    /// # Errors
    /// socket(2)'s; a server that cannot be reached is left out.
    pub(crate) fn new(resolver: Resolver) -> Result<Server> {
        let fail = |error| Error::io("resolve names", "", error);
        let mut outside = Vec::new();
        let mut servers = Vec::new();
        for server in &resolver.servers {
            if let Ok(socket) = net::udp_towards(*server) {
                outside.push(socket);
                servers.push(*server);
            }
        }
        resolver.datagrams.set_nonblocking(true).map_err(fail)?;
        resolver.streams.set_nonblocking(true).map_err(fail)?;
        let names = Names::new(resolver.networks.clone(), resolver.container.clone());
        Ok(Server {
            resolver: Resolver {
                servers,
                ..resolver
            },
            names,
            outside,
            pending: HashMap::new(),
            streams: Arc::default(),
        })
    }

    /// What to wait for.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let mut all = vec![
            self.resolver.datagrams.as_fd(),
            self.resolver.streams.as_fd(),
        ];
        all.extend(self.outside.iter().map(AsFd::as_fd));
        all
    }

    /// When something is due next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.due).min()
    }

    /// Does all there is to do now.
    pub(crate) fn serve(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = self.resolver.datagrams.recv_from(&mut buffer) {
            self.question(&buffer[..length], client);
        }
        for server in 0..self.outside.len() {
            while let Ok(length) = self.outside[server].recv(&mut buffer) {
                self.answer(&mut buffer[..length], server);
            }
        }
        while let Ok((stream, _)) = self.resolver.streams.accept() {
            self.stream(stream);
        }
        self.hurry();
    }

    fn question(&mut self, bytes: &[u8], client: SocketAddr) {
        let reply = match message::parse(bytes) {
            Err(reply) => reply,
            Ok(query) => {
                let room = query.room();
                match local(&mut self.names, &query, !self.outside.is_empty()) {
                    Some((code, records)) => Some(query.answer(code, &records, room)),
                    None => self.ask(query, bytes, client),
                }
            }
        };
        if let Some(reply) = reply {
            let _ = self.resolver.datagrams.send_to(&reply, client);
        }
    }

    /// Passes a question on; gives the answer when that is not possible.
    fn ask(&mut self, query: Query, bytes: &[u8], client: SocketAddr) -> Option<Vec<u8>> {
        let fresh = file::random::<2>().ok().map(u16::from_ne_bytes);
        let fresh = fresh.filter(|id| !self.pending.contains_key(id));
        let Some(fresh) = fresh.filter(|_| self.pending.len() < PENDING) else {
            return Some(query.answer(SERVER_FAILURE, &[], query.room()));
        };
        let mut bytes = bytes.to_vec();
        bytes[..2].copy_from_slice(&fresh.to_be_bytes());
        let pending = Pending {
            client,
            id: query.id,
            query,
            bytes,
            server: 0,
            due: Instant::now() + PATIENCE,
        };
        let _ = self.outside[0].send(&pending.bytes);
        self.pending.insert(fresh, pending);
        None
    }

    /// Hands an answer to who has asked.
    fn answer(&mut self, bytes: &mut [u8], server: usize) {
        let Some(Ok(id)) = bytes
            .get(..2)
            .map(|id| <[u8; 2]>::try_from(id).map(u16::from_be_bytes))
        else {
            return;
        };
        if self
            .pending
            .get(&id)
            .is_none_or(|pending| pending.server != server)
        {
            return;
        }
        if let Some(pending) = self.pending.remove(&id) {
            bytes[..2].copy_from_slice(&pending.id.to_be_bytes());
            let _ = self.resolver.datagrams.send_to(bytes, pending.client);
        }
    }

    /// Asks the next server where one does not answer.
    fn hurry(&mut self) {
        let now = Instant::now();
        let late: Vec<u16> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.due <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let Some(pending) = self.pending.get_mut(&id) else {
                continue;
            };
            pending.server += 1;
            pending.due = now + PATIENCE;
            match self.outside.get(pending.server) {
                Some(next) => drop(next.send(&pending.bytes)),
                None => {
                    let query = &pending.query;
                    let reply = query.answer(SERVER_FAILURE, &[], query.room());
                    let _ = self.resolver.datagrams.send_to(&reply, pending.client);
                    self.pending.remove(&id);
                }
            }
        }
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
        let servers = self.resolver.servers.clone();
        let count = self.streams.clone();
        let work = move || {
            let _ = converse(stream, &mut names, &servers);
            count.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().spawn(work).is_err() {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What is known here; `None` for what others are to be asked.
fn local(names: &mut Names, query: &Query, has_servers: bool) -> Option<(u8, Vec<message::Data>)> {
    // Nobody needs another class, and asking others would be a way out of an internal network.
    if !query.is_internet {
        return Some((REFUSED, Vec::new()));
    }
    match names.find(&query.name, query.kind) {
        Found::Records(records) => Some((NO_ERROR, records)),
        Found::Unknown { outside: true } if has_servers => None,
        // Without a way out no other name is one.
        Found::Unknown { .. } => Some((NO_NAME, Vec::new())),
    }
}

/// Questions and answers over one stream, each with its length before it.
fn converse(
    mut stream: TcpStream,
    names: &mut Names,
    servers: &[SocketAddr],
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    loop {
        let bytes = read_message(&mut stream)?;
        let reply = match message::parse(&bytes) {
            Err(reply) => reply.unwrap_or_default(),
            Ok(query) => match local(names, &query, !servers.is_empty()) {
                Some((code, records)) => query.answer(code, &records, usize::from(u16::MAX)),
                None => {
                    let mut asked = servers.iter().map(|server| ask_by_stream(server, &bytes));
                    let asked = asked.find_map(std::io::Result::ok);
                    asked.unwrap_or_else(|| query.answer(SERVER_FAILURE, &[], usize::MAX))
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
