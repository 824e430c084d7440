//! The store lock and the pins; `mod.rs` has the lock order.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Store;
use crate::common::{Error, Result};
use crate::sys::file::{self, Sharing};

/// The store lock, held until dropped. Nothing is held on a read-only file system, where nobody
/// can change anything either.
#[derive(Debug)]
pub(super) struct StoreLock {
    _file: Option<File>,
}

impl StoreLock {
    /// For looking something up and publishing what depends on it.
    pub(super) fn shared(root: &Path) -> Result<StoreLock> {
        let _file = take(&root.join("lock"), Sharing::Shared)?;
        Ok(StoreLock { _file })
    }
}

/// Opens and locks a lock file that is never removed; `None` on a read-only file system.
pub(super) fn take(path: &Path, sharing: Sharing) -> Result<Option<File>> {
    let file = match file::open_or_create(path) {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(libc::EROFS) => return Ok(None),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    file::lock(&file, sharing).map_err(|error| Error::io("lock", path, error))?;
    Ok(Some(file))
}

impl Store {
    pub(super) fn lock_shared(&self) -> Result<StoreLock> {
        StoreLock::shared(&self.root)
    }

    /// For collecting: nothing is published meanwhile.
    pub(super) fn lock_exclusive(&self) -> Result<StoreLock> {
        let _file = take(&self.path("lock"), Sharing::Exclusive)?;
        Ok(StoreLock { _file })
    }
}

/// Keeps what this process adds from being collected before a name points to it.
#[derive(Debug)]
pub(super) struct Pin {
    path: PathBuf,
    file: File,
}

impl Pin {
    pub(super) fn new(tmp: &Path) -> Result<Pin> {
        let path = tmp.join(file::random_name("pin-")?);
        Ok(Pin {
            file: file::lock_path(&path).map_err(explain)?,
            path,
        })
    }
}

/// The pin is the first thing a writer makes: here a store that cannot be written shows.
fn explain(error: Error) -> Error {
    match error.raw_os_error() {
        Some(libc::EROFS | libc::EACCES) => {
            error.hint("the store cannot be written; choose another directory with KETCH_ROOT")
        }
        Some(libc::ENOSPC | libc::EDQUOT) => {
            error.hint("free some space, for example with ketch system prune")
        }
        _ => error,
    }
}

impl Store {
    /// Gives up the pin of this process, and of the one that it was forked from: what they added
    /// has a name, or a container that keeps it.
    pub(crate) fn unpin(&self) {
        if let Some(pin) = self.pin.get() {
            let _ = std::fs::remove_file(&pin.path);
            let _ = pin.file.unlock();
        }
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
