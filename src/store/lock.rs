//! The store lock and the pins; `mod.rs` has the lock order.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Store;
use crate::common::{Error, Result};
use crate::sys::file::{self, Sharing};

/// The store lock, held until dropped.
#[derive(Debug)]
pub(super) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// For looking something up and publishing what depends on it.
    pub(super) fn shared(root: &Path) -> Result<StoreLock> {
        StoreLock::take(root, Sharing::Shared)
    }

    fn take(root: &Path, sharing: Sharing) -> Result<StoreLock> {
        let path = root.join("lock");
        let file = file::open_or_create(&path).map_err(|e| Error::io("open", &path, e))?;
        file::lock(&file, sharing).map_err(|error| Error::io("lock", &path, error))?;
        Ok(StoreLock { _file: file })
    }
}

impl Store {
    pub(super) fn lock_shared(&self) -> Result<StoreLock> {
        StoreLock::shared(&self.root)
    }

    /// For collecting: nothing is published meanwhile.
    pub(super) fn lock_exclusive(&self) -> Result<StoreLock> {
        StoreLock::take(&self.root, Sharing::Exclusive)
    }
}

/// Keeps what this process adds from being collected before a name points to it.
#[derive(Debug)]
pub(super) struct Pin {
    path: PathBuf,
    _file: File,
}

impl Pin {
    pub(super) fn new(tmp: &Path) -> Result<Pin> {
        let path = tmp.join(file::random_name("pin-")?);
        Ok(Pin {
            _file: file::lock_path(&path)?,
            path,
        })
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Birth of the oldest live pin as (seconds, nanoseconds); dead ones are removed on the way.
pub(super) fn oldest_pin(tmp: &Path) -> Result<Option<(i64, i64)>> {
    let mut oldest = None;
    for name in file::names(tmp)? {
        if !name.to_str().is_some_and(|name| name.starts_with("pin-")) {
            continue;
        }
        let path = tmp.join(&name);
        if file::try_lock_path(&path)?.is_some() {
            file::remove_file(&path)?;
        } else if let Ok(found) = std::fs::symlink_metadata(&path) {
            let born = (found.mtime(), found.mtime_nsec());
            if oldest.is_none_or(|known| born < known) {
                oldest = Some(born);
            }
        }
    }
    Ok(oldest)
}

/// The id of this boot of the machine; empty where /proc does not tell.
pub(super) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
