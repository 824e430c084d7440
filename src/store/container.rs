//! Containers on disk: claimed names, what was asked, who holds them, removal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::asked::RawAsked;
use super::trash;
use super::{Store, read_json, write_json};
use crate::common::{
    ContainerId, Digest, Error, Kind, Mode, Result, Timestamp, bare_name, check_name,
};
use crate::sys::{file, tree};

/// A container directory under construction: not listed, swept when its lock is free.
pub(super) const NEW: &str = ".new-";

/// The containers of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Containers<'a> {
    pub(super) store: &'a Store,
}

/// What was asked when the container was created; never changes but for its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    /// The id.
    pub(crate) id: ContainerId,
    /// The name it claims.
    pub(crate) name: String,
    /// When it was created.
    pub(crate) created: Timestamp,
    /// The image as the user knows it; empty with a plain root directory.
    #[serde(default)]
    pub(crate) image: String,
    /// Manifest of the image; kept from collection while the container is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifest: Option<Digest>,
    /// Configuration (id) of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<Digest>,
    /// Diff-ids, base first.
    #[serde(default)]
    pub(crate) layers: Vec<Digest>,
    /// Diff-ids of images that it mounts; kept from collection as its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mounted: Vec<Digest>,
    /// Identity mode it was created in.
    pub(crate) mode: Mode,
    /// The plain root directory, when it was asked for instead of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rootfs: Option<PathBuf>,
    /// Labels.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// The command and its arguments.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// Everything else that was asked, in the form of the layer that asked.
    #[serde(default)]
    pub(crate) asked: RawAsked,
}

/// Right to run or remove a container; ends with the last copy of the descriptor, so that it
/// tells whether the container lives. A child that must not keep it alive has to close it.
#[derive(Debug)]
pub(crate) struct ContainerLock {
    pub(super) file: File,
}

impl ContainerLock {
    /// The right that an earlier image of this process has left open.
    pub(crate) fn adopt(file: OwnedFd) -> ContainerLock {
        ContainerLock { file: file.into() }
    }

    /// To hand it on.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The same right once more: it ends when both are dropped.
    pub(crate) fn share(&self) -> Result<ContainerLock> {
        let file = self.file.try_clone();
        let file = file.map_err(|error| Error::io("share lock of", "a container", error))?;
        Ok(ContainerLock { file })
    }
}

/// One line of a list.
#[derive(Debug)]
pub(crate) struct ContainerEntry {
    /// What was asked.
    pub(crate) record: ContainerRecord,
    /// Whether a process holds it: derived from the lock, never stored.
    pub(crate) alive: bool,
    /// Its directory, for state and exit.
    pub(crate) dir: ContainerDir,
}

