//! A sequenced-packet socket with a name in a directory, for processes that are not related.
//!
//! The name is reached through a descriptor of its directory: a socket's path may have 107 bytes
//! only (unix(7)), and a store lies wherever the user wants it.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, connect, getsockopt,
    listen, socket, sockopt,
};

use super::descriptor::path_of;
use crate::common::{Error, Result};

/// Clients that may wait to be accepted.
const WAITING: i32 = 64;

/// Makes the socket `name` in `dir` and listens; what had the name before is replaced. Neither
/// the socket nor what it accepts ever blocks.
pub(crate) fn listen_at(dir: &Path, name: &str) -> Result<OwnedFd> {
    let path = dir.join(name);
    let failed = |errno| Error::errno("listen at", &path, errno);
    super::file::remove_file(&path)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let listener = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).map_err(failed)?;
    let held = File::open(dir).map_err(|error| Error::io("open", dir, error))?;
    bind(listener.as_raw_fd(), &address(&held, name).map_err(failed)?).map_err(failed)?;
    listen(&listener, Backlog::new(WAITING).map_err(failed)?).map_err(failed)?;
    Ok(listener)
}

/// Connects to the socket `name` in `dir`.
///
/// # Errors
/// `NotFound` when there is none or nobody listens any more.
pub(crate) fn connect_at(dir: &Path, name: &str) -> Result<OwnedFd> {
    let path = dir.join(name);
    let failed = |errno| match errno {
        Errno::ECONNREFUSED => Error::errno("connect to", &path, Errno::ENOENT),
        _ => Error::errno("connect to", &path, errno),
    };
    let flags = SockFlag::SOCK_CLOEXEC;
    let client = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).map_err(failed)?;
    let held = File::open(dir).map_err(|error| Error::io("open", dir, error))?;
    connect(client.as_raw_fd(), &address(&held, name).map_err(failed)?).map_err(failed)?;
    Ok(client)
}

/// The next client of a listener that is this very user, or root; `None` when nobody waits.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    loop {
        let number = match accept4(listener.as_raw_fd(), flags) {
            Err(Errno::EINTR | Errno::ECONNABORTED) => continue,
            other => other.ok()?,
        };
        // SAFETY: the kernel made this descriptor just now and nobody else owns it.
        let client = unsafe { OwnedFd::from_raw_fd(number) };
        let peer = getsockopt(&client.as_fd(), sockopt::PeerCredentials).ok();
        let own = nix::unistd::geteuid().as_raw();
        if peer.is_some_and(|peer| peer.uid() == own || peer.uid() == 0) {
            return Some(client);
        }
    }
}

fn address(dir: &File, name: &str) -> std::result::Result<UnixAddr, Errno> {
    UnixAddr::new(format!("{}/{name}", path_of(dir)).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Kind;
    use crate::sys::socket::{receive, send};

    #[test]
    fn a_name_below_a_long_path_is_found_and_its_end_is_seen() {
        let home = tempfile::TempDir::new().unwrap();
        let dir = home.path().join("d".repeat(120));
        std::fs::create_dir(&dir).unwrap();
        assert_eq!(connect_at(&dir, "x").unwrap_err().kind(), Kind::NotFound);
        let listener = listen_at(&dir, "x").unwrap();
        assert!(accept(listener.as_fd()).is_none());
        let client = connect_at(&dir, "x").unwrap();
        let server = accept(listener.as_fd()).unwrap();
        send(client.as_fd(), b"hello", None).unwrap();
        assert_eq!(receive(server.as_fd()).unwrap().unwrap().0, b"hello");
        drop(listener);
        assert_eq!(connect_at(&dir, "x").unwrap_err().kind(), Kind::NotFound);
        listen_at(&dir, "x").unwrap();
    }
}
