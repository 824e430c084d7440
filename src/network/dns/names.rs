//! Who is on the networks of a container, from the files of the store that say so.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::message::{A, AAAA, Data, PTR};
use crate::network::{Member, Record};

/// The longest that a file system's clock stands still.
const TICK: Duration = Duration::from_millis(20);

/// What names come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These; none for a name that has nothing of the type that was asked for.
    Records(Vec<Data>),
    /// The name is nobody's here; whether others may be asked.
    Unknown {
        /// One of the networks has a way out.
        outside: bool,
    },
}

/// A network, as it was when its folder was last changed.
struct Known {
    changed: Option<SystemTime>,
    record: Record,
    members: Vec<Member>,
}

/// The networks of one container.
pub(super) struct Names {
    networks: PathBuf,
    container: String,
    /// The folders of members of all networks, as of a change of the folder of networks.
    folders: Vec<PathBuf>,
    listed: Option<SystemTime>,
    known: HashMap<PathBuf, Known>,
}

impl Names {
    /// Of the container with this id; `networks` is the store's folder of them.
    pub(super) fn new(networks: PathBuf, container: String) -> Names {
        Names {
            networks,
            container,
            folders: Vec::new(),
            listed: None,
            known: HashMap::new(),
        }
    }

    /// Answers a question of the class internet. `name` is in lower case.
    pub(super) fn find(&mut self, name: &str, kind: u16) -> Found {
        self.refresh();
        let member_of = |known: &&Known| {
            known
                .members
                .iter()
                .any(|one| one.container == self.container)
        };
        let on: Vec<&Known> = self.known.values().filter(member_of).collect();
        let outside = on.iter().any(|known| !known.record.internal);
        if kind == PTR {
            return reverse(&on, name, outside);
        }
        let mut records = Vec::new();
        let mut is_known = false;
        for known in on.iter().filter(|known| known.record.dns) {
            let bare = name.strip_suffix(&format!(".{}", known.record.name.to_ascii_lowercase()));
            for member in &known.members {
                let called =
                    |wanted: &str| member.names().any(|own| own.eq_ignore_ascii_case(wanted));
                if !called(name) && !bare.is_some_and(called) {
                    continue;
                }
                is_known = true;
                records.extend(
                    member
                        .addresses
                        .iter()
                        .filter(|address| {
                            matches!((kind, address.ip.is_ipv4()), (A, true) | (AAAA, false))
                        })
                        .map(|address| Data::Address(address.ip)),
                );
            }
        }
        match is_known {
            true => Found::Records(records),
            false => Found::Unknown { outside },
        }
    }

    /// Who is asked for names outside instead of the host's resolvers, as of the last [`Names::find`].
    pub(super) fn resolvers(&self) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for known in self.known.values() {
            let is_its = known
                .members
                .iter()
                .any(|one| one.container == self.container);
            if is_its && !known.record.internal {
                found.extend(
                    known
                        .record
                        .resolvers
                        .iter()
                        .map(|ip| SocketAddr::new(*ip, 53)),
                );
            }
        }
        found
    }

    /// Reads what has changed.
    fn refresh(&mut self) {
        let changed = modified(&self.networks);
        if !is_settled(changed) || self.listed != changed {
            let entries = fs::read_dir(&self.networks).into_iter().flatten().flatten();
            // Names of networks begin otherwise: a lock, and those that are being made.
            let entries =
                entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
            self.folders = entries.map(|entry| entry.path().join("members")).collect();
            self.listed = changed;
        }
        let (known, folders) = (&mut self.known, &self.folders);
        known.retain(|path, _| folders.contains(path));
        for members in folders {
            let Some(changed) = modified(members) else {
                known.remove(members);
                continue;
            };
            let last = known.get(members).and_then(|known| known.changed);
            if is_settled(Some(changed)) && last == Some(changed) {
                continue;
            }
            if let Some(record) = read(&members.with_file_name("network.json")) {
                let all = fs::read_dir(members).into_iter().flatten().flatten();
                let all = all.filter_map(|member| read(&member.path())).collect();
                let fresh = Known {
                    changed: Some(changed),
                    record,
                    members: all,
                };
                known.insert(members.clone(), fresh);
            }
        }
    }
}

/// When a folder was last changed; `None` where there is none.
fn modified(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder).ok()?.modified().ok()
}

/// Whether nothing more can have changed at the same time: two changes within one tick of the
/// file system's clock look the same.
fn is_settled(changed: Option<SystemTime>) -> bool {
    let age = changed.and_then(|changed| changed.elapsed().ok());
    age.is_some_and(|age| age > TICK)
}

fn read<T: for<'de> serde::Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The name of an address, as docker says it: `NAME.NETWORK`.
fn reverse(on: &[&Known], name: &str, outside: bool) -> Found {
    let Some(ip) = address(name) else {
        return Found::Unknown { outside };
    };
    for known in on.iter().filter(|known| known.record.dns) {
        let has = |member: &&Member| member.addresses.iter().any(|address| address.ip == ip);
        if let Some(member) = known.members.iter().find(has) {
            let name = format!("{}.{}", member.name, known.record.name);
            return Found::Records(vec![Data::Name(name)]);
        }
    }
    Found::Unknown { outside }
}

/// The address of a name below `in-addr.arpa` or `ip6.arpa`.
fn address(name: &str) -> Option<IpAddr> {
    if let Some(four) = name.strip_suffix(".in-addr.arpa") {
        let parts: Vec<u8> = four
            .rsplit('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        let octets: [u8; 4] = parts.try_into().ok()?;
        return Some(IpAddr::from(octets));
    }
    let six = name.strip_suffix(".ip6.arpa")?;
    let digits: Vec<u8> = six
        .rsplit('.')
        .map(|digit| {
            u8::from_str_radix(digit, 16)
                .ok()
                .filter(|digit| *digit < 16)
        })
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    let octets: [u8; 16] = bytes.try_into().ok()?;
    (digits.len() == 32).then(|| IpAddr::V6(Ipv6Addr::from(octets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_backwards() {
        assert_eq!(
            address("4.3.2.1.in-addr.arpa"),
            Some(IpAddr::from([1, 2, 3, 4]))
        );
        let six = format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(23));
        assert_eq!(address(&six), "2001:db8::1".parse().ok());
        for bad in [
            "1.2.3.in-addr.arpa",
            "256.3.2.1.in-addr.arpa",
            "x.ip6.arpa",
            "db",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
