//! The loopback device, by ioctl: all that a network namespace without interfaces needs. Sockets
//! that listen, and what goes from one to another without a copy.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, bind, listen, setsockopt,
    socket, sockopt,
};

use crate::common::{Error, Result};

/// Brings up `lo` in the current network namespace (netdevice(7)).
pub(crate) fn loopback_up() -> Result<()> {
    let failed = |errno| Error::errno("bring up network device", "lo", errno);
    let socket = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .map_err(failed)?;
    // SAFETY: ifreq is plain data; all zero is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which lives for the whole call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(result).map(drop).map_err(failed)
}

/// Whether this machine speaks IPv6 (`/proc/net/if_inet6` is there and not empty).
pub(crate) fn has_ipv6() -> bool {
    std::fs::read("/proc/net/if_inet6").is_ok_and(|text| !text.is_empty())
}

/// A bound UDP socket of one family alone.
///
/// # Errors
/// bind(2)'s.
pub(crate) fn bind_udp(at: SocketAddr) -> io::Result<UdpSocket> {
    bound(at, SockType::Datagram).map(UdpSocket::from)
}

/// A UDP socket connected to one place, which does not wait.
///
/// # Errors
/// socket(2)'s and connect(2)'s: no way leads there.
pub(crate) fn udp_towards(place: SocketAddr) -> io::Result<UdpSocket> {
    let family = match place.is_ipv4() {
        true => AddressFamily::Inet,
        false => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    // connect(2) gives it a port.
    let socket = UdpSocket::from(socket(family, SockType::Datagram, flags, None)?);
    socket.connect(place)?;
    Ok(socket)
}

/// A listening TCP socket of one family alone. Connections of an earlier listener that linger do
/// not stand in its way.
///
/// # Errors
/// bind(2)'s and listen(2)'s.
pub(crate) fn listen_tcp(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(at, SockType::Stream)?;
    listen(&socket, Backlog::MAXCONN)?;
    Ok(TcpListener::from(socket))
}

fn bound(at: SocketAddr, kind: SockType) -> io::Result<OwnedFd> {
    let family = match at {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let made = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    if at.is_ipv6() {
        let on: libc::c_int = 1;
        // SAFETY: the option takes an int, which lives for the whole call.
        let result = unsafe {
            libc::setsockopt(
                made.as_raw_fd(),
                libc::IPPROTO_IPV6,
                libc::IPV6_V6ONLY,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        Errno::result(result)?;
    }
    if kind == SockType::Stream {
        setsockopt(&made, sockopt::ReuseAddr, &true)?;
    }
    match at {
        SocketAddr::V4(at) => bind(made.as_raw_fd(), &SockaddrIn::from(at))?,
        SocketAddr::V6(at) => bind(made.as_raw_fd(), &SockaddrIn6::from(at))?,
    }
    Ok(made)
}

/// Moves at most `most` bytes from one descriptor to another, of which one is a pipe, and waits
/// until there are some (splice(2)). 0 is the end.
pub(crate) fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    let none = std::ptr::null_mut();
    loop {
        // SAFETY: both descriptors are borrowed for the call, and no offset is pointed to.
        let moved = unsafe { libc::splice(from, none, to, none, most, libc::SPLICE_F_MOVE) };
        match Errno::result(moved) {
            Ok(moved) => return Ok(moved.unsigned_abs()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
