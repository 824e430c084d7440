//! The contents of plain files, written on a thread of their own while the next files are made.
//!
//! Making a file and filling it cost about the same, and both wait for the file system: on one
//! thread they are the longest stage of an unpack. Only files that need nothing but bytes and
//! times come here; the descriptor is all that is needed, whatever becomes of the name.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use nix::sys::stat;
use nix::sys::time::TimeSpec;

use super::apply::failed;
use super::field::show;
use crate::common::{Error, Kind, Result};
use crate::sys::writeback;

/// Bytes of one batch: many small files, or a part of a large one.
const BYTES: usize = 128 << 10;
/// Files of one batch: each is an open descriptor.
const FILES: usize = 32;
/// Batches of a layer: one being written, one waiting, one being filled.
const BATCHES: usize = 3;

/// Bytes of a file that are on their way to the disk at once. The sync at the end of a pull took
/// a third of it while all was left to that; what is smaller costs a call and saves little.
const WRITE_BACK: u64 = 128 << 10;

/// A file's bytes in a batch.
#[derive(Debug)]
struct Piece {
    /// The file that begins here; none goes on with the one before.
    file: Option<(File, Vec<u8>)>,
    /// Bytes in the batch.
    length: usize,
    /// The file ends here, and gets this time.
    end: Option<TimeSpec>,
}

/// What goes over in one message: waking a thread costs as much as writing a small file.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Takes files and their bytes.
#[derive(Debug)]
pub(super) struct Contents {
    to: SyncSender<Batch>,
    used: Receiver<Batch>,
    unmade: usize,
    batch: Batch,
}

/// Writes them.
#[derive(Debug)]
pub(super) struct Filler {
    from: Receiver<Batch>,
    recycle: SyncSender<Batch>,
}

/// Both ends.
pub(super) fn channel() -> (Contents, Filler) {
    let (to, from) = sync_channel(BATCHES);
    let (recycle, used) = sync_channel(BATCHES);
    let contents = Contents {
        to,
        used,
        unmade: BATCHES - 1,
        batch: Batch::default(),
    };
    (contents, Filler { from, recycle })
}

impl Contents {
    /// Begins a file. The bytes that follow are its own.
    pub(super) fn begin(&mut self, file: File, path: &[u8]) -> Result<()> {
        if self.batch.pieces.len() >= FILES {
            self.flush()?;
        }
        self.batch.pieces.push(Piece {
            file: Some((file, path.to_vec())),
            length: 0,
            end: None,
        });
        Ok(())
    }

    /// Takes bytes of the file that was begun; returns how many.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.batch.bytes.len() >= BYTES {
            self.flush()?;
            self.batch.pieces.push(Piece {
                file: None,
                length: 0,
                end: None,
            });
        }
        let count = bytes.len().min(BYTES - self.batch.bytes.len());
        self.batch.bytes.extend_from_slice(&bytes[..count]);
        if let Some(piece) = self.batch.pieces.last_mut() {
            piece.length += count;
        }
        Ok(count)
    }

    /// Ends the file that was begun.
    pub(super) fn end(&mut self, time: TimeSpec) {
        if let Some(piece) = self.batch.pieces.last_mut() {
            piece.end = Some(time);
        }
    }

    /// Hands over what waits.
    ///
    /// # Errors
    /// The other side has ended, whose own error tells why.
    pub(super) fn flush(&mut self) -> Result<()> {
        let gone = || Error::new(Kind::Bug, "write", "").because("the writing stage has ended");
        if self.batch.pieces.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.to.send(batch).map_err(|_| gone())?;
        self.batch = match self.unmade {
            0 => self.used.recv().map_err(|_| gone())?,
            _ => {
                self.unmade -= 1;
                Batch {
                    bytes: Vec::with_capacity(BYTES),
                    pieces: Vec::with_capacity(FILES),
                }
            }
        };
        Ok(())
    }
}

impl Filler {
    /// Writes all files; ends when the other side is dropped.
    ///
    /// # Errors
    /// The first file that could not be written. Nothing is taken any more then.
    pub(super) fn run(self) -> Result<()> {
        let mut current: Option<(File, Vec<u8>)> = None;
        let (mut sent, mut written) = (0, 0);
        for mut batch in self.from {
            let mut at = 0;
            for piece in batch.pieces.drain(..) {
                if let Some(next) = piece.file {
                    current = Some(next);
                    (sent, written) = (0, 0);
                }
                let bytes = batch.bytes.get(at..at + piece.length).unwrap_or_default();
                at += piece.length;
                let Some((file, path)) = &mut current else {
                    continue;
                };
                file.write_all(bytes)
                    .map_err(|error| Error::io("write", show(path), error))?;
                written += bytes.len() as u64;
                if written - sent >= WRITE_BACK {
                    writeback::begin(file.as_fd(), sent);
                    sent = written;
                }
                if let Some(time) = piece.end {
                    stat::futimens(&*file, &time, &time)
                        .map_err(|errno| failed("set times", path, errno))?;
                    current = None;
                }
            }
            batch.bytes.clear();
            // The other side may have ended already.
            let _ = self.recycle.send(batch);
        }
        Ok(())
    }
}
