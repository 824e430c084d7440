//! The drivers `macvlan` and `ipvlan`: an interface of each member's own on one of the host's.
//!
//! The host's packet filter does not see what passes, and the host itself is not reached: both
//! are what these drivers are for.

use std::os::fd::BorrowedFd;

use super::connect::End;
use super::{Driver, Record};
use crate::common::{Error, Kind, Result};
use crate::sys::netlink::{LinkKind, Netlink, Request};

/// Names of macvlan's modes with the kernel's numbers (`MACVLAN_MODE_`).
const MACVLAN: [(&str, u32); 4] = [("private", 1), ("vepa", 2), ("bridge", 4), ("passthru", 8)];
/// Names of ipvlan's modes with the kernel's numbers (`IPVLAN_MODE_`).
const IPVLAN: [(&str, u16); 3] = [("l2", 0), ("l3", 1), ("l3s", 2)];

/// What the interfaces of a network's members are.
///
/// # Errors
/// `Usage` for a mode that the driver does not have.
pub(crate) fn kind(record: &Record) -> Result<LinkKind> {
    let asked = record.option(&["mode", "macvlan_mode", "ipvlan_mode"]);
    let refused = |names: Vec<&str>| {
        let why = format!("use {}", names.join(", "));
        Error::usage("use network mode", asked.unwrap_or_default(), why)
    };
    if record.driver == Driver::Ipvlan {
        let name = asked.unwrap_or("l2");
        let found = IPVLAN.iter().find(|(word, _)| *word == name);
        let found = found.ok_or_else(|| refused(IPVLAN.map(|(word, _)| word).to_vec()))?;
        return Ok(LinkKind::Ipvlan(found.1));
    }
    let name = asked.unwrap_or("bridge");
    let found = MACVLAN.iter().find(|(word, _)| *word == name);
    let found = found.ok_or_else(|| refused(MACVLAN.map(|(word, _)| word).to_vec()))?;
    Ok(LinkKind::Macvlan(found.1))
}

/// Makes a member's interface in `netns` on the network's parent.
///
/// # Errors
/// `NotFound` when the parent is not there, `Unsupported` when the kernel lacks the driver.
pub(super) fn attach(record: &Record, end: &End<'_>, netns: BorrowedFd<'_>) -> Result<()> {
    let kind = kind(record)?;
    let mut inside = end.enter(netns)?;
    let mut netlink = Netlink::route()?;
    let parent = parent(record, &mut netlink)?;
    // All on one parent have its hardware address.
    let mac = matches!(kind, LinkKind::Macvlan(_)).then_some(end.mac);
    let made = Request::add_on_parent(kind, parent, end.interface, mac, netns);
    netlink.apply(&[made]).map_err(|error| match error.kind() {
        Kind::Unsupported => error.hint(format!(
            "this kernel has no driver {}; use --driver bridge",
            record.driver.word()
        )),
        _ => error,
    })?;
    end.address(&mut inside).inspect_err(|_| {
        let _ = inside.apply(&[Request::delete_link(end.interface)]);
    })
}

/// Index of the interface that the members are on: the one that was named, or the one of the way
/// out.
fn parent(record: &Record, netlink: &mut Netlink) -> Result<u32> {
    let named = record.option(&["parent"]).unwrap_or(&record.interface);
    if named.is_empty() {
        let routes = netlink.routes()?;
        let out = routes.iter().filter(|route| route.destination.is_none());
        let first = out.min_by_key(|route| route.metric);
        return first.map(|route| route.interface).ok_or_else(|| {
            Error::new(Kind::NotFound, "find parent of network", &record.name)
                .because("this machine has no default route")
                .hint("name an interface with -o parent=NAME")
        });
    }
    let found = netlink.link(named)?;
    found.map(|link| link.index).ok_or_else(|| {
        Error::new(Kind::NotFound, "use parent of network", named)
            .because("there is no such interface")
            .hint("see `ip link`; a network names it with -o parent=NAME")
    })
}
