//! Ports of the host led to a container by hand: for clients on the host's loopback device, whom
//! no packet filter leads anywhere.

use std::collections::HashMap;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};

use crate::sys::net;

/// How long the container may take to accept.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client of datagrams may be silent.
const IDLE: Duration = Duration::from_secs(90);
/// Connections and clients of datagrams of one port at once.
const MOST: usize = 1024;
/// After this it is looked again whether there is room for a client.
const AGAIN: Duration = Duration::from_millis(50);
/// Bytes that are copied at once.
const BUFFER: usize = 64 << 10;
/// Bytes that a connection has carried when it gets a pipe of [`PIPE`] bytes.
const MUCH: usize = 1 << 20;
/// A pipe for much data: four times the usual one.
const PIPE: i32 = 256 << 10;
/// Bytes that are spliced at once: a page in a pipe may be a large one, so more than it says fits.
const WIDE: usize = 1 << 20;
/// Datagrams that one sender is served before the others have their turn.
const ROUND: usize = 64;
/// Stack of a thread that copies, in bytes: the buffer is on the heap.
const STACK: usize = 64 << 10;

/// A port of the host and where it leads.
#[derive(Debug)]
pub(crate) enum Forward {
    /// Streams.
    Tcp {
        /// Listens.
        listener: TcpListener,
        /// The container's address.
        target: SocketAddr,
    },
    /// Datagrams.
    Udp {
        /// Bound.
        socket: UdpSocket,
        /// The container's address.
        target: SocketAddr,
    },
}

/// A port at work.
pub(super) struct Port {
    forward: Forward,
    open: Arc<AtomicUsize>,
    /// The last client could not be let in.
    full: bool,
    /// Clients of datagrams, each with a socket of its own towards the container.
    clients: HashMap<SocketAddr, (UdpSocket, Instant)>,
}

impl Port {
    pub(super) fn new(forward: Forward) -> std::io::Result<Port> {
        match &forward {
            Forward::Tcp { listener, .. } => listener.set_nonblocking(true)?,
            Forward::Udp { socket, .. } => socket.set_nonblocking(true)?,
        }
        Ok(Port {
            forward,
            open: Arc::default(),
            full: false,
            clients: HashMap::new(),
        })
    }

    /// Clients have to wait: there are too many, or no descriptors for more.
    fn is_full(&self) -> bool {
        self.full || self.open.load(Ordering::Relaxed) >= MOST
    }

    /// What to wait for.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let own = match &self.forward {
            Forward::Tcp { .. } if self.is_full() => None,
            Forward::Tcp { listener, .. } => Some(listener.as_fd()),
            Forward::Udp { socket, .. } => Some(socket.as_fd()),
        };
        let clients = self.clients.values().map(|(socket, _)| socket.as_fd());
        own.into_iter().chain(clients).collect()
    }

    /// When something is due next.
    pub(super) fn due(&self) -> Option<Instant> {
        let again = self.is_full().then(|| Instant::now() + AGAIN);
        let idle = self.clients.values().map(|(_, last)| *last + IDLE).min();
        idle.into_iter().chain(again).min()
    }

    /// Does all there is to do now.
    pub(super) fn serve(&mut self) {
        match &self.forward {
            Forward::Tcp { listener, target } => {
                self.full = false;
                while self.open.load(Ordering::Relaxed) < MOST {
                    match listener.accept() {
                        Ok((client, _)) => connect(client, *target, &self.open),
                        Err(error) => {
                            let none = error.kind() == ErrorKind::WouldBlock;
                            self.full = !none && error.kind() != ErrorKind::ConnectionAborted;
                            break;
                        }
                    }
                }
            }
            Forward::Udp { socket, target } => {
                datagrams(socket, *target, &mut self.clients);
            }
        }
    }
}

/// Joins a client to the container, on two threads.
fn connect(client: TcpStream, target: SocketAddr, open: &Arc<AtomicUsize>) {
    if open.fetch_add(1, Ordering::Relaxed) >= MOST {
        open.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let count = open.clone();
    let work = move || {
        let _ = join(client, target);
        count.fetch_sub(1, Ordering::Relaxed);
    };
    if thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .is_err()
    {
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn join(client: TcpStream, target: SocketAddr) -> std::io::Result<()> {
    client.set_nonblocking(false)?;
    let server = TcpStream::connect_timeout(&target, PATIENCE)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    thread::scope(|scope| {
        let back = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || copy(&server, &client));
        match back {
            Ok(_) => copy(&client, &server),
            Err(_) => drop(client.shutdown(Shutdown::Both)),
        }
    });
    Ok(())
}

/// Copies to the end, which is handed on: the other direction goes on.
fn copy(from: &TcpStream, to: &TcpStream) {
    let copied = match std::io::pipe() {
        Ok((reader, writer)) => through(from, to, &reader, &writer),
        // Too many are open: a buffer takes no descriptor.
        Err(_) => by_hand(from, to),
    };
    match copied {
        Ok(()) => drop(to.shutdown(Shutdown::Write)),
        // Nobody reads any more: the sender is to know.
        Err(_) => {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    }
}

/// Copies through a pipe: what is there goes on at once, and the kernel hands pages on.
fn through(
    from: &TcpStream,
    to: &TcpStream,
    reader: &PipeReader,
    writer: &PipeWriter,
) -> std::io::Result<()> {
    let mut before_wider = MUCH;
    loop {
        let mut held = net::splice(from.as_fd(), writer.as_fd(), WIDE)?;
        if held == 0 {
            return Ok(());
        }
        if before_wider > 0 {
            before_wider = before_wider.saturating_sub(held);
            if before_wider == 0 {
                // Where this user's pipes have no more room, the pipe stays as it is.
                let _ = fcntl(writer, FcntlArg::F_SETPIPE_SZ(PIPE));
            }
        }
        while held > 0 {
            held -= match net::splice(reader.as_fd(), to.as_fd(), held)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                moved => moved,
            };
        }
    }
}

/// Copies through a buffer.
fn by_hand(mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hands datagrams on in both directions.
fn datagrams(
    socket: &UdpSocket,
    target: SocketAddr,
    clients: &mut HashMap<SocketAddr, (UdpSocket, Instant)>,
) {
    let mut buffer = [0; BUFFER];
    let now = Instant::now();
    for _ in 0..ROUND {
        let (length, client) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // Of a client that has closed its port: the answer to it came back.
            Err(_) => continue,
        };
        if !clients.contains_key(&client) {
            let Some(towards) = (clients.len() < MOST)
                .then(|| net::udp_towards(target).ok())
                .flatten()
            else {
                continue;
            };
            clients.insert(client, (towards, now));
        }
        if let Some((towards, last)) = clients.get_mut(&client) {
            *last = now;
            let _ = towards.send(&buffer[..length]);
        }
    }
    for (client, (towards, last)) in clients.iter_mut() {
        for _ in 0..ROUND {
            match towards.recv(&mut buffer) {
                Ok(length) => {
                    *last = now;
                    let _ = socket.send_to(&buffer[..length], client);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // The container does not listen, at the moment.
                Err(_) => {}
            }
        }
    }
    clients.retain(|_, (_, last)| now.duration_since(*last) < IDLE);
}

#[cfg(test)]
mod tests;
