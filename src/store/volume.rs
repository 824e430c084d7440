//! Volumes: directories that outlive the containers that mount them.
//!
//! ```text
//!   volumes/.lock             shared by who is about to use one, exclusive to who removes
//!   volumes/NAME/volume.json  the record
//!   volumes/NAME/lock         held while the content of an image is copied in
//!   volumes/NAME/_data        what is mounted
//! ```

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::common::{Error, Kind, Result, Timestamp, check_name};
use crate::sys::file::{self, Sharing};
use crate::sys::tree;

/// Largest record, in bytes.
const MAX_RECORD: usize = 1 << 20;
/// What a volume in the making is called.
const NEW: &str = ".new-";

/// What is known of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeRecord {
    /// Name; 64 hex characters for one that nobody named.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// `local` is the only one.
    pub(crate) driver: String,
    /// `--label`.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// `-o`.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// Made for one container, and removed with it.
    #[serde(default)]
    pub(crate) anonymous: bool,
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

    /// The directory that is mounted.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.dir().join(name).join("_data")
    }

    /// No volume is removed while this is held: between naming one and having a container's
    /// record that names it.
    pub(crate) fn hold(&self) -> Result<File> {
        file::make_private_dir(&self.dir())?;
        self.take(Sharing::Shared)
    }

    fn take(&self, sharing: Sharing) -> Result<File> {
        let path = self.dir().join(".lock");
        let open = || {
            let file = std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            file::lock(&file, sharing)?;
            Ok(file)
        };
        open().map_err(|error| Error::io("lock", &path, error))
    }

    /// Held while a volume is filled.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        file::lock_path(&self.dir().join(name).join("lock"))
    }

    /// Makes a volume; one of this name is left as it is. True when it was made.
    ///
    /// # Errors
    /// `Usage` for a name that is none.
    pub(crate) fn create(&self, record: &VolumeRecord) -> Result<bool> {
        check_name(&record.name)?;
        file::make_private_dir(&self.dir())?;
        let fresh = self.dir().join(file::random_name(NEW)?);
        file::make_private_dir(&fresh)?;
        let made = || -> Result<()> {
            let data = fresh.join("_data");
            DirBuilder::new()
                .mode(0o755)
                .create(&data)
                .map_err(|error| Error::io("make directory", &data, error))?;
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&data, mode)
                .map_err(|error| Error::io("set mode of", &data, error))?;
            let text = serde_json::to_vec(record).unwrap_or_default();
            file::write_atomic(&fresh.join("volume.json"), &text)?;
            file::rename(&fresh, &self.dir().join(&record.name))
        };
        let made = made();
        if made.is_err() {
            let _ = tree::remove_tree(&fresh);
        }
        match made {
            Ok(()) => Ok(true),
            // A directory that is not empty is not renamed over.
            Err(_) if self.named(&record.name)?.is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The volume of exactly this name.
    pub(crate) fn named(&self, name: &str) -> Result<Option<VolumeRecord>> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let path = self.dir().join(name).join("volume.json");
        match file::read_bounded(&path, MAX_RECORD) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Error::new(Kind::Corrupt, "read", path.display().to_string())
                    .because(error.to_string())
            }),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`named`](Volumes::named).
    ///
    /// # Errors
    /// `NotFound` in docker's words.
    pub(crate) fn find(&self, name: &str) -> Result<VolumeRecord> {
        self.named(name)?.ok_or_else(|| {
            Error::new(Kind::NotFound, "get volume", name).because("no such volume".to_owned())
        })
    }

    /// Every volume, by name.
    pub(crate) fn list(&self) -> Result<Vec<VolumeRecord>> {
        let mut names = file::names(&self.dir())?;
        names.sort();
        let mut found = Vec::new();
        for name in names.iter().filter_map(|name| name.to_str()) {
            if !name.starts_with('.') {
                found.extend(self.named(name)?);
            }
        }
        Ok(found)
    }

    /// Removes volumes that `unused` says nobody mounts; it is asked while nobody begins to use
    /// one. Returns what is left for the owner of the files to delete.
    ///
    /// # Errors
    /// What `unused` gave.
    pub(crate) fn remove(
        &self,
        name: &str,
        unused: impl FnOnce() -> Result<()>,
    ) -> Result<Option<PathBuf>> {
        let _lock = self.take(Sharing::Exclusive)?;
        unused()?;
        let aside = self.dir().join(file::random_name(NEW)?);
        file::rename(&self.dir().join(name), &aside)?;
        match tree::remove_tree(&aside) {
            Ok(()) => Ok(None),
            Err(_) => Ok(Some(aside)),
        }
    }
}
