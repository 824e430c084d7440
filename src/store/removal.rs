//! Removing a container: its name is free at once, and so is the room its files take.
//!
//! What a run leaves that wrote no file is a handful of empty directories and a few records. They
//! are thrown into the trash and deleted by the next start, in the time in which that waits for its
//! first process: deleting six directories is a fifth of a start on ext4 without a journal, which
//! hands the blocks of each back to the disk (mount option `discard`) before rmdir(2) returns.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::container::{ContainerDir, ContainerLock, Containers};
use super::trash::{self, Purged};
use super::{ContainerRecord, Store, read_json};
use crate::common::{ContainerId, Result, check_name};
use crate::sys::{file, tree};

/// Names in the directory of a container without files of its own, all small.
const RECORDS: [&str; 12] = [
    "lock",
    "container.json",
    "config.json",
    "cgroup.json",
    "state",
    "exit",
    "hosts",
    "hostname",
    "resolv.conf",
    "localtime",
    "upper",
    "work",
];

impl Containers<'_> {
    /// Removes a container that nobody runs: its name is free when this returns. Files that
    /// could not be deleted are in the trash and in the answer.
    pub(crate) fn remove(&self, dir: &ContainerDir, lock: ContainerLock) -> Result<Purged> {
        let place = trash::throw(&self.store.root, dir.path())?;
        if let Some(place) = &place {
            self.release_names(dir, place)?;
        }
        drop(lock);
        Ok(purge(place))
    }

    /// As [`remove`](Containers::remove), for who wrote `known` as its record; without files of
    /// its own it is left in the trash for [`Store::delete_rest`].
    pub(crate) fn remove_ended(
        &self,
        dir: &ContainerDir,
        lock: ContainerLock,
        known: &ContainerRecord,
    ) -> Result<Purged> {
        let root = &self.store.root;
        let left = is_small(dir) && {
            // Whoever deletes a store with rm(1) gets into everything; root always does.
            if !geteuid().is_root() {
                trash::open_overlay_work(&dir.work());
            }
            trash::throw_rest(root, dir.path())
        };
        let place = match left {
            true => Some(trash::rest(root)),
            false => trash::throw(root, dir.path())?,
        };
        // A name that was changed meanwhile is looked up.
        if !self.release(&known.name, &known.id)?
            && let Some(place) = &place
        {
            self.release_names(dir, place)?;
        }
        drop(lock);
        Ok(purge(place.filter(|_| !left)))
    }

    /// Gives the name of a removed container back: the one in its record, which is in `place` by
    /// now, or without a readable record every name that points to it.
    fn release_names(&self, dir: &ContainerDir, place: &Path) -> Result<()> {
        let id = dir.path().file_name().unwrap_or_default().to_string_lossy();
        let Ok(id) = id.parse::<ContainerId>() else {
            return Ok(());
        };
        let names = match read_json::<ContainerRecord>(&place.join("container.json")) {
            Ok(record) => vec![OsString::from(record.name)],
            Err(_) => file::names(&self.dir().join("names"))?,
        };
        for name in names.iter().filter_map(|name| name.to_str()) {
            if check_name(name).is_ok() {
                self.release(name, &id)?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Deletes what an earlier run has left in the trash. Nobody depends on it: what cannot be
    /// deleted here is for [`Store::sweep`].
    pub(crate) fn delete_rest(&self) {
        let place = trash::rest(&self.root);
        if delete(&place).is_err() {
            // Else each start would try it again.
            let _ = trash::throw(&self.root, &place);
        }
    }
}

/// Whether a container takes next to no room: nothing was written into it and it has no log.
fn is_small(dir: &ContainerDir) -> bool {
    let known = |name: &OsString| RECORDS.iter().any(|record| name == record);
    let records = file::names(dir.path());
    records.is_ok_and(|names| names.iter().all(known))
        && file::names(&dir.upper()).is_ok_and(|names| names.is_empty())
}

/// Deletes what was thrown away, and says what is left of it.
fn purge(place: Option<PathBuf>) -> Purged {
    let failed = place.and_then(|place| {
        let error = delete(&place).err()?;
        Some((place, error))
    });
    Purged {
        left: failed.into_iter().collect(),
    }
}

/// Deletes what was thrown away at `place`.
fn delete(place: &Path) -> Result<()> {
    trash::empty_overlay_work(&place.join("work"));
    tree::remove_tree(place)
}
