//! Connects a namespace whose user namespace is not below that of the bridges: a container on a
//! private network was started before anybody knew that it would come to one with a name.
//!
//! No process that is in either of the two has rights over the other. Their owner has them over
//! both from outside, but cannot enter one and keep them; so it sends through a socket that is of
//! the one, and names the other.

use std::os::fd::{AsFd, BorrowedFd};

use super::bridge::{self, Bridge};
use super::connect::{Connected, End, Ground};
use super::space::Space;
use super::{Driver, Find, Member, Record};
use crate::common::{Error, Kind, Result};
use crate::sys::namespace::own_network;
use crate::sys::netlink::{Netlink, Request};

/// As [`super::connect`], from the user namespace that both are below, and their owner's.
/// `bridges` has the bridges, and no port leads to the member.
///
/// # Errors
/// As [`super::connect`]; `Unsupported` for a driver without a bridge.
pub(crate) fn connect_beside(
    record: &Record,
    member: &Member,
    bridges: &Space,
    netns: BorrowedFd<'_>,
    find: Find<'_>,
) -> Result<Connected> {
    if record.driver != Driver::Bridge {
        let why = format!(
            "its driver {} joins no running container",
            record.driver.word()
        );
        return Err(Error::new(Kind::Unsupported, "use network", &record.name).because(why));
    }
    let ground = Ground::Shared;
    let (bridge, end) = (Bridge::of(record, ground), End::of(record, member)?);
    let inside = Space::around(netns)?;
    let enter = || end.enter(own_network()?.as_fd());
    inside.run(|| enter().map(drop))?;
    let (begun, connected) = bridges.run(|| bridge::begin_alone(&bridge, ground, find))?;
    let [socket] = bridges.open(|| Ok([Netlink::route()?.into_socket()]))?;
    let (name, index) = (begun.name.as_str(), begun.index);
    let made = Request::add_veth(name, index, end.interface, end.mac, bridge.packets, netns);
    Netlink::of(socket).apply(&[made])?;
    let joined = bridges
        .run(|| bridge::join_alone(&bridge, &end, (ground, name), find))
        .and_then(|()| inside.run(|| end.address(&mut enter()?)))
        .and_then(|()| bridges.run(|| bridge::settle_alone(&bridge, name)));
    if let Err(error) = joined {
        let _ = bridges.run(|| bridge::detach(name, find));
        return Err(error);
    }
    Ok(connected)
}
