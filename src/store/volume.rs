//! Volumes on disk: data that outlives the containers that use it.
//!
//! ```text
//! volumes/.lock               held while a volume is made or removed
//! volumes/<name>/volume.json  the record; never changes
//! volumes/<name>/_data        what containers see
//! ```
//!
//! Who uses a volume is said by the containers' records alone. A container is on record before its
//! volumes are made, and a removal looks for users under the lock: so a volume is never taken away
//! from a container that has just found it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::take;
use super::trash::{self, Purged};
use super::{Store, optional, read_json, write_json};
use crate::common::{Error, Kind, Result, Timestamp, check_name};
use crate::sys::file::{self, Sharing};
use crate::sys::tree;

/// A volume that is being made.
const NEW: &str = ".new-";

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeRecord {
    /// Name.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// `local` or `tmpfs`.
    pub(crate) driver: String,
    /// `--label`.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// `--opt`.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// Made without a name, for one container.
    #[serde(default)]
    pub(crate) anonymous: bool,
}

impl VolumeRecord {
    /// A plain volume, made now.
    pub(crate) fn new(name: &str) -> VolumeRecord {
        VolumeRecord {
            name: name.to_owned(),
            created: Timestamp::now(),
            driver: "local".to_owned(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            anonymous: false,
        }
    }
}

/// The volumes of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Volumes<'a> {
    store: &'a Store,
}

impl Store {
    /// Volumes by name.
    pub(crate) fn volumes(&self) -> Volumes<'_> {
        Volumes { store: self }
    }
}

impl Volumes<'_> {
    fn dir(&self) -> PathBuf {
        self.store.path("volumes")
    }

    fn place(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Where the content of a volume lies.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.place(name).join("_data")
    }

    /// Makes the volume unless there is one of its name. Returns what there is now, and whether
    /// it was made.
    ///
    /// # Errors
    /// `Usage` for a bad name, and what the disk gave; nothing is left then.
    pub(crate) fn ensure(&self, wanted: &VolumeRecord) -> Result<(VolumeRecord, bool)> {
        check_name(&wanted.name)?;
        file::make_private_dir(&self.dir())?;
        let _lock = take(&self.dir().join(".lock"), Sharing::Exclusive)?;
        if let Some(found) = self.read(&wanted.name)? {
            return Ok((found, false));
        }
        let fresh = self.dir().join(file::random_name(NEW)?);
        let made =
            fill(&fresh, wanted).and_then(|()| file::rename(&fresh, &self.place(&wanted.name)));
        if made.is_err() {
            let _ = tree::remove_tree(&fresh);
        }
        made.map(|()| (wanted.clone(), true))
    }

    /// Every volume, by name.
    pub(crate) fn list(&self) -> Result<Vec<VolumeRecord>> {
        let mut found = Vec::new();
        for name in optional(file::names(&self.dir()))?.unwrap_or_default() {
            let Some(name) = name.to_str().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            found.extend(self.read(name)?);
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The volume in the directory `name`; `None` when there is none.
    ///
    /// The record is not written through, so that a power cut may have torn it: the data is what
    /// counts, and a plain record is made up for it.
    fn read(&self, name: &str) -> Result<Option<VolumeRecord>> {
        let path = self.place(name).join("volume.json");
        match optional(read_json::<VolumeRecord>(&path)) {
            Ok(Some(record)) if record.name == name => Ok(Some(record)),
            Err(error) if error.kind() != Kind::Corrupt => Err(error),
            _ if self.data(name).is_dir() => Ok(Some(VolumeRecord::new(name))),
            _ => Ok(None),
        }
    }

    /// The volume of exactly this name.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn named(&self, name: &str) -> Result<VolumeRecord> {
        check_name(name)?;
        self.read(name)?.ok_or_else(|| {
            Error::new(Kind::NotFound, "find volume", name)
                .because("no such volume")
                .hint("ketch volume create makes it")
        })
    }

    /// The volume of this name, or the only one whose name begins so.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several names begin so.
    pub(crate) fn find(&self, wanted: &str) -> Result<VolumeRecord> {
        if check_name(wanted).is_ok()
            && let Some(record) = self.read(wanted)?
        {
            return Ok(record);
        }
        let mut all = self.list()?;
        all.retain(|record| !wanted.is_empty() && record.name.starts_with(wanted));
        match (all.pop(), all.is_empty()) {
            (Some(record), true) => Ok(record),
            (Some(_), false) => Err(Error::new(Kind::Conflict, "find volume", wanted)
                .because("more than one volume name begins with this".to_owned())
                .hint("give more characters of the name")),
            (None, _) => Err(Error::new(Kind::NotFound, "find volume", wanted)
                .because("no such volume".to_owned())
                .hint("ketch volume ls lists them")),
        }
    }

    /// Removes a volume unless `users` finds containers that have it; they are asked for while
    /// no volume can be made. Files that could not be deleted are in the trash and in the answer.
    ///
    /// # Errors
    /// `Conflict`, naming the containers; `NotFound` when it is gone.
    pub(crate) fn remove(
        &self,
        name: &str,
        users: impl FnOnce() -> Result<Vec<String>>,
    ) -> Result<Purged> {
        let place = {
            let _lock = take(&self.dir().join(".lock"), Sharing::Exclusive)?;
            if self.read(name)?.is_none() {
                return Err(
                    Error::new(Kind::NotFound, "remove volume", name).because("no such volume")
                );
            }
            let users = users()?;
            if !users.is_empty() {
                return Err(Error::new(Kind::Conflict, "remove volume", name)
                    .because(format!("volume is in use - [{}]", users.join(", ")))
                    .hint("remove these containers first"));
            }
            trash::throw(&self.store.root, &self.place(name))?
        };
        let mut purged = Purged::default();
        if let Some(place) = place
            && let Err(error) = tree::remove_tree(&place)
        {
            purged.left.push((place, error));
        }
        Ok(purged)
    }
}

/// Fills a directory for a volume. Its content's place belongs to root inside and can be entered
/// by everybody, as docker's; nobody else comes past the store.
fn fill(fresh: &Path, record: &VolumeRecord) -> Result<()> {
    file::make_private_dir(fresh)?;
    let data = fresh.join("_data");
    file::make_private_dir(&data)?;
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::io("open to everybody", &data, error))?;
    write_json(&fresh.join("volume.json"), record)
}