impl Containers<'_> {
    pub(super) fn dir(&self) -> PathBuf {
        self.store.path("containers")
    }

    fn claim_path(&self, name: &str) -> PathBuf {
        self.dir().join("names").join(name)
    }

    /// Creates a container and claims its name; the caller holds its lock from birth.
    ///
    /// # Errors
    /// `Conflict`, naming the holder, when the name is taken; `Usage` for a bad name.
    pub(crate) fn create(&self, record: &ContainerRecord) -> Result<(ContainerDir, ContainerLock)> {
        check_name(&record.name)?;
        let target = self.dir().join(record.id.as_str());
        let fresh = self.dir().join(format!("{NEW}{}", record.id));
        // A sweep holds it exclusively: it sees a new directory with its lock taken, or none.
        let _store = self.store.lock_shared()?;
        file::make_private_dir(&fresh)?;
        let made = self.fill(record, &fresh, &target);
        if made.is_err() {
            let _ = tree::remove_tree(&fresh);
        }
        made
    }

    fn fill(
        &self,
        record: &ContainerRecord,
        fresh: &Path,
        target: &Path,
    ) -> Result<(ContainerDir, ContainerLock)> {
        let fresh_dir = ContainerDir {
            path: fresh.to_owned(),
        };
        let lock = fresh_dir.lock()?;
        for dir in [fresh_dir.upper(), fresh_dir.work()] {
            file::make_private_dir(&dir)?;
        }
        let path = fresh.join("container.json");
        let bytes = serde_json::to_vec(record)
            .map_err(|e| Error::new(Kind::Bug, "encode", path.display().to_string()).because(e))?;
        let mut out = file::create_new(&path).map_err(|e| Error::io("create", &path, e))?;
        io::Write::write_all(&mut out, &bytes).map_err(|e| Error::io("write", &path, e))?;
        // Between claim and rename a crash leaves a name without a container: `claim` sees that.
        self.claim(&record.name, &record.id)?;
        if let Err(error) = file::rename(fresh, target) {
            self.release(&record.name, &record.id)?;
            return Err(error);
        }
        let dir = ContainerDir {
            path: target.to_owned(),
        };
        Ok((dir, lock))
    }

    /// Makes `names/<name>` point to `id`, atomically against everybody.
    fn claim(&self, name: &str, id: &ContainerId) -> Result<()> {
        let path = self.claim_path(name);
        loop {
            match symlink(id.packed(), &path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("claim name", &path, error)),
            }
            let Some(holder) = self.holder(name)? else {
                continue;
            };
            if self.is_there(&holder)? {
                let short: String = holder.chars().take(12).collect();
                return Err(Error::new(Kind::Conflict, "use name", name)
                    .because(format!("container {short} has it"))
                    .hint(format!(
                        "remove it (ketch rm {name}) or choose another name"
                    )));
            }
            self.drop_stale_claim(name, &holder)?;
        }
    }

    /// The id that claims the name, or a claim's text that is none; `None` when nobody does.
    fn holder(&self, name: &str) -> Result<Option<String>> {
        let path = self.claim_path(name);
        match std::fs::read_link(&path) {
            Ok(target) => Ok(Some(ContainerId::unpacked(&target.to_string_lossy()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read name", &path, error)),
        }
    }

    /// Whether a container exists or is being made right now.
    fn is_there(&self, id: &str) -> Result<bool> {
        let Ok(id) = id.parse::<ContainerId>() else {
            return Ok(false);
        };
        let target = self.dir().join(id.as_str());
        let fresh = ContainerDir {
            path: self.dir().join(format!("{NEW}{id}")),
        };
        // The target again at the end: it may have been renamed between the two looks.
        Ok(target.exists() || fresh.is_alive()? || target.exists())
    }

    /// Removes a claim whose container is gone. Under a lock of its own: else a second cleaner
    /// could remove the claim that the first one's successor just made.
    fn drop_stale_claim(&self, name: &str, holder: &str) -> Result<()> {
        let path = self.dir().join("names/.lock");
        let _lock = file::lock_path(&path)?;
        if self.holder(name)?.as_deref() == Some(holder) && !self.is_there(holder)? {
            file::remove_file(&self.claim_path(name))?;
        }
        Ok(())
    }

    /// Gives a name back, if `id` still has it; false when it had not.
    pub(super) fn release(&self, name: &str, id: &ContainerId) -> Result<bool> {
        let own = self.holder(name)?.as_deref() == Some(id.as_str());
        if own {
            file::remove_file(&self.claim_path(name))?;
        }
        Ok(own)
    }

    /// Finds a container by full id, by name, or by a unique prefix of its id, in docker's order.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the prefix fits several.
    pub(crate) fn find(&self, wanted: &str) -> Result<ContainerDir> {
        let dir = |id: &str| ContainerDir {
            path: self.dir().join(id),
        };
        let missing = || {
            Error::new(Kind::NotFound, "find container", wanted)
                .because("no such container".to_owned())
                .hint("ketch ps -a lists them")
        };
        if wanted.parse::<ContainerId>().is_ok() && dir(wanted).path.is_dir() {
            return Ok(dir(wanted));
        }
        let name = bare_name(wanted);
        if check_name(name).is_ok()
            && let Some(id) = self.holder(name)?
            && id.parse::<ContainerId>().is_ok()
            && dir(&id).path.is_dir()
        {
            return Ok(dir(&id));
        }
        if wanted.is_empty() || !wanted.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(missing());
        }
        let mut fits = self.ids()?;
        fits.retain(|id| id.as_str().starts_with(wanted));
        match fits.as_slice() {
            [] => Err(missing()),
            [id] => Ok(dir(id.as_str())),
            _ => Err(Error::new(Kind::Conflict, "find container", wanted)
                .because("more than one container id begins with this".to_owned())
                .hint("give more characters of the id")),
        }
    }

    /// Waits for the right to choose host ids for a new container; held until the choice is
    /// recorded, so that two starts at once never choose the same.
    pub(crate) fn lock_host_ids(&self) -> Result<File> {
        let path = self.dir();
        let dir = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        file::lock(&dir, file::Sharing::Exclusive)
            .map_err(|error| Error::io("lock", &path, error))?;
        Ok(dir)
    }

    /// Ids of all containers, unsorted.
    pub(crate) fn ids(&self) -> Result<Vec<ContainerId>> {
        let names = file::names(&self.dir())?;
        Ok(names
            .iter()
            .filter_map(|name| name.to_str()?.parse().ok())
            .collect())
    }

    pub(super) fn at(&self, id: &ContainerId) -> ContainerDir {
        let path = self.dir().join(id.as_str());
        ContainerDir { path }
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// As [`create`](Containers::create).
    pub(crate) fn rename(&self, dir: &ContainerDir, name: &str) -> Result<()> {
        check_name(name)?;
        let id = dir.record()?.id;
        self.claim(name, &id)?;
        let renamed = dir.edit(|record| Ok(std::mem::replace(&mut record.name, name.to_owned())));
        match renamed {
            Ok(old) => self.release(&old, &id).map(drop),
            Err(error) => {
                self.release(name, &id)?;
                Err(error)
            }
        }
    }

    /// Sweeps what crashed creations left, when there is any: nobody waits for the store's lock
    /// otherwise.
    pub(crate) fn sweep_unfinished(&self) -> Result<()> {
        let names = file::names(&self.dir())?;
        let unfinished = |name: &OsString| name.as_encoded_bytes().starts_with(NEW.as_bytes());
        // Every container has one name: with more of them, one outlived its container.
        let claims = file::names(&self.dir().join("names"))?.len();
        let containers = names.iter().filter(|name| name.len() == 64).count();
        if claims <= containers && !names.iter().any(unfinished) {
            return Ok(());
        }
        let _lock = self.store.lock_exclusive()?;
        self.sweep()
    }

    /// Sweeps what crashed creations left. Called under the exclusive store lock.
    pub(super) fn sweep(&self) -> Result<()> {
        for name in file::names(&self.dir())? {
            if !name.to_str().is_some_and(|name| name.starts_with(NEW)) {
                continue;
            }
            let path = self.dir().join(name);
            let dir = ContainerDir { path };
            if !dir.is_alive()? {
                trash::throw(&self.store.root, &dir.path)?;
            }
        }
        for name in file::names(&self.dir().join("names"))? {
            let Some(name) = name.to_str().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            if let Some(holder) = self.holder(name)?
                && !self.is_there(&holder)?
            {
                self.drop_stale_claim(name, &holder)?;
            }
        }
        Ok(())
    }
}

/// One container's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerDir {
    path: PathBuf,
}

impl ContainerDir {
    /// A directory like a container's that is none of the store's containers: a build step's.
    pub(super) fn apart(path: PathBuf) -> ContainerDir {
        ContainerDir { path }
    }

    /// The directory itself; `config.json` (OCI spec) and logs go there.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Overlay upper directory.
    pub(crate) fn upper(&self) -> PathBuf {
        self.path.join("upper")
    }

    /// Its own copy of all its files, which it has where the kernel refused an overlay.
    pub(crate) fn copy(&self) -> Option<PathBuf> {
        Some(self.path.join("copy")).filter(|copy| copy.is_dir())
    }

    /// Overlay work directory.
    pub(crate) fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// The container's root as its specification names it; init mounts it elsewhere, and nothing
    /// is there on the host.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// What was asked.
    ///
    /// # Errors
    /// `Corrupt` when the record cannot be read or belongs to another container.
    pub(crate) fn record(&self) -> Result<ContainerRecord> {
        let path = self.path.join("container.json");
        let record: ContainerRecord = read_json(&path)?;
        let dir = self.path.file_name().and_then(|name| name.to_str());
        let own = dir.is_some_and(|dir| dir.strip_prefix(NEW).unwrap_or(dir) == record.id.as_str());
        if !own {
            return Err(super::corrupt(&path, "it belongs to another container"));
        }
        Ok(record)
    }

    /// Replaces what was asked, name aside; for who holds the container's lock or its change lock.
    pub(crate) fn set_record(&self, record: &ContainerRecord) -> Result<()> {
        write_json(&self.path.join("container.json"), record)
    }

    /// Record and liveness together.
    pub(crate) fn entry(&self) -> Result<ContainerEntry> {
        Ok(ContainerEntry {
            record: self.record()?,
            alive: self.is_alive()?,
            dir: self.clone(),
        })
    }

    /// Takes the lock that is held for the whole life of the container.
    ///
    /// # Errors
    /// `Conflict` when it is running or being removed.
    pub(crate) fn lock(&self) -> Result<ContainerLock> {
        let path = self.lock_path();
        let file = file::open_or_create(&path).map_err(|error| Error::io("open", &path, error))?;
        if file::try_own(&file).map_err(|error| Error::io("lock", &path, error))? {
            return Ok(ContainerLock { file });
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let short: String = name.trim_start_matches(NEW).chars().take(12).collect();
        Err(Error::new(Kind::Conflict, "lock container", short)
            .because("it is running or being changed by another command".to_owned()))
    }

    /// Whether a process holds the lock; takes nothing itself. In the process that holds it,
    /// true as well.
    pub(crate) fn is_alive(&self) -> Result<bool> {
        let path = self.lock_path();
        match file::open_nofollow(&path) {
            Ok(file) => file::is_owned(&file).map_err(|error| Error::io("probe", &path, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("open", &path, error)),
        }
    }
}
