//! A client that is attached to a container: its terminal or streams, its signals, until the
//! container ends or the client leaves it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::detach::DetachKeys;
use super::protocol::{CHUNK, Failure, FromSupervisor, MAX_MESSAGE, ToSupervisor, Wanted};
use crate::common::{Error, ExitStatus, Kind};
use crate::logs::Stream;
use crate::sys::signal::Signals;
use crate::sys::socket::{self, Received};
use crate::sys::tty::{self, RawMode};

/// How a client takes part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Viewer {
    /// Its streams.
    pub(crate) wanted: Wanted,
    /// Its signals go to the payload.
    pub(crate) sig_proxy: bool,
    /// What it types to leave; only with a terminal.
    pub(crate) keys: DetachKeys,
}

impl Viewer {
    /// Whether it sees nothing of the container: docker then types what there is to type, and
    /// leaves the container alone.
    pub(crate) fn is_blind(&self) -> bool {
        !self.wanted.stdout && !self.wanted.stderr
    }
}

/// How a client's stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// With the container.
    Ended(ExitStatus),
    /// The client has left.
    Detached,
}

/// Messages taken before signals and what is typed have their turn.
const TURN: usize = 16;

/// A stay in progress.
struct Session<'a> {
    socket: &'a OwnedFd,
    viewer: Viewer,
    /// The container has a terminal.
    terminal: bool,
    /// The container ends with this client.
    bound: bool,
    stdin_open: bool,
    /// Typed, and not yet with the supervisor.
    pending: Vec<u8>,
    /// The end of input is still to be told.
    end_due: bool,
    leaving: bool,
}

/// Stays with a container until one of the two leaves.
///
/// # Errors
/// `BrokenPipe` when nobody reads this process's output any more.
pub(super) fn stay(
    socket: &OwnedFd,
    viewer: Viewer,
    signals: &Signals,
    (terminal, bound): (bool, bool),
) -> Result<Stay> {
    let stdin = tty::standard_input();
    let raw = match terminal && viewer.wanted.stdin {
        true => RawMode::enter(stdin),
        false => None,
    };
    let (blind, stdin_open) = (viewer.is_blind(), viewer.wanted.stdin);
    let mut session = Session {
        socket,
        stdin_open,
        viewer,
        terminal,
        bound,
        pending: Vec::new(),
        end_due: false,
        leaving: blind && !stdin_open,
    };
    session.resize();
    let stayed = session.watch(signals, stdin);
    drop(raw);
    stayed
}

