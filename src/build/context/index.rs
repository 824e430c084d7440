//! Digests of files that have not changed since they were read: one file in `build/index/` for
//! each context.
//!
//! A file is known by device, inode, length and both times that a change moves. One that changed
//! just before it was read could change again within the same tick of the clock, so it is not
//! kept (git's "racy" rule).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::stat::FileStat;

use crate::common::Digest;
use crate::sys::file;

/// What the file begins with; another beginning is another format.
const MAGIC: &[u8; 8] = b"ketchix1";

/// Bytes of one record: a stamp and a digest.
const RECORD: usize = 72;

/// A file that changed in the last two seconds is not kept: some file systems count in those.
const TICK: i64 = 2_000_000_000;

/// Largest file that is read, in bytes: some 3.7 million files.
const MAX_FILE: usize = 256 << 20;

/// What a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp([u8; 40]);

impl Stamp {
    /// Of a file's facts.
    pub(crate) fn of(facts: &FileStat) -> Stamp {
        let nanoseconds = |seconds: i64, rest: i64| seconds.wrapping_mul(1_000_000_000) + rest;
        let numbers = [
            facts.st_ino,
            facts.st_dev,
            facts.st_size as u64,
            nanoseconds(facts.st_mtime, facts.st_mtime_nsec) as u64,
            nanoseconds(facts.st_ctime, facts.st_ctime_nsec) as u64,
        ];
        let mut bytes = [0; 40];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        Stamp(bytes)
    }

    /// The later of its times, in nanoseconds since 1970.
    fn changed(&self) -> i64 {
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.0[at..at + 8]);
            i64::from_be_bytes(bytes)
        };
        number(24).max(number(32))
    }
}

/// What was added.
#[derive(Debug, Default)]
struct Fresh {
    digests: HashMap<Stamp, Digest>,
    /// There is something that is not in the file.
    dirty: bool,
}

/// The digests of one context's files.
#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    /// Records as in the file, sorted.
    old: Vec<u8>,
    used: Vec<AtomicBool>,
    fresh: Mutex<Fresh>,
}

impl Index {
    /// Opens the index at `path`; one that cannot be read is empty.
    pub(crate) fn open(path: &Path) -> Index {
        let mut old = file::read_bounded(path, MAX_FILE).unwrap_or_default();
        // Its last use.
        let _ = file::touch(path);
        let good = old.starts_with(MAGIC) && (old.len() - MAGIC.len()).is_multiple_of(RECORD);
        match good {
            true => drop(old.drain(..MAGIC.len())),
            false => old.clear(),
        }
        let used = (0..old.len() / RECORD).map(|_| AtomicBool::new(false));
        Index {
            path: path.to_owned(),
            used: used.collect(),
            old,
            fresh: Mutex::default(),
        }
    }

    fn record(&self, index: usize) -> &[u8] {
        &self.old[index * RECORD..(index + 1) * RECORD]
    }

    /// The digest of a file that has not changed.
    pub(crate) fn find(&self, stamp: &Stamp) -> Option<Digest> {
        let (mut low, mut high) = (0, self.used.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.record(middle)[..40].cmp(&stamp.0[..]) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    self.used[middle].store(true, Ordering::Relaxed);
                    let mut bytes = [0; 32];
                    bytes.copy_from_slice(&self.record(middle)[40..]);
                    return Some(Digest::from_bytes(bytes));
                }
            }
        }
        self.fresh().digests.get(stamp).copied()
    }

    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the digest of a file that was the same before and after it was read.
    pub(crate) fn add(&self, before: &Stamp, after: &Stamp, digest: &Digest) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos() as i64);
        if before != after || before.changed() > now - TICK {
            return;
        }
        let mut fresh = self.fresh();
        fresh.digests.insert(*before, *digest);
        fresh.dirty = true;
    }

    /// Writes what was added. Best effort: without it the next build reads more.
    pub(crate) fn save(&self) {
        let mut fresh = self.fresh();
        if !std::mem::take(&mut fresh.dirty) {
            return;
        }
        let used = self.used.iter().filter(|used| used.load(Ordering::Relaxed));
        let live = used.count() + fresh.digests.len();
        // What nobody asked for goes once it is the larger part.
        let all = self.used.len() < 3 * live;
        let added: Vec<[u8; RECORD]> = fresh.digests.iter().map(record).collect();
        let mut records: Vec<&[u8]> = Vec::new();
        for (index, used) in self.used.iter().enumerate() {
            if all || used.load(Ordering::Relaxed) {
                records.push(self.record(index));
            }
        }
        records.extend(added.iter().map(|record| &record[..]));
        records.sort_unstable();
        records.dedup_by_key(|record| &record[..40]);
        let mut bytes = MAGIC.to_vec();
        for record in records {
            bytes.extend_from_slice(record);
        }
        let _ = file::write_atomic(&self.path, &bytes);
    }
}

fn record((stamp, digest): (&Stamp, &Digest)) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..40].copy_from_slice(&stamp.0);
    record[40..].copy_from_slice(digest.bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(number: u8) -> Stamp {
        let mut bytes = [0; 40];
        bytes[7] = number;
        Stamp(bytes)
    }

    #[test]
    fn what_is_added_is_found_at_once_and_by_the_next() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("index");
        let index = Index::open(&path);
        for number in [3, 1, 2] {
            index.add(&stamp(number), &stamp(number), &Digest::of(&[number]));
        }
        index.add(&stamp(4), &stamp(5), &Digest::of(b"changed meanwhile"));
        assert_eq!(index.find(&stamp(1)), Some(Digest::of(&[1])));
        index.save();
        let next = Index::open(&path);
        for number in [1, 2, 3] {
            assert_eq!(next.find(&stamp(number)), Some(Digest::of(&[number])));
        }
        assert_eq!(next.find(&stamp(4)), None);
        // What nobody asks for any more goes in the end.
        let last = Index::open(&path);
        last.add(&stamp(9), &stamp(9), &Digest::of(b"9"));
        last.save();
        let left = Index::open(&path);
        assert_eq!((left.find(&stamp(1)), left.used.len()), (None, 1));
        std::fs::write(&path, &std::fs::read(&path).unwrap()[..40]).unwrap();
        assert_eq!(Index::open(&path).find(&stamp(9)), None);
    }
}
