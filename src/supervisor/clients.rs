//! Those who are attached to a container, seen from its supervisor.
//!
//! Nothing a client does or leaves undone holds the payload up, but for the caller of a
//! foreground `run`: that one stands where the payload's own reader would, and a payload waits
//! for its reader.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::protocol::{FromSupervisor, MAX_MESSAGE, ToSupervisor, Wanted};
use crate::common::ExitStatus;
use crate::logs::Stream;
use crate::sys::socket::{self, Received};

/// Bytes kept for a client that does not read; with more it is let go of.
const PATIENCE: usize = 1 << 20;

/// Who a client is to the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Bond {
    /// The caller of a foreground `run`: the container ends with it, and waits for it.
    Owner,
    /// Came with the start (`start -a`): its end of input is the payload's.
    Starter,
    /// Came later.
    Visitor,
    /// Has connected and not said what it wants.
    Stranger,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    socket: OwnedFd,
    pub(super) bond: Bond,
    wanted: Wanted,
    queue: VecDeque<Vec<u8>>,
    queued: usize,
    gone: bool,
    /// It said so before it went.
    detached: bool,
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Bytes for the payload are in the buffer.
    Input(usize),
    /// Its input is over.
    EndInput,
    /// The terminal's size.
    Resize(crate::sys::tty::WindowSize),
    /// A signal for the payload.
    Signal(i32),
    /// Has come by name and is attached now.
    Attached,
    /// The same, and the container is to begin.
    Start,
    /// The container's health check was changed.
    CheckAnew,
    /// The container has come to another network.
    ServeAnew,
    /// It goes and leaves the container alone.
    Detached,
    /// It is gone without a word.
    Vanished,
    /// Nothing for now.
    Nothing,
}

impl Client {
    /// A client at the other end of `socket`.
    pub(super) fn new(socket: OwnedFd, bond: Bond, wanted: Wanted) -> Client {
        Client {
            socket,
            bond,
            wanted,
            queue: VecDeque::new(),
            queued: 0,
            gone: false,
            detached: false,
        }
    }

    /// What makes it again in another image.
    pub(super) fn parts(&self) -> (BorrowedFd<'_>, Bond, Wanted) {
        (self.socket.as_fd(), self.bond, self.wanted)
    }

    /// To wait for.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether something waits to be sent.
    pub(super) fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether the payload has to wait for it.
    pub(super) fn holds_up(&self) -> bool {
        self.bond == Bond::Owner && self.is_behind()
    }

    /// Whether it types.
    pub(super) fn types(&self) -> bool {
        self.wanted.stdin && !self.gone
    }

    /// Nothing can be sent to it or heard from it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether the container ends with it, and it went without a word.
    pub(super) fn is_missed(&self) -> bool {
        self.gone && self.bond == Bond::Owner && !self.detached
    }

    /// Gives it what the payload wrote, if it wants it.
    pub(super) fn show(&mut self, stream: Stream, bytes: &[u8]) {
        let wants = match stream {
            Stream::Stdout => self.wanted.stdout,
            Stream::Stderr => self.wanted.stderr,
        };
        if wants {
            self.send(&FromSupervisor::Output(stream, bytes));
        }
    }

