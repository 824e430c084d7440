//! The container's side of its network: a namespace that the caller connects from outside.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

use super::Init;
use crate::common::{Error, Result};
use crate::runtime::message::FromInit;
use crate::sys::{net, socket};

/// Where a container of a named network finds its resolver (moby, `libnetwork/resolver.go`).
const RESOLVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 11), 53);

/// Brings up the loopback device and hands the namespace out, so that the caller connects it
/// while the mounts are made.
pub(super) fn announce(init: &mut Init<'_>) -> Result<()> {
    if init.plan.loopback {
        net::loopback_up()?;
    }
    let Some(connect) = &init.plan.connect else {
        return Ok(());
    };
    if connect.resolver {
        let failed = |error| Error::io("listen for names on", "127.0.0.11:53", error);
        let datagrams = UdpSocket::bind(RESOLVER).map_err(failed)?;
        let streams = TcpListener::bind(RESOLVER).map_err(failed)?;
        for resolver in [OwnedFd::from(datagrams), OwnedFd::from(streams)] {
            init.tell(&FromInit::Resolver, Some(resolver.as_fd()));
        }
    }
    let namespace = std::fs::File::open("/proc/self/ns/net")
        .map_err(|error| Error::io("open", "/proc/self/ns/net", error))?;
    init.tell(&FromInit::NetworkNamespace, Some(namespace.as_fd()));
    Ok(())
}

/// Waits until the namespace is connected: the payload may use the network at once.
pub(super) fn wait(init: &mut Init<'_>) -> Result<()> {
    if init.plan.connect.is_none() {
        return Ok(());
    }
    match socket::receive(init.socket.as_fd()) {
        Ok(Some(_)) => Ok(()),
        // The parent failed to connect it and says so itself.
        _ => crate::sys::process::exit_now(1),
    }
}
