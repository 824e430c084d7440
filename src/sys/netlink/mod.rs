//! Netlink sockets: requests that are acknowledged one by one, and lists that the kernel gives.
//!
//! A socket belongs to the network namespace it was opened in, wherever its user goes later:
//! [`Netlink::route_in`] opens one in another namespace by a short visit there.

mod filter;
mod link;
mod message;
mod route;
mod track;

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};

use crate::common::{Error, Kind, Result};
pub(crate) use filter::{Element, Family, Set, is_outdated};
pub(crate) use link::{BridgePort, Link, LinkKind, Packets};
pub(crate) use message::{Message, Request, address, attribute, attributes, text, word};
pub(crate) use route::{HostAddress, Route};

/// Largest answer in bytes: the kernel fills at most this much in one go (32 KiB), and an
/// acknowledgement never has more.
const ANSWER: usize = 32 * 1024;
/// Text of the kernel in an error, and where in the message the fault is (`NLMSGERR_ATTR_`).
const ERROR_TEXT: u16 = 1;
/// The answer has attributes (`NLM_F_ACK_TLVS`).
const WITH_ATTRIBUTES: u16 = 0x200;

/// The list changed while it was made (`NLM_F_DUMP_INTR`).
const TORN: u16 = 0x10;

/// One socket, with the number of its last request.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    /// Where answers are received.
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket for links, addresses and routes (rtnetlink(7)) of the network namespace
    /// that this thread is in.
    pub(crate) fn route() -> Result<Netlink> {
        Netlink::open(SockProtocol::NetlinkRoute)
    }

    /// As [`Netlink::route`], for the network namespace `netns`.
    ///
    /// # Errors
    /// `Denied` without the rights of root over that namespace.
    pub(crate) fn route_in(netns: BorrowedFd<'_>) -> Result<Netlink> {
        super::namespace::in_network(netns, Netlink::route)?
    }

    /// Opens a socket for the packet filter of the network namespace that this thread is in.
    pub(crate) fn filter() -> Result<Netlink> {
        Netlink::open(SockProtocol::NetlinkNetFilter)
    }

    fn open(protocol: SockProtocol) -> Result<Netlink> {
        let failed = |errno| Error::errno("open netlink socket", "", errno);
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket =
            socket(AddressFamily::Netlink, SockType::Raw, flags, protocol).map_err(failed)?;
        Ok(Netlink::of(socket))
    }

    /// One that somebody else has opened: it is of their network namespace.
    pub(crate) fn of(socket: OwnedFd) -> Netlink {
        for option in [libc::NETLINK_CAP_ACK, libc::NETLINK_EXT_ACK] {
            // Before Linux 4.12 errors have no words: the number has to do.
            set_option(&socket, option);
        }
        // A list is as long as the machine has interfaces; memory is charged when it is used.
        let _ = setsockopt(&socket, sockopt::RcvBuf, &(4 << 20));
        Netlink {
            socket,
            sequence: 0,
            buffer: vec![0; ANSWER],
        }
    }

    /// The socket, for another process.
    pub(crate) fn into_socket(self) -> OwnedFd {
        self.socket
    }

    /// Sends `requests` in one go and waits for all acknowledgements. The kernel does them in
    /// order, and goes on after one that fails.
    ///
    /// # Errors
    /// The first that failed and is not tolerated.
    pub(crate) fn apply(&mut self, requests: &[Request]) -> Result<()> {
        let mut first = None;
        for result in self.each(requests)? {
            first = first.or(result.err());
        }
        first.map_or(Ok(()), Err)
    }

    /// As [`Netlink::apply`]; gives the result of each request.
    ///
    /// # Errors
    /// That nothing can be sent or received; then any of them may have been done.
    pub(crate) fn each(&mut self, requests: &[Request]) -> Result<Vec<Result<()>>> {
        // The kernel refuses a message of nothing.
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for request in requests {
            self.sequence = self.sequence.wrapping_add(1);
            request.finish(self.sequence, libc::NLM_F_ACK as u16, &mut bytes);
        }
        self.send(&bytes)?;
        let mut results: Vec<Option<Result<()>>> = requests.iter().map(|_| None).collect();
        while results.iter().any(Option::is_none) {
            for message in self.receive()? {
                let at = message.sequence.wrapping_sub(first) as usize;
                if i32::from(message.kind) == libc::NLMSG_ERROR
                    && let (Some(request), Some(slot)) = (requests.get(at), results.get_mut(at))
                {
                    *slot = Some(outcome(request, &message));
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Sends `requests` as one transaction of the packet filter: between `begin` and `end`, which
    /// have no acknowledgement, all or none of them is done.
    ///
    /// # Errors
    /// The first that the kernel refuses and that is not tolerated; then nothing was done.
    pub(crate) fn transact(
        &mut self,
        begin: &Request,
        requests: &[Request],
        end: &Request,
    ) -> Result<()> {
        let mut bytes = Vec::new();
        let first = self.sequence.wrapping_add(2);
        begin.finish(first.wrapping_sub(1), 0, &mut bytes);
        for (at, request) in requests.iter().enumerate() {
            let number = first.wrapping_add(at as u32);
            request.finish(number, libc::NLM_F_ACK as u16, &mut bytes);
        }
        self.sequence = first.wrapping_add(requests.len() as u32);
        end.finish(self.sequence, 0, &mut bytes);
        self.send(&bytes)?;
        let mut answered = 0;
        let mut result = Ok(());
        while answered < requests.len() {
            for message in self.receive()? {
                if i32::from(message.kind) != libc::NLMSG_ERROR {
                    continue;
                }
                let at = message.sequence.wrapping_sub(first) as usize;
                match requests.get(at) {
                    Some(request) => {
                        answered += 1;
                        result = result.and(outcome(request, &message));
                    }
                    // Of the frame: the whole is refused and no request has an answer.
                    None => return outcome(end, &message).and(result),
                }
            }
        }
        result
    }

    /// Asks for a list and gives its messages. A list during which something changed may miss
    /// entries that were there all the time, so it is asked for again.
    pub(crate) fn list(&mut self, request: &Request) -> Result<Vec<Message>> {
        loop {
            let found = self.list_once(request)?;
            if found.iter().all(|one| one.flags & TORN == 0) {
                return Ok(found);
            }
        }
    }

    fn list_once(&mut self, request: &Request) -> Result<Vec<Message>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        request.finish(self.sequence, libc::NLM_F_DUMP as u16, &mut bytes);
        self.send(&bytes)?;
        let mut found = Vec::new();
        loop {
            for message in self.receive()? {
                if message.sequence != self.sequence {
                    continue;
                }
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(found),
                    libc::NLMSG_ERROR => {
                        outcome(request, &message)?;
                        return Ok(found);
                    }
                    libc::NLMSG_NOOP => {}
                    _ => found.push(message),
                }
            }
        }
    }

    /// Asks for one object; `None` when the kernel has none of this name.
    pub(crate) fn get(&mut self, request: &Request) -> Result<Option<Message>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        request.finish(self.sequence, 0, &mut bytes);
        self.send(&bytes)?;
        loop {
            for message in self.receive()? {
                if message.sequence != self.sequence {
                    continue;
                }
                if i32::from(message.kind) != libc::NLMSG_ERROR {
                    return Ok(Some(message));
                }
                return match code(&message) {
                    libc::ENODEV | libc::ENOENT => Ok(None),
                    _ => outcome(request, &message).map(|()| None),
                };
            }
        }
    }

    /// Opens a socket that hears of every change of an interface of this namespace.
    pub(crate) fn link_news() -> Result<Netlink> {
        let news = Netlink::route()?;
        news.subscribe(libc::RTNLGRP_LINK)?;
        Ok(news)
    }

    /// Has news of the group `group` sent to this socket, which is for nothing else then.
    fn subscribe(&self, group: u32) -> Result<()> {
        // SAFETY: the value is an int that lives for the whole call, and its size is given.
        let result = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_NETLINK,
                libc::NETLINK_ADD_MEMBERSHIP,
                (&raw const group).cast(),
                size_of::<u32>() as libc::socklen_t,
            )
        };
        Errno::result(result)
            .map(drop)
            .map_err(|errno| Error::errno("subscribe to netlink group", "", errno))
    }

    /// Waits for news and takes them, whatever they are; false when none came in time.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<bool> {
        let failed = |errno| Error::errno("wait for netlink socket", "", errno);
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(0) => Ok(false),
            Err(Errno::EINTR) => Ok(true),
            Err(errno) => Err(failed(errno)),
            Ok(_) => {
                let socket = self.socket.as_raw_fd();
                match recv(socket, &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
                    // What was lost for want of room was news, too.
                    Ok(_) | Err(Errno::EAGAIN | Errno::EINTR | Errno::ENOBUFS) => Ok(true),
                    Err(errno) => Err(failed(errno)),
                }
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let fd = self.socket.as_raw_fd();
        // Named, it asks for the rights of the sender alone, and not for those of who has opened
        // the socket as well.
        let kernel = NetlinkAddr::new(0, 0);
        loop {
            match sendto(fd, bytes, &kernel, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::errno("send to netlink socket", "", errno)),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn receive(&mut self) -> Result<Vec<Message>> {
        loop {
            match recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::errno("read netlink socket", "", errno)),
                Ok(length) => return Ok(message::split(&self.buffer[..length])),
            }
        }
    }
}