    /// Sends a message, or keeps it until there is room.
    pub(super) fn send(&mut self, message: &FromSupervisor<'_>) {
        if self.gone || self.bond == Bond::Stranger {
            return;
        }
        let packet = message.encode();
        if self.queue.is_empty() {
            match socket::try_send(self.socket.as_fd(), &packet) {
                Ok(true) => return,
                Ok(false) => {}
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
        self.queued += packet.len();
        self.queue.push_back(packet);
        if self.queued > PATIENCE && self.bond != Bond::Owner {
            self.queue.clear();
            self.queue.push_back(FromSupervisor::Lagged.encode());
            self.wanted = Wanted::default();
        }
    }

    /// Sends what is kept, as far as there is room.
    pub(super) fn flush(&mut self) {
        while let Some(packet) = self.queue.front() {
            match socket::try_send(self.socket.as_fd(), packet) {
                Ok(true) => {
                    self.queued = self.queued.saturating_sub(packet.len());
                    self.queue.pop_front();
                }
                Ok(false) => return,
                Err(_) => {
                    self.gone = true;
                    self.queue.clear();
                }
            }
        }
        self.queue.shrink_to_fit();
    }

    /// Reads one message; what is typed lands in `buffer` from its second byte on.
    pub(super) fn hear(&mut self, buffer: &mut [u8; MAX_MESSAGE]) -> Said {
        let length = match socket::try_receive(self.socket.as_fd(), buffer) {
            Ok(Received::Message(length)) => length,
            Ok(Received::Nothing) => return Said::Nothing,
            Ok(Received::End) | Err(_) => {
                self.gone = true;
                return Said::Vanished;
            }
        };
        match ToSupervisor::decode(&buffer[..length]) {
            Some(ToSupervisor::Attach(wanted)) if self.bond == Bond::Stranger => {
                self.wanted = wanted;
                self.bond = Bond::Visitor;
                self.send(&FromSupervisor::Ready);
                Said::Attached
            }
            // Its answer tells whether the payload runs.
            Some(ToSupervisor::Start(wanted)) if self.bond == Bond::Stranger => {
                self.wanted = wanted;
                self.bond = Bond::Starter;
                Said::Start
            }
            Some(ToSupervisor::Input(bytes)) if self.wanted.stdin => Said::Input(bytes.len()),
            Some(ToSupervisor::EndInput) if self.wanted.stdin => {
                self.wanted.stdin = false;
                Said::EndInput
            }
            Some(ToSupervisor::Resize(size)) => Said::Resize(size),
            Some(ToSupervisor::Signal(number)) => Said::Signal(number),
            Some(ToSupervisor::CheckAnew) => Said::CheckAnew,
            Some(ToSupervisor::ServeAnew) => Said::ServeAnew,
            Some(ToSupervisor::Detach) => {
                (self.gone, self.detached) = (true, true);
                Said::Detached
            }
            _ => Said::Nothing,
        }
    }

    /// Tells it the end, which is the last it hears.
    pub(super) fn end(&mut self, status: ExitStatus) {
        self.send(&FromSupervisor::Exit(status));
        self.wanted = Wanted::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(bond: Bond) -> (Client, OwnedFd) {
        let (ours, theirs) = socket::message_pair().unwrap();
        let wanted = Wanted {
            stdin: true,
            stdout: true,
            stderr: false,
        };
        (Client::new(ours, bond, wanted), theirs)
    }

    #[test]
    fn a_client_that_never_reads_is_let_go_of_and_an_owner_is_waited_for() {
        let bytes = [b'x'; 16 * 1024];
        let (mut visitor, _unread) = pair(Bond::Visitor);
        let (mut owner, unread) = pair(Bond::Owner);
        for _ in 0..200 {
            visitor.show(Stream::Stdout, &bytes);
            owner.show(Stream::Stdout, &bytes);
        }
        assert!(visitor.queued <= PATIENCE + bytes.len() + 1 && visitor.queue.len() == 1);
        assert!(owner.holds_up() && owner.queue.len() > 100);
        let mut received = 0;
        while received < 200 {
            let (packet, _) = socket::receive(unread.as_fd()).unwrap().unwrap();
            assert_eq!(packet[0], b'1');
            received += 1;
            owner.flush();
        }
        assert!(!owner.is_behind());
        drop(unread);
        owner.show(Stream::Stdout, &bytes);
        assert!(owner.is_gone() && owner.is_missed() && !visitor.is_missed());
    }

    #[test]
    fn only_what_was_asked_for_is_sent_and_heard() {
        let mut buffer = [0; MAX_MESSAGE];
        let (mut client, theirs) = pair(Bond::Starter);
        client.show(Stream::Stderr, b"not wanted");
        client.show(Stream::Stdout, b"wanted");
        let (packet, _) = socket::receive(theirs.as_fd()).unwrap().unwrap();
        assert_eq!(packet, b"1wanted");
        socket::send(theirs.as_fd(), &ToSupervisor::Input(b"hey").encode(), None).unwrap();
        assert_eq!(client.hear(&mut buffer), Said::Input(3));
        assert_eq!(&buffer[1..4], b"hey");
        socket::send(theirs.as_fd(), b"nonsense", None).unwrap();
        assert_eq!(client.hear(&mut buffer), Said::Nothing);
        drop(theirs);
        assert_eq!(client.hear(&mut buffer), Said::Vanished);
    }
}
