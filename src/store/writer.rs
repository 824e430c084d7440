//! Writing one large blob: resumable, verified, published by a hard link.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::{Pin, StoreLock};
use crate::common::{Digest, Error, Hasher, Kind, Result};
use crate::sys::{file, writeback};

/// Bytes after which the disk begins to write, so that the sync at the end has little left.
const PART: u64 = 4 << 20;

/// Where the unfinished bytes of a blob wait.
pub(super) fn partial_path(root: &Path, digest: &Digest) -> PathBuf {
    root.join("tmp")
        .join(format!("blob-{}.partial", digest.hex()))
}

/// The one writer of a blob. Dropped without [`commit`](BlobWriter::commit), a part of it stays for
/// a later resume.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    root: PathBuf,
    file: File,
    target: PathBuf,
    digest: Digest,
    size: u64,
    resumed: u64,
    written: u64,
    /// Of those, the ones that are on their way to the disk.
    sent: u64,
    hasher: Hasher,
    /// Published, or removed.
    settled: bool,
    _pin: Arc<Pin>,
}

impl Drop for BlobWriter {
    /// What is whole and was not wanted is no use to a resume, which would begin again.
    fn drop(&mut self) {
        if !self.settled && self.written >= self.size {
            let _ = file::remove_file(&partial_path(&self.root, &self.digest));
        }
    }
}

impl BlobWriter {
    /// Continues the locked partial `file`.
    pub(super) fn resume(
        root: PathBuf,
        file: File,
        target: PathBuf,
        digest: Digest,
        size: u64,
        pin: Arc<Pin>,
    ) -> Result<BlobWriter> {
        let mut writer = BlobWriter {
            root,
            file,
            target,
            digest,
            size,
            resumed: 0,
            written: 0,
            sent: 0,
            hasher: Hasher::default(),
            settled: false,
            _pin: pin,
        };
        let io = |error| Error::io("resume", partial_path(&writer.root, &digest), error);
        let length = writer.file.metadata().map_err(io)?.len();
        // A full partial that was not committed has the wrong content, or its writer died just
        // before the end: cheap to tell apart only by starting again.
        if length >= size {
            writer.file.set_len(0).map_err(io)?;
        } else if length > 0 {
            let mut buffer = vec![0u8; 256 << 10];
            loop {
                let got = writer.file.read(&mut buffer).map_err(io)?;
                if got == 0 {
                    break;
                }
                writer.hasher.update(&buffer[..got]);
                writer.resumed += got as u64;
            }
        }
        writer
            .file
            .seek(SeekFrom::Start(writer.resumed))
            .map_err(io)?;
        writer.written = writer.resumed;
        writer.sent = writer.resumed;
        Ok(writer)
    }

    /// Bytes that were already there when the writer was made: where a download continues.
    pub(crate) fn offset(&self) -> u64 {
        self.resumed
    }

    /// Reads those bytes again, for whoever has to see the blob from its beginning.
    pub(crate) fn partial_reader(&self) -> Result<PartialReader> {
        let file = self
            .file
            .try_clone()
            .map_err(|error| Error::io("reopen", partial_path(&self.root, &self.digest), error))?;
        Ok(PartialReader {
            file,
            position: 0,
            end: self.resumed,
        })
    }

    /// Forgets everything written, for a server that cannot continue in the middle.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let restarted = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)));
        restarted.map_err(|e| Error::io("truncate", partial_path(&self.root, &self.digest), e))?;
        self.hasher = Hasher::default();
        self.resumed = 0;
        self.written = 0;
        Ok(())
    }

    /// Verifies size and digest and publishes the blob. No fsync: see `Store::sync`.
    ///
    /// # Errors
    /// `Corrupt`, naming both digests, when the content is not what was wanted; it is removed.
    /// `Corrupt` for a short blob too; that one stays for a resume.
    pub(crate) fn commit(mut self) -> Result<()> {
        let partial = partial_path(&self.root, &self.digest);
        self.verify(&partial)?;
        let _lock = StoreLock::shared(&self.root)?;
        super::blob::refresh(&self.file).map_err(|e| Error::io("touch", &partial, e))?;
        file::rename(&partial, &self.target)?;
        self.settled = true;
        Ok(())
    }

    /// Verifies as [`commit`](BlobWriter::commit) does, then drops the bytes instead of keeping
    /// them.
    pub(crate) fn commit_unkept(self) -> Result<()> {
        // Whole and not settled: it is removed when it is dropped.
        self.verify(&partial_path(&self.root, &self.digest))
    }

    /// The error of a blob that is complete but not what was wanted; `None` for a right or a
    /// short one.
    pub(crate) fn mismatch(&self) -> Option<Error> {
        if self.written < self.size || self.hasher.clone().finish() == self.digest {
            return None;
        }
        self.verify(&partial_path(&self.root, &self.digest)).err()
    }

    fn verify(&self, partial: &Path) -> Result<()> {
        if self.written < self.size {
            return Err(
                Error::new(Kind::Corrupt, "verify blob", self.digest.to_string()).because(format!(
                    "it ended after {} of {} bytes",
                    self.written, self.size
                )),
            );
        }
        let found = self.hasher.clone().finish();
        if found != self.digest {
            file::remove_file(partial)?;
            return Err(
                Error::new(Kind::Corrupt, "verify blob", self.digest.to_string())
                    .because(format!("the content received has digest {found}"))
                    .hint("pull again; if it persists, the registry or a proxy alters the data"),
            );
        }
        Ok(())
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.size - self.written {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("blob {} is longer than {} bytes", self.digest, self.size),
            ));
        }
        let done = self.file.write(bytes)?;
        self.hasher.update(&bytes[..done]);
        self.written += done as u64;
        if self.written - self.sent >= PART {
            writeback::begin(self.file.as_fd(), self.sent);
            self.sent = self.written;
        }
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes a resumed blob had; made by [`BlobWriter::partial_reader`]. Independent of the
/// writer's position, so that both can be used at once.
#[derive(Debug)]
pub(crate) struct PartialReader {
    file: File,
    position: u64,
    end: u64,
}

impl Read for PartialReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let want = buffer.len().min(left);
        let got = self.file.read_at(&mut buffer[..want], self.position)?;
        self.position += got as u64;
        Ok(got)
    }
}