/// The errno in an acknowledgement; zero for success.
fn code(message: &Message) -> i32 {
    word(&message.body, 0).map_or(libc::EIO, |word| -(word as i32))
}

/// What an acknowledgement says of its request.
fn outcome(request: &Request, message: &Message) -> Result<()> {
    let code = code(message);
    if code == 0 || request.tolerated.contains(&code) {
        return Ok(());
    }
    let errno = Errno::from_raw(code);
    let error = Error::errno(request.operation, &request.object, errno);
    // After the code comes the header of the request, which is all of it that is sent back.
    let words = (message.flags & WITH_ATTRIBUTES != 0)
        .then(|| message.body.get(4 + message::HEADER..))
        .flatten()
        .and_then(|rest| attribute(rest, ERROR_TEXT))
        .map(text);
    let said = match &words {
        Some(words) => error.hint(format!("the kernel says: {words}")),
        None => error,
    };
    Err(match errno {
        Errno::ENODEV | Errno::ENOENT => said.with_kind(Kind::NotFound),
        Errno::EEXIST | Errno::EADDRINUSE => said.with_kind(Kind::Conflict),
        Errno::EPERM => said.hint("this needs CAP_NET_ADMIN in the network's namespace"),
        _ => said,
    })
}

fn set_option(socket: &OwnedFd, option: i32) {
    let one: i32 = 1;
    // SAFETY: the value is an int that lives for the whole call, and its size is given.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            option,
            (&raw const one).cast(),
            size_of::<i32>() as libc::socklen_t,
        );
    }
}

#[cfg(test)]
mod tests;
