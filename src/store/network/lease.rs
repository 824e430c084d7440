//! Who is on a network, and at which addresses.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;

use super::Networks;
use crate::common::{ContainerId, Error, Kind, Result};
use crate::network::{Address, Attachment, Member, Record, free_address, hardware_address};
use crate::store::{optional, read_json, write_json};
use crate::sys::file;

/// A container that is about to be on a network; its lock is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Join<'a> {
    /// The container.
    pub(crate) container: &'a ContainerId,
    /// Its name.
    pub(crate) name: &'a str,
    /// What it asks for.
    pub(crate) attachment: &'a Attachment,
    /// Name of its device in the container, where it asks for none.
    pub(crate) interface: &'a str,
}

/// The addresses of a network that a new member cannot have.
struct Taken {
    /// By the names of those who have them.
    holders: HashMap<IpAddr, String>,
    /// Those, and the ones that others have asked for.
    avoided: HashSet<IpAddr>,
}

impl Networks<'_> {
    /// Where the members of a network are, one `<container id>.json` each, to be read without a
    /// lock by whoever answers for their names.
    pub(crate) fn members_dir(&self, network: &str) -> PathBuf {
        self.place(network).join("members")
    }

    pub(super) fn reserved_dir(&self, network: &str) -> PathBuf {
        self.place(network).join("reserved")
    }

    /// Puts a container on a network: gives it the addresses that it asks for, or free ones. No
    /// two running containers ever have the same. What it had there before is forgotten.
    ///
    /// # Errors
    /// `Usage` for an address outside of the network; `Conflict`, naming the holder, for one that
    /// is taken; `Exhausted` when there is no free one; `NotFound` when the network is gone.
    pub(crate) fn join(&self, record: &Record, join: &Join<'_>) -> Result<Member> {
        record.check(join.attachment)?;
        let _lock = self.lock(record)?;
        let others = self.sweep_members(&record.name)?;
        let own = join.container.as_str();
        let others: Vec<Member> = others
            .into_iter()
            .filter(|member| member.container != own)
            .collect();
        let taken = self.taken(record, own, &others)?;
        let mut member = Member {
            container: own.to_owned(),
            name: join.name.to_owned(),
            aliases: aliases(join),
            addresses: Vec::new(),
            gateways: Vec::new(),
            mac: String::new(),
            interface: join
                .attachment
                .interface
                .as_deref()
                .unwrap_or(join.interface)
                .to_owned(),
        };
        for is_ipv4 in [true, false] {
            give(record, join.attachment, is_ipv4, &taken, &mut member)?;
        }
        member.mac = hardware(join.attachment, &member, &others)?;
        let path = self.members_dir(&record.name).join(format!("{own}.json"));
        write_json(&path, &member)?;
        Ok(member)
    }

    /// Takes a container from a network. `last` is called when no other running container is on
    /// it, and nobody joins meanwhile: for what the network has outside of the store.
    ///
    /// # Errors
    /// What `last` gave; the container has left all the same. A network that is gone is none.
    pub(crate) fn leave(
        &self,
        network: &str,
        container: &ContainerId,
        last: impl FnOnce(&Record) -> Result<()>,
    ) -> Result<()> {
        let Some(record) = self.named(network)? else {
            return Ok(());
        };
        let lock = match self.lock(&record) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            other => other?,
        };
        file::remove_file(&self.members_dir(network).join(format!("{container}.json")))?;
        let left = self.sweep_members(network)?;
        let done = if left.is_empty() {
            last(&record)
        } else {
            Ok(())
        };
        drop(lock);
        done
    }

    /// The running containers on a network, by their names.
    pub(crate) fn members(&self, network: &str) -> Result<Vec<Member>> {
        let mut found = Vec::new();
        for (id, member) in self.read_members(network)? {
            if let Some(member) = member
                && self.is_alive(&id)
            {
                found.push(member);
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// What a container has on a network; whether it runs, its lock tells.
    pub(crate) fn member(&self, network: &str, container: &ContainerId) -> Result<Option<Member>> {
        let path = self.members_dir(network).join(format!("{container}.json"));
        match optional(read_json(&path)) {
            Err(error) if error.kind() == Kind::Corrupt => Ok(None),
            other => other,
        }
    }

    /// Gives a container its new name on every network that it is on.
    pub(crate) fn rename_member(&self, container: &ContainerId, name: &str) -> Result<()> {
        for record in self.list()? {
            if self.member(&record.name, container)?.is_none() {
                continue;
            }
            let _lock = self.lock(&record)?;
            if let Some(mut member) = self.member(&record.name, container)? {
                member.name = name.to_owned();
                let path = self.members_dir(&record.name);
                write_json(&path.join(format!("{container}.json")), &member)?;
            }
        }
        Ok(())
    }

    /// Notes the addresses that a container asks for, whether it runs or not: nobody is given
    /// one of them without asking for it. None takes that back.
    ///
    /// # Errors
    /// As [`join`](Networks::join) for an address that no member of the network can have.
    pub(crate) fn reserve(
        &self,
        record: &Record,
        container: &ContainerId,
        attachment: Option<&Attachment>,
    ) -> Result<()> {
        let path = self
            .reserved_dir(&record.name)
            .join(format!("{container}.json"));
        let wanted: Vec<IpAddr> = attachment.iter().flat_map(|asked| asked.wanted()).collect();
        if wanted.is_empty() {
            return file::remove_file(&path);
        }
        if let Some(attachment) = attachment {
            record.check(attachment)?;
        }
        let _lock = self.lock(record)?;
        write_json(&path, &wanted)
    }

    /// Removes what containers left that run no more, and returns who is there. For who holds
    /// the network's lock.
    pub(super) fn sweep_members(&self, network: &str) -> Result<Vec<Member>> {
        let mut live = Vec::new();
        for (id, member) in self.read_members(network)? {
            match member {
                Some(member) if self.is_alive(&id) => live.push(member),
                // Without a container, or torn by a power cut, which its container did not
                // survive either.
                _ => file::remove_file(&self.members_dir(network).join(format!("{id}.json")))?,
            }
        }
        Ok(live)
    }

    fn read_members(&self, network: &str) -> Result<Vec<(ContainerId, Option<Member>)>> {
        let mut found = Vec::new();
        for id in ids(file::names(&self.members_dir(network))?) {
            let member = self.member(network, &id)?;
            found.push((id, member));
        }
        Ok(found)
    }

    fn is_alive(&self, id: &ContainerId) -> bool {
        // One that cannot be looked at keeps its addresses.
        self.store.containers().at(id).is_alive().unwrap_or(true)
            || self.store.build_cache().work(id).is_alive().unwrap_or(true)
    }

    fn taken(&self, record: &Record, own: &str, others: &[Member]) -> Result<Taken> {
        let mut holders = HashMap::new();
        for member in others {
            for address in &member.addresses {
                holders.insert(address.ip, member.name.clone());
            }
        }
        let mut avoided: HashSet<IpAddr> = holders.keys().copied().collect();
        let dir = self.reserved_dir(&record.name);
        for id in ids(file::names(&dir)?) {
            let path = dir.join(format!("{id}.json"));
            if !self.store.containers().at(&id).path().exists() {
                file::remove_file(&path)?;
            } else if id.as_str() != own {
                let wanted: Option<Vec<IpAddr>> = read_json(&path).ok();
                avoided.extend(wanted.unwrap_or_default());
            }
        }
        Ok(Taken { holders, avoided })
    }
}

/// Ids of containers whose files these are.
fn ids(names: Vec<std::ffi::OsString>) -> Vec<ContainerId> {
    let id = |name: &std::ffi::OsString| name.to_str()?.strip_suffix(".json")?.parse().ok();
    names.iter().filter_map(id).collect()
}

/// The names it asks for and its short id, without its own name and each once.
fn aliases(join: &Join<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let short = join.container.short().to_owned();
    for alias in join.attachment.aliases.iter().cloned().chain([short]) {
        if alias != join.name && !found.contains(&alias) {
            found.push(alias);
        }
    }
    found
}

/// Gives the member its address of one family, where the network has that family.
fn give(
    record: &Record,
    asked: &Attachment,
    is_ipv4: bool,
    taken: &Taken,
    member: &mut Member,
) -> Result<()> {
    let mut pools = record
        .subnets
        .iter()
        .filter(|pool| pool.subnet.is_ipv4() == is_ipv4);
    let wanted = asked.wanted().find(|ip| ip.is_ipv4() == is_ipv4);
    let (pool, ip) = match wanted {
        Some(ip) => {
            if let Some(holder) = taken.holders.get(&ip) {
                return Err(
                    Error::new(Kind::Conflict, "use address", ip.to_string()).because(format!(
                        "address already in use: container {holder} has it on network {}",
                        record.name
                    )),
                );
            }
            // `Record::check` has found it in one of them.
            let Some(pool) = pools.find(|pool| pool.subnet.contains(ip)) else {
                return Ok(());
            };
            (pool, ip)
        }
        None => {
            let mut any = false;
            let found = pools.find_map(|pool| {
                any = true;
                free_address(pool, &taken.avoided).map(|ip| (pool, ip))
            });
            match found {
                Some(found) => found,
                None if !any => return Ok(()),
                None => {
                    return Err(Error::new(Kind::Exhausted, "join network", &record.name)
                        .because("no available address is left in its subnets".to_owned())
                        .hint("remove containers, or make a network with a larger --subnet"));
                }
            }
        }
    };
    let prefix = pool.subnet.prefix;
    member.addresses.push(Address { ip, prefix });
    if !record.internal {
        member.gateways.extend(pool.gateway);
    }
    Ok(())
}

/// The hardware address that is asked for, else one that follows from the address.
fn hardware(asked: &Attachment, member: &Member, others: &[Member]) -> Result<String> {
    if let Some(mac) = &asked.mac {
        if let Some(holder) = others.iter().find(|other| other.mac == *mac) {
            return Err(Error::new(Kind::Conflict, "use hardware address", mac)
                .because(format!("container {} has it", holder.name)));
        }
        return Ok(mac.clone());
    }
    let made = member
        .addresses
        .first()
        .map(|address| hardware_address(address.ip));
    match made.filter(|made| !others.iter().any(|other| other.mac == *made)) {
        Some(made) => Ok(made),
        None => {
            let [a, b, c, d] = file::random()?;
            Ok(format!("02:43:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
        }
    }
}
