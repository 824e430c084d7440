//! A container's own lines in `/etc/hosts`: one for each address on a network with a bridge.

use std::net::IpAddr;

use super::MAX_FILE;
use super::attendant::{append, overwrite};
use super::neighbour::name_in;
use crate::common::Result;
use crate::engine::Engine;
use crate::engine::container::{Asked, etc};
use crate::network::Member;
use crate::store::ContainerEntry;
use crate::sys::file;

/// Those of one network. `own` is what the container calls itself, its `hostname` among that.
pub(super) fn lines(member: &Member, own: &str, hostname: &str) -> String {
    let mut names = vec![own];
    names.extend(member.names().filter(|name| *name != hostname));
    let names = names.join(" ");
    let line = |ip: IpAddr| format!("{ip}\t{names}\n");
    member.addresses.iter().map(|one| line(one.ip)).collect()
}

/// Adds those of a network to which a running container has come. A file that cannot be changed
/// (the container has it too) is only said, as docker has it.
pub(super) fn add(engine: &Engine<'_>, entry: &ContainerEntry, member: &Member) {
    let asked = Asked::of(&entry.record).ok();
    let domain = asked.and_then(|asked| asked.config.process.domainname);
    let hostname = name_in(&entry.dir).unwrap_or_default();
    let own = etc::own_names(&hostname, domain.as_deref());
    let path = entry.dir.path().join("hosts");
    say(engine, append(&path, &lines(member, &own, &hostname)));
}

/// Takes away those of a network that a running container has left; as [`add`].
pub(super) fn remove(engine: &Engine<'_>, entry: &ContainerEntry, member: &Member) {
    let path = entry.dir.path().join("hosts");
    let is_gone = |line: &&str| {
        let ip = line.split_ascii_whitespace().next();
        let ip = ip.and_then(|word| word.parse::<IpAddr>().ok());
        ip.is_some_and(|ip| member.addresses.iter().any(|one| one.ip == ip))
    };
    let removed = file::read_bounded(&path, MAX_FILE).and_then(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.split_inclusive('\n');
        let left: String = lines.filter(|line| !is_gone(line)).collect();
        overwrite(&path, &left)
    });
    say(engine, removed);
}

fn say(engine: &Engine<'_>, changed: Result<()>) {
    if let Err(error) = changed {
        engine.ui.warn(&error.to_string());
    }
}
