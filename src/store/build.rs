//! The build cache: what each step of a build came to, by its key.
//!
//! ```text
//! build/builders.json      names of builders (see `builder`)
//! build/lock               held shared by every build; alone by who moves or sweeps results
//! build/cache/<hex>.json   one record, by key; its modification time is its last use
//! build/steps/<id>/upper   a result whose digest is not known yet, in overlayfs's form
//! build/work/<id>/         a step at work: a container's directory, held by its `lock`
//! build/mounts/            directories of `RUN --mount=type=cache`
//! build/downloads/         what ADD and contexts fetched, by digest (see `build::source`)
//! build/index/             digests of the files of contexts (see `build::context`)
//! ```
//!
//! A step that is killed leaves its directory in `work/` with its lock free: the next sweep throws
//! it away. One that has ended is in `steps/` before its record is written, so that a record never
//! names what is not there; a result without a record is thrown away by a sweep as well.

use std::fs::File;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::container::{ContainerDir, ContainerLock};
use super::lock::boot_id;
use super::trash::throw;
use super::{Store, read_json, write_json};
use crate::common::{ContainerId, Digest, Error, Kind, Mode, Result, Timestamp};
use crate::sys::file::{self, Sharing};
use crate::sys::file_system::spread;

/// The build cache of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildCache<'a> {
    pub(super) store: &'a Store,
}

/// A layer that a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CachedLayer {
    /// Digest of its archive: the name of the unpacked layer.
    pub(crate) diff_id: Digest,
    /// Digest of the compressed archive.
    pub(crate) blob: Digest,
    /// Length of the compressed archive in bytes.
    pub(crate) blob_size: u64,
    /// Sum of its files' lengths in bytes.
    pub(crate) size: u64,
}

/// What the step of one key came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CacheRecord {
    /// Digest of all that the result depends on.
    pub(crate) key: Digest,
    /// The step as progress shows it.
    pub(crate) text: String,
    /// What it depends on, by name, for who asks why another key was not found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<(String, Digest)>,
    /// When the step ended.
    pub(crate) created: Timestamp,
    /// Its layer, once the digest is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) layer: Option<CachedLayer>,
    /// Its directory in `steps/`, until the layer is among the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    /// The step changed nothing: it has no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) nothing: bool,
    /// Identity mode that the directory is of.
    pub(crate) mode: Mode,
    /// Everything it names was written back to the disk.
    #[serde(default)]
    pub(crate) synced: bool,
    /// Boot in which it was made; set by the store.
    #[serde(default)]
    pub(crate) boot: String,
}

impl CacheRecord {
    /// The record of a step of which nothing is known but its key and its time.
    pub(crate) fn new(key: Digest, created: Timestamp, mode: Mode) -> CacheRecord {
        CacheRecord {
            key,
            text: String::new(),
            inputs: Vec::new(),
            created,
            layer: None,
            step: None,
            nothing: false,
            mode,
            synced: false,
            boot: String::new(),
        }
    }
}

/// The presence of a build: while it lives nobody moves a result away.
#[derive(Debug)]
pub(crate) struct BuildPresence {
    file: File,
}

/// A step at work.
#[derive(Debug)]
pub(crate) struct StepWork {
    /// Names its directory and, as a container, its leases of addresses.
    pub(crate) id: ContainerId,
    /// Its directory, like a container's.
    pub(crate) dir: ContainerDir,
    /// Held while it is at work.
    pub(crate) lock: ContainerLock,
}

impl Store {
    /// The build cache.
    pub(crate) fn build_cache(&self) -> BuildCache<'_> {
        BuildCache { store: self }
    }
}

