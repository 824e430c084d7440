//! Socket pairs between ketch's own processes, with descriptors in messages.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

use crate::common::{Error, Result};

/// Largest message in bytes.
pub(crate) const MAX_MESSAGE: usize = 8192;

/// A pair of connected sequenced-packet sockets, close-on-exec: one message per send, and end
/// of file when the other side is closed, be it by exec or by death.
pub(crate) fn message_pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(|errno| Error::errno("make socket pair", "", errno))
}

/// Sends one message, with a descriptor when there is one.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> std::result::Result<(), Errno> {
    let numbers = descriptor.map(|fd| [fd.as_raw_fd()]);
    let control: Vec<ControlMessage<'_>> = numbers
        .iter()
        .map(|fds| ControlMessage::ScmRights(fds))
        .collect();
    loop {
        let parts = [IoSlice::new(bytes)];
        match sendmsg::<()>(
            socket.as_raw_fd(),
            &parts,
            &control,
            MsgFlags::MSG_NOSIGNAL,
            None,
        ) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// Sends one message without waiting; false when there is no room for it now.
pub(crate) fn try_send(socket: BorrowedFd<'_>, bytes: &[u8]) -> std::result::Result<bool, Errno> {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    loop {
        match nix::sys::socket::send(socket.as_raw_fd(), bytes, flags) {
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN | Errno::ENOBUFS) => return Ok(false),
            other => return other.map(|_| true),
        }
    }
}

/// What a look at a socket has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A message of so many bytes.
    Message(usize),
    /// Nothing yet.
    Nothing,
    /// The other side is gone.
    End,
}

/// Receives one message into `buffer` without waiting; what does not fit in is cut off.
pub(crate) fn try_receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> std::result::Result<Received, Errno> {
    loop {
        match nix::sys::socket::recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Ok(Received::Nothing),
            // The other side went with messages unread. That is said once, before what it had
            // sent itself, and the next call gives that.
            Err(Errno::ECONNRESET) => {}
            Ok(0) => return Ok(Received::End),
            other => return other.map(Received::Message),
        }
    }
}

/// Whether the other side is gone.
pub(crate) fn is_deserted(socket: BorrowedFd<'_>) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut fds = [PollFd::new(socket, PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok()
        && fds[0]
            .revents()
            .is_some_and(|found| found.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
}

/// The bytes of a message and the descriptor that came with it.
type Message = (Vec<u8>, Option<OwnedFd>);

/// Receives one message; `None` when the other side is gone.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> std::result::Result<Option<Message>, Errno> {
    let mut buffer = vec![0u8; MAX_MESSAGE];
    let mut control = nix::cmsg_space!([i32; 1]);
    loop {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)
        {
            // As in `try_receive`.
            Err(Errno::EINTR | Errno::ECONNRESET) => continue,
            other => other?,
        };
        let mut descriptor = None;
        for item in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(fds) = item {
                for fd in fds {
                    // SAFETY: the kernel made this descriptor for us; dropping an earlier one
                    // closes it.
                    descriptor = Some(unsafe { OwnedFd::from_raw_fd(fd) });
                }
            }
        }
        let length = message.bytes;
        if length == 0 && descriptor.is_none() {
            return Ok(None);
        }
        buffer.truncate(length);
        return Ok(Some((buffer, descriptor)));
    }
}
