//! Content-addressed blobs: looking up, reading with proof, adding small ones.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::writer::{self, BlobWriter};
use super::{Store, corrupt};
use crate::common::{Digest, Error, Kind, Result};
use crate::sys::file::{self, TempFile};

/// The blobs of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blobs<'a> {
    pub(super) store: &'a Store,
}

/// Answer to wanting a blob.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once per blob and taken apart at once"
)]
pub(crate) enum Blob {
    /// It is there, at its full length.
    Present,
    /// It has to be written; nobody else writes it meanwhile.
    Missing(BlobWriter),
}

impl Blobs<'_> {
    /// Where a blob lies or would lie.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.store.path("blobs/sha256");
        path.push(digest.hex());
        path
    }

    /// Whether the blob is there.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Opens a blob for reading. Its content is not verified: the reader checks the digest.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub(crate) fn open(&self, digest: &Digest) -> Result<File> {
        let path = self.path(digest);
        file::open_nofollow(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Error::new(Kind::NotFound, "open blob", digest.to_string()).because(error)
            }
            _ => Error::io("open blob", &path, error),
        })
    }

    /// Reads a whole blob of at most `limit` bytes and verifies it.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when it is larger or does not match its digest.
    pub(crate) fn read(&self, digest: &Digest, limit: usize) -> Result<Vec<u8>> {
        let path = self.path(digest);
        let bytes = file::read_open(&self.open(digest)?, &path, limit)?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(corrupt(&path, format!("its content has digest {found}")));
        }
        Ok(bytes)
    }

    /// Adds a small blob (manifest, configuration) and returns its digest. One that is there
    /// already is kept, unless it is damaged.
    pub(crate) fn put_bytes(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        self.store.pin()?;
        let path = self.path(&digest);
        let _lock = self.store.lock_shared()?;
        if let Ok(file) = self.open(&digest) {
            let known = file::read_open(&file, &path, bytes.len());
            if known.is_ok_and(|known| known == bytes) {
                refresh(&file).map_err(|error| Error::io("touch", &path, error))?;
                return Ok(digest);
            }
            file::remove_file(&path)?;
        }
        let mut temporary = TempFile::new_in(&self.store.path("tmp"))?;
        temporary
            .write_all(bytes)
            .map_err(|error| Error::io("write blob", &path, error))?;
        temporary.publish(&path)?;
        Ok(digest)
    }

    /// Wants the blob of `digest` and `size` bytes. Waits while another thread or process
    /// writes it, and then usually finds it present. What an interrupted writer left is
    /// verified by rehashing and continued.
    pub(crate) fn acquire(&self, digest: &Digest, size: u64) -> Result<Blob> {
        let pin = self.store.pin()?.clone();
        if self.reuse(digest, size)? {
            return Ok(Blob::Present);
        }
        let partial = writer::partial_path(&self.store.root, digest);
        let file = file::lock_path(&partial)?;
        if self.reuse(digest, size)? {
            file::remove_file(&partial)?;
            return Ok(Blob::Present);
        }
        let target = self.path(digest);
        BlobWriter::resume(self.store.root.clone(), file, target, *digest, size, pin)
            .map(Blob::Missing)
    }

    /// Whether the blob can be used; makes it young, so that no collection that began after
    /// this process's pin takes it away. A blob of another length is torn: it is removed.
    fn reuse(&self, digest: &Digest, size: u64) -> Result<bool> {
        let _lock = self.store.lock_shared()?;
        let path = self.path(digest);
        let Ok(file) = file::open_nofollow(&path) else {
            return Ok(false);
        };
        let length = file
            .metadata()
            .map_err(|error| Error::io("stat", &path, error))?
            .len();
        if length != size {
            file::remove_file(&path)?;
            return Ok(false);
        }
        refresh(&file).map_err(|error| Error::io("touch", &path, error))?;
        Ok(true)
    }
}

/// Sets the modification time of an open file to now.
pub(super) fn refresh(file: &File) -> io::Result<()> {
    file.set_modified(std::time::SystemTime::now())
}