impl Session<'_> {
    fn watch(&mut self, signals: &Signals, stdin: BorrowedFd<'_>) -> Result<Stay> {
        let mut packet = [0u8; MAX_MESSAGE];
        loop {
            let [from_socket, from_signals, from_stdin] = self.poll(signals, stdin)?;
            if from_signals {
                while let Some(number) = signals.next() {
                    if let Some(stay) = self.signal(number)? {
                        return Ok(stay);
                    }
                }
            }
            if from_stdin {
                self.type_in(stdin);
            }
            self.flush()?;
            if self.leaving && self.pending.is_empty() && !self.end_due {
                return Ok(Stay::Detached);
            }
            if from_socket && let Some(status) = self.listen(&mut packet)? {
                return Ok(Stay::Ended(status));
            }
        }
    }

    /// Does what the supervisor says, for a while; the status when the container has ended.
    fn listen(&self, packet: &mut [u8; MAX_MESSAGE]) -> Result<Option<ExitStatus>> {
        for _ in 0..TURN {
            match socket::try_receive(self.socket.as_fd(), packet) {
                Ok(Received::Message(length)) => {
                    if let Some(status) = hear(&packet[..length])? {
                        return Ok(Some(status));
                    }
                }
                Ok(Received::Nothing) => break,
                Ok(Received::End) | Err(_) => {
                    return Err(anyhow!("the container's supervisor is gone"));
                }
            }
        }
        Ok(None)
    }

    /// Whether the supervisor, a signal or standard input has something.
    fn poll(&self, signals: &Signals, stdin: BorrowedFd<'_>) -> Result<[bool; 3]> {
        let mut wanted = PollFlags::POLLIN;
        let behind = !self.pending.is_empty() || self.end_due || self.leaving;
        wanted.set(PollFlags::POLLOUT, behind);
        let mut fds = vec![
            PollFd::new(self.socket.as_fd(), wanted),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        if self.stdin_open && !behind {
            fds.push(PollFd::new(stdin, PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::errno("wait for", "the container", errno).into()),
        }
        let readable = PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
        let any = |at: usize| {
            let found = fds.get(at).and_then(PollFd::revents);
            found.is_some_and(|found| found.intersects(readable))
        };
        Ok([any(0), any(1), any(2)])
    }

    fn say(&self, message: &ToSupervisor<'_>) {
        // A supervisor that is gone shows when it is listened to.
        let _ = socket::send(self.socket.as_fd(), &message.encode(), None);
    }

    fn resize(&self) {
        if self.terminal
            && let Some(size) = tty::own_window_size()
        {
            self.say(&ToSupervisor::Resize(size));
        }
    }

    fn signal(&mut self, number: i32) -> Result<Option<Stay>> {
        match number {
            libc::SIGPIPE | libc::SIGURG => {}
            libc::SIGWINCH => self.resize(),
            _ if self.viewer.sig_proxy => self.say(&ToSupervisor::Signal(number)),
            libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT => {
                // Without the proxy the client ends, and what is bound to it as well.
                if !self.bound {
                    return Ok(Some(Stay::Ended(ExitStatus::Signal(number as u8))));
                }
                self.say(&ToSupervisor::Signal(libc::SIGKILL));
            }
            _ => {}
        }
        Ok(None)
    }

    fn type_in(&mut self, stdin: BorrowedFd<'_>) {
        let mut buffer = [0u8; CHUNK / 2];
        match nix::unistd::read(stdin, &mut buffer) {
            Ok(count) if count > 0 => {
                let typed = &buffer[..count];
                if !self.terminal {
                    self.pending.extend_from_slice(typed);
                } else if self.viewer.keys.filter(typed, &mut self.pending) {
                    self.leaving = true;
                    self.stdin_open = false;
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            _ => {
                self.stdin_open = false;
                self.end_due = true;
                self.leaving = self.viewer.is_blind();
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        let send = |packet: &[u8]| {
            socket::try_send(self.socket.as_fd(), packet).or_else(|errno| match errno {
                Errno::EPIPE | Errno::ECONNRESET => Ok(true),
                _ => Err(Error::errno("send to", "the container's supervisor", errno)),
            })
        };
        if !self.pending.is_empty() {
            if !send(&ToSupervisor::Input(&self.pending).encode())? {
                return Ok(());
            }
            self.pending.clear();
        }
        if self.end_due && send(&ToSupervisor::EndInput.encode())? {
            self.end_due = false;
        }
        if self.leaving && !self.end_due {
            self.say(&ToSupervisor::Detach);
        }
        Ok(())
    }
}

/// Does what the supervisor says; the status when the container has ended.
fn hear(packet: &[u8]) -> Result<Option<ExitStatus>> {
    match FromSupervisor::decode(packet) {
        Some(FromSupervisor::Output(stream, bytes)) => {
            let out = match stream {
                Stream::Stdout => tty::standard_output(),
                Stream::Stderr => tty::standard_error(),
            };
            write_all(out, bytes)?;
            Ok(None)
        }
        Some(FromSupervisor::Exit(status)) => Ok(Some(status)),
        Some(FromSupervisor::Failed(text)) => {
            Err(serde_json::from_slice::<Failure>(text)?.into_error())
        }
        Some(FromSupervisor::Lagged) => Err(Error::new(Kind::Conflict, "stay attached", "")
            .because("the container writes faster than its output is read".to_owned())
            .hint("its log has everything: ketch logs")
            .into()),
        _ => Ok(None),
    }
}

fn write_all(out: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(out, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(out, PollFlags::POLLOUT)];
                let _ = poll(&mut fds, PollTimeout::NONE);
            }
            Err(errno) => {
                return Err(io::Error::from(errno)).context("write the container's output");
            }
        }
    }
    Ok(())
}