impl BuildCache<'_> {
    pub(super) fn dir(&self) -> PathBuf {
        self.store.path("build")
    }

    fn record_path(&self, key: &Digest) -> PathBuf {
        self.dir().join("cache").join(format!("{}.json", key.hex()))
    }

    /// A directory below `build/` of the caller's own, made when missing: `mounts`, `index`.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir().join(name);
        if !path.is_dir() {
            file::make_private_dir(&self.dir())?;
            file::make_private_dir(&path)?;
            spread(&path);
        }
        Ok(path)
    }

    /// Announces a build.
    pub(crate) fn enter(&self) -> Result<BuildPresence> {
        for name in ["cache", "steps", "work"] {
            self.folder(name)?;
        }
        let path = self.dir().join("lock");
        let file = file::open_or_create(&path).map_err(|e| Error::io("open", &path, e))?;
        file::lock(&file, Sharing::Shared).map_err(|e| Error::io("lock", &path, e))?;
        Ok(BuildPresence { file })
    }

    /// The record of a key; `None` as well for one that cannot be trusted, which is removed.
    pub(crate) fn find(&self, key: &Digest) -> Result<Option<CacheRecord>> {
        let path = self.record_path(key);
        let record: CacheRecord = match read_json(&path) {
            Ok(record) => record,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) if error.kind() == Kind::Corrupt => {
                file::remove_file(&path)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // A power cut may have torn what was not written back.
        if record.key != *key || !record.synced && record.boot != boot_id() {
            file::remove_file(&path)?;
            return Ok(None);
        }
        Ok(Some(record))
    }

    /// Writes a record. What it names is there.
    pub(crate) fn put(&self, record: &CacheRecord) -> Result<()> {
        let _lock = self.store.lock_shared()?;
        let record = CacheRecord {
            boot: boot_id(),
            ..record.clone()
        };
        write_json(&self.record_path(&record.key), &record)
    }

    /// Notes that a record was used now.
    pub(crate) fn touch(&self, key: &Digest) {
        let _ = file::touch(&self.record_path(key));
    }

    /// Removes a record; its layer stays until a collection.
    pub(crate) fn remove(&self, key: &Digest) -> Result<()> {
        file::remove_file(&self.record_path(key))
    }

    /// All readable records with the moment of their last use, unsorted.
    pub(crate) fn list(&self) -> Result<Vec<(CacheRecord, Timestamp)>> {
        let dir = self.dir().join("cache");
        let mut found = Vec::new();
        for name in file::names(&dir)? {
            let path = dir.join(&name);
            if !name.to_str().is_some_and(|name| name.ends_with(".json")) {
                continue;
            }
            let Ok(record) = read_json::<CacheRecord>(&path) else {
                continue;
            };
            let modified = path.symlink_metadata().and_then(|facts| facts.modified());
            let used = modified.map_or(record.created, Timestamp::from);
            found.push((record, used));
        }
        Ok(found)
    }

    /// Whether a record whose layers are on the disk for good names this layer.
    pub(super) fn names_layer(&self, diff_id: &Digest) -> Result<bool> {
        let records = self.list()?;
        let names = |record: &CacheRecord| {
            record.synced && record.layer.is_some_and(|layer| layer.diff_id == *diff_id)
        };
        Ok(records.iter().any(|(record, _)| names(record)))
    }

    /// Begins a step: an empty directory like a container's, with its lock taken.
    pub(crate) fn begin(&self) -> Result<StepWork> {
        let id = ContainerId::from_bytes(file::random()?);
        let path = self.dir().join("work").join(id.as_str());
        file::make_private_dir(&path)?;
        let dir = ContainerDir::apart(path);
        let lock = dir.lock()?;
        for part in [dir.upper(), dir.work()] {
            file::make_private_dir(&part)?;
        }
        Ok(StepWork { id, dir, lock })
    }

    /// The directory of a step at work.
    pub(super) fn work(&self, id: &ContainerId) -> ContainerDir {
        ContainerDir::apart(self.dir().join("work").join(id.as_str()))
    }

    /// Where the result of a step lies until its layer is among the others.
    pub(crate) fn result(&self, step: &str) -> PathBuf {
        self.dir().join("steps").join(step).join("upper")
    }

    /// Keeps the upper directory of a step that has ended as its result, and nothing else of it.
    /// Returns the name of the result.
    pub(crate) fn keep(&self, work: &StepWork) -> Result<String> {
        let path = work.dir.path();
        for name in file::names(path)? {
            if name == "upper" || name == "lock" {
                continue;
            }
            if name == "work" {
                super::trash::empty_overlay_work(&path.join(&name));
            }
            throw_or_remove(self.store, &path.join(&name))?;
        }
        let name = work.id.as_str().to_owned();
        file::rename(path, &self.dir().join("steps").join(&name))?;
        Ok(name)
    }

    /// Throws away a step at work, or a result.
    pub(crate) fn discard(&self, step: &str) -> Result<()> {
        for folder in ["work", "steps"] {
            throw(&self.store.root, &self.dir().join(folder).join(step))?;
        }
        Ok(())
    }

    /// Throws away what killed builds left. Does nothing while a build is at work.
    pub(crate) fn sweep(&self) -> Result<()> {
        let dir = self.dir();
        let left = |name: &str| file::names(&dir.join(name));
        let (work, steps) = (left("work")?, left("steps")?);
        if work.is_empty() && steps.is_empty() {
            return Ok(());
        }
        let path = dir.join("lock");
        let Some(_alone) = file::try_lock_path(&path)? else {
            return Ok(());
        };
        for name in work {
            throw(&self.store.root, &dir.join("work").join(name))?;
        }
        let records = self.list()?;
        let named = |name: &str| {
            let mut records = records.iter();
            records.any(|(record, _)| record.step.as_deref() == Some(name))
        };
        for name in steps {
            if !name.to_str().is_some_and(named) {
                throw(&self.store.root, &dir.join("steps").join(name))?;
            }
        }
        Ok(())
    }
}

impl BuildPresence {
    /// Whether this is the only build, which it then stays until the answer is dropped or
    /// [`again`](BuildPresence::again) is called.
    pub(crate) fn alone(&self) -> bool {
        file::try_lock(&self.file, Sharing::Exclusive).unwrap_or(false)
    }

    /// One build among others again.
    pub(crate) fn again(&self) -> Result<()> {
        file::lock(&self.file, Sharing::Shared)
            .map_err(|error| Error::io("lock", "the build cache", error))
    }
}

/// Small files go at once; directories, which may hold files of other ids, by the trash.
fn throw_or_remove(store: &Store, path: &std::path::Path) -> Result<()> {
    match std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path)) {
        Ok(()) => Ok(()),
        Err(_) => throw(&store.root, path).map(drop),
    }
}
