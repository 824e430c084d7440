//! A blob whose digest is known only when it is written: what ketch itself makes.

use std::fs::File;
use std::sync::Arc;

use super::lock::{Pin, StoreLock};
use super::{Store, blob};
use crate::common::{Digest, Error, Result};
use crate::sys::file::TempFile;

/// A blob being made. Dropped, or its process killed, it leaves nothing.
#[derive(Debug)]
pub(crate) struct IncomingBlob {
    temporary: TempFile,
    _pin: Arc<Pin>,
}

impl Store {
    /// Begins a blob.
    pub(crate) fn incoming(&self) -> Result<IncomingBlob> {
        Ok(IncomingBlob {
            _pin: self.pin()?.clone(),
            temporary: TempFile::new_in(&self.path("tmp"))?,
        })
    }
}

impl IncomingBlob {
    /// The file to write to; its position is shared with all that this gives.
    pub(crate) fn file(&self) -> Result<File> {
        self.temporary.handle()
    }

    /// Publishes what was written as the blob `digest`, which the writer has computed. One that
    /// is there already at that length is kept.
    pub(crate) fn publish(self, store: &Store, digest: &Digest, size: u64) -> Result<()> {
        let path = store.blobs().path(digest);
        let file = self.temporary.handle()?;
        let written = file
            .metadata()
            .map_err(|error| Error::io("stat", &path, error))?
            .len();
        if written != size {
            return Err(super::corrupt(
                &path,
                format!("{written} bytes were written, not {size}"),
            ));
        }
        let _lock = StoreLock::shared(store.root())?;
        let known = std::fs::symlink_metadata(&path).map(|facts| facts.len());
        if known.is_ok_and(|length| length != size) {
            crate::sys::file::remove_file(&path)?;
        }
        if !self.temporary.publish(&path)? {
            let known = store.blobs().open(digest)?;
            blob::refresh(&known).map_err(|error| Error::io("touch", &path, error))?;
        }
        Ok(())
    }
}
