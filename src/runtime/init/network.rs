//! The container's side of its network: a namespace that the caller connects from outside.

use std::os::fd::AsFd;

use super::Init;
use crate::common::{Error, Result};
use crate::network::dns;
use crate::runtime::message::FromInit;
use crate::sys::{net, socket};

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
        for resolver in dns::listen()? {
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
