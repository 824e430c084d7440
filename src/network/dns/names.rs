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
    known: HashMap<PathBuf, Known>,
}

impl Names {
    /// Of the container with this id; `networks` is the store's folder of them.
    pub(super) fn new(networks: PathBuf, container: String) -> Names {
        Names {
            networks,
            container,
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
        let entries = fs::read_dir(&self.networks).into_iter().flatten().flatten();
        let mut seen = Vec::new();
        for entry in entries {
            let members = entry.path().join("members");
            let Ok(facts) = fs::metadata(&members) else {
                continue;
            };
            let changed = facts.modified().ok();
            let known = self.known.get(&members);
            // Two changes within one tick of the file system's clock look the same.
            let settled = changed.and_then(|changed| changed.elapsed().ok());
            let settled = settled.is_some_and(|age| age > TICK);
            let fresh = settled && known.is_some_and(|known| known.changed == changed);
            if !fresh && let Some(record) = read(&entry.path().join("network.json")) {
                let all = fs::read_dir(&members).into_iter().flatten().flatten();
                let all = all.filter_map(|member| read(&member.path())).collect();
                let known = Known {
                    changed,
                    record,
                    members: all,
                };
                self.known.insert(members.clone(), known);
            }
            seen.push(members);
        }
        self.known.retain(|path, _| seen.contains(path));
    }
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
