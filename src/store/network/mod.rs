//! Networks on disk: their records, and who is on them.
//!
//! ```text
//! networks/.lock                        held while a network is made or removed
//! networks/<name>/network.json          the record; replaced by rename
//! networks/<name>/lock                  held while an address is given or taken back
//! networks/<name>/members/<id>.json     what a running container has on the network
//! networks/<name>/reserved/<id>.json    addresses that a container asks for, running or not
//! ```
//!
//! A member counts while its container's lock is held: what a killed container left is free for
//! the next one. Readers of `members` take no lock, as every file is replaced by rename.
//! Lock order: `networks/.lock`, then the `lock` of one network.

mod lease;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lock::take;
use super::{Store, optional, read_json, trash};
use crate::common::{Error, Kind, Result, check_name};
use crate::network::Record;
use crate::sys::file::{self, Sharing};
use crate::sys::tree;

pub(crate) use lease::Join;

/// A network that is being made.
const NEW: &str = ".new-";

/// The networks of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Networks<'a> {
    store: &'a Store,
}

impl Store {
    /// Networks by name or id.
    pub(crate) fn networks(&self) -> Networks<'_> {
        Networks { store: self }
    }
}

impl Networks<'_> {
    /// The folder of all.
    pub(crate) fn dir(&self) -> PathBuf {
        self.store.path("networks")
    }

    fn place(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Makes a network. `compose` is given all that there are, and nobody makes another one
    /// meanwhile: two networks never get one subnet.
    ///
    /// # Errors
    /// What `compose` gave; `Usage` for a bad name; `Conflict` when the name, the bridge or an
    /// address is another network's. Nothing is changed then.
    pub(crate) fn create(
        &self,
        compose: impl FnOnce(&[Record]) -> Result<Record>,
    ) -> Result<Record> {
        file::make_private_dir(&self.dir())?;
        let _lock = take(&self.dir().join(".lock"), Sharing::Exclusive)?;
        let others = self.list()?;
        let record = compose(&others)?;
        check_name(&record.name)?;
        check_free(&record, &others)?;
        let fresh = self.dir().join(file::random_name(NEW)?);
        let made = write(&fresh, &record)
            .and_then(|()| file::rename(&fresh, &self.place(&record.name)))
            .and_then(|()| sync(&self.dir()));
        if made.is_err() {
            let _ = tree::remove_tree(&fresh);
        }
        self.sweep();
        made.map(|()| record)
    }

    /// Removes what killed creations left; for who holds `.lock`.
    fn sweep(&self) {
        let names = file::names(&self.dir()).unwrap_or_default();
        for name in names.iter().filter_map(|name| name.to_str()) {
            if name.starts_with(NEW) {
                let _ = tree::remove_tree(&self.place(name));
            }
        }
    }

    /// Every network, by name.
    pub(crate) fn list(&self) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        for name in file::names(&self.dir())? {
            let Some(name) = name.to_str().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            found.extend(self.read(name)?);
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Directories of networks whose records cannot be read, with the reason.
    pub(in crate::store) fn damaged(&self) -> Result<Vec<(PathBuf, Error)>> {
        let mut found = Vec::new();
        for name in file::names(&self.dir())? {
            let Some(name) = name.to_str().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            let path = self.place(name);
            match self.read(name) {
                Ok(Some(_)) => {}
                Ok(None) if !path.exists() => {}
                Ok(None) => found.push((path, missing(name))),
                Err(error) => found.push((path, error)),
            }
        }
        Ok(found)
    }

    /// The network of exactly this name.
    pub(crate) fn named(&self, name: &str) -> Result<Option<Record>> {
        match check_name(name) {
            Ok(()) => self.read(name),
            Err(_) => Ok(None),
        }
    }

    /// The record in the directory `name`; `None` when there is none, or not any more.
    fn read(&self, name: &str) -> Result<Option<Record>> {
        let path = self.place(name).join("network.json");
        let record: Option<Record> = optional(read_json(&path))?;
        match record {
            Some(record) if record.name != name => {
                Err(super::corrupt(&path, "it belongs to another network"))
            }
            other => Ok(other),
        }
    }

    /// The network of a name, an id or a unique beginning of an id, in docker's order.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several ids begin so.
    pub(crate) fn find(&self, wanted: &str) -> Result<Record> {
        if let Some(record) = self.named(wanted)? {
            return Ok(record);
        }
        let mut all = self.list()?;
        all.retain(|record| !wanted.is_empty() && record.id.starts_with(wanted));
        match (all.pop(), all.is_empty()) {
            (Some(record), true) => Ok(record),
            (Some(_), false) => Err(Error::new(Kind::Conflict, "find network", wanted)
                .because("more than one network id begins with this".to_owned())
                .hint("give more characters of the id")),
            (None, _) => Err(missing(wanted)),
        }
    }

    /// Removes a network that no running container is on. `last` removes what it has outside of
    /// the store, while nobody joins.
    ///
    /// # Errors
    /// `Conflict`, naming the containers; `NotFound` when it was removed meanwhile; what `last`
    /// gave, and then the network is still there.
    pub(crate) fn remove(
        &self,
        record: &Record,
        last: impl FnOnce(&Record) -> Result<()>,
    ) -> Result<()> {
        let _all = take(&self.dir().join(".lock"), Sharing::Exclusive)?;
        let lock = self.lock(record)?;
        let members = self.sweep_members(&record.name)?;
        if !members.is_empty() {
            let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            return Err(Error::new(Kind::Conflict, "remove network", &record.name)
                .because(format!("it has active endpoints: {}", names.join(", ")))
                .hint("stop these containers, or disconnect them from it"));
        }
        last(record)?;
        let place = trash::throw(&self.store.root, &self.place(&record.name))?;
        // Who waits for it sees that the network is gone.
        drop(lock);
        if let Some(place) = place {
            let _ = tree::remove_tree(&place);
        }
        Ok(())
    }

    /// Changes a network's record; the resolvers of its members read it anew.
    ///
    /// # Errors
    /// `NotFound` when it was removed meanwhile.
    pub(crate) fn update(
        &self,
        record: &Record,
        change: impl FnOnce(&mut Record),
    ) -> Result<Record> {
        self.locked(record, || {
            let place = self.place(&record.name);
            let mut record = self
                .named(&record.name)?
                .ok_or_else(|| missing(&record.name))?;
            change(&mut record);
            super::write_json(&place.join("network.json"), &record)?;
            // They look at this folder alone.
            let members = place.join("members");
            File::open(&members)
                .and_then(|folder| folder.set_modified(SystemTime::now()))
                .map_err(|error| Error::io("touch", &members, error))?;
            Ok(record)
        })
    }

    /// Does `work` while nobody joins or leaves the network.
    ///
    /// # Errors
    /// What `work` gave; `NotFound` when the network is gone.
    pub(crate) fn locked<T>(&self, record: &Record, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _lock = self.lock(record)?;
        work()
    }

    /// Takes the lock of one network, which is still the one of `record` afterwards.
    fn lock(&self, record: &Record) -> Result<Option<File>> {
        let path = self.place(&record.name).join("lock");
        let lock = take(&path, Sharing::Exclusive).map_err(|error| match error.kind() {
            Kind::NotFound => missing(&record.name),
            _ => error,
        })?;
        match self.named(&record.name)? {
            Some(now) if now.id == record.id => Ok(lock),
            _ => Err(missing(&record.name)),
        }
    }
}

/// Looks for what two networks cannot both have.
fn check_free(record: &Record, others: &[Record]) -> Result<()> {
    let conflict =
        |why: String| Error::new(Kind::Conflict, "make network", &record.name).because(why);
    for other in others {
        if other.name == record.name {
            return Err(conflict(format!(
                "network with name {} already exists",
                record.name
            )));
        }
        if record.is_bridged() && other.is_bridged() && other.interface == record.interface {
            return Err(conflict(format!(
                "the bridge {} is network {}'s",
                record.interface, other.name
            )));
        }
        for pool in &record.subnets {
            let theirs = other.subnets.iter().map(|pool| pool.subnet);
            if let Some(theirs) = theirs
                .into_iter()
                .find(|theirs| theirs.overlaps(&pool.subnet))
            {
                let why = format!(
                    "subnet {} overlaps {theirs} of network {}",
                    pool.subnet, other.name
                );
                return Err(conflict(why).hint("choose another --subnet"));
            }
        }
    }
    Ok(())
}

fn missing(wanted: &str) -> Error {
    Error::new(Kind::NotFound, "find network", wanted)
        .because(format!("network {wanted} not found"))
        .hint("ketch network ls lists them")
}

/// Fills a directory for a network. Written through: no container can be started without it, and
/// nobody would notice at once.
fn write(fresh: &Path, record: &Record) -> Result<()> {
    file::make_private_dir(fresh)?;
    for folder in ["members", "reserved"] {
        file::make_private_dir(&fresh.join(folder))?;
    }
    let path = fresh.join("network.json");
    let bytes = serde_json::to_vec(record).map_err(|error| {
        Error::new(Kind::Bug, "encode", path.display().to_string()).because(error)
    })?;
    let mut out = file::create_new(&path).map_err(|error| Error::io("create", &path, error))?;
    out.write_all(&bytes)
        .and_then(|()| out.sync_all())
        .map_err(|error| Error::io("write", &path, error))?;
    let lock = fresh.join("lock");
    file::create_new(&lock).map_err(|error| Error::io("create", &lock, error))?;
    sync(fresh)
}

fn sync(dir: &Path) -> Result<()> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::io("sync", dir, error))
}
