//! What happened to containers and images, one line of JSON each, in the order it happened.
//!
//! ```text
//! events     the lines of now, at the end of which everybody appends
//! events.1   the lines before; replaced when `events` has grown over its limit
//! ```
//!
//! Each append is one write under a shared lock. Who makes the file too long renames it; a writer
//! that had opened it before goes on in `events.1`, and [`JournalReader`] looks there.

mod reader;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Store;
use crate::common::Timestamp;
use crate::sys::file::{self, Sharing};

pub(crate) use reader::JournalReader;

/// Size in bytes from which `events` becomes `events.1`: some 15,000 events.
const LIMIT: u64 = 4 << 20;

/// How often the file is opened again because it was put aside between opening and writing.
const ATTEMPTS: usize = 100;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When.
    pub(crate) time: Timestamp,
    /// What it happened to: `container`, `image`, `volume`, `network`.
    #[serde(rename = "type")]
    pub(crate) object: String,
    /// docker's word for it: `create`, `start`, `die`, `destroy`, `pull`, …
    pub(crate) action: String,
    /// Id of the container, name or id of the image.
    pub(crate) id: String,
    /// docker's actor attributes: `name`, `image`, `exitCode`, `signal`, labels.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Store {
    /// Adds an event to the journal. Nothing depends on the journal, so that a full disk or a
    /// read-only store is no failure.
    pub(crate) fn note_event(&self, event: &Event) {
        self.note_events(std::slice::from_ref(event));
    }

    /// Adds events by one write, so that a reader sees all of them or none.
    pub(crate) fn note_events(&self, events: &[Event]) {
        self.append(events, LIMIT);
    }

    fn append(&self, events: &[Event], limit: u64) {
        let mut lines = Vec::new();
        for event in events {
            if serde_json::to_writer(&mut lines, event).is_err() {
                return;
            }
            lines.push(b'\n');
        }
        let path = self.path("events");
        for left in (0..ATTEMPTS).rev() {
            if append(&path, &lines, limit, left == 0).unwrap_or(true) {
                return;
            }
        }
    }

    /// Opens the journal: from its oldest line, or (`whole` false) for what comes from now on.
    pub(crate) fn journal(&self, whole: bool) -> io::Result<JournalReader> {
        JournalReader::open(self.path("events"), whole)
    }
}

/// Where the lines before those of `path` are.
fn old(path: &Path) -> PathBuf {
    path.with_extension("1")
}

/// Appends by one write; false when the file was put aside or deleted meanwhile.
fn append(path: &Path, lines: &[u8], limit: u64, last: bool) -> io::Result<bool> {
    let mut out = file::open_append(path)?;
    // Held for the write alone, and never waited for: who is stopped must stop nobody else.
    let held = file::try_lock(&out, Sharing::Shared).unwrap_or(true);
    let found = out.metadata()?;
    if !last && (!held || found.nlink() == 0) {
        return Ok(false);
    }
    let written = out.write(lines)?;
    if written < lines.len() {
        // The disk is full: half a line must not spoil the next one.
        let _ = out.write(b"\n");
    } else if found.size() + written as u64 > limit {
        rotate(&out, path)?;
    }
    Ok(true)
}

/// Makes the file the old one, unless somebody else does or did. The old one is deleted when
/// nobody is about to write to it: who opened it and has not locked it yet will see that.
fn rotate(out: &File, path: &Path) -> io::Result<()> {
    if !file::try_lock(out, Sharing::Exclusive)? || !is_at(out, path)? {
        return Ok(());
    }
    let old = old(path);
    let free = match file::open_nofollow(&old) {
        Ok(before) => file::try_lock(&before, Sharing::Exclusive)?.then_some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if free.is_some() || !old.exists() {
        std::fs::rename(path, old)?;
    }
    Ok(())
}

/// Whether the open file is the one of this name. Its number cannot be another's while it is open.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(found.ino() == file.metadata()?.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;
    use crate::common::Mode;

    fn event(number: usize) -> Event {
        Event {
            time: Timestamp(number as i128),
            object: "container".to_owned(),
            action: "start".to_owned(),
            id: format!("id-{number}"),
            attributes: BTreeMap::new(),
        }
    }

    fn rest(reader: &mut JournalReader) -> Vec<i128> {
        std::iter::from_fn(|| reader.next().unwrap())
            .map(|event| event.time.0)
            .collect()
    }

    #[test]
    fn lines_go_on_in_the_next_file() {
        let dir = tempfile::TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("store"), Mode::Single).unwrap();
        let mut follower = store.journal(true).unwrap();
        let mut late = store.journal(false).unwrap();
        for number in 0..5 {
            store.append(&[event(number)], 250);
        }
        assert!(store.path("events.1").exists());
        assert_eq!(rest(&mut follower), [0, 1, 2, 3, 4]);
        assert_eq!(rest(&mut late), [0, 1, 2, 3, 4]);
        // Half a line is none, a broken one is passed over.
        let mut out = file::open_append(&store.path("events")).unwrap();
        out.write_all(b"{\"time\": 1}\n{\"ti").unwrap();
        assert_eq!(rest(&mut follower), [0; 0]);
        out.write_all(b"\n").unwrap();
        store.append(&[event(6), event(7)], 1 << 20);
        assert_eq!(rest(&mut follower), [6, 7]);
        assert_eq!(rest(&mut store.journal(false).unwrap()), [0; 0]);
    }

    #[test]
    fn writers_and_readers_at_once_lose_nothing() {
        const WRITERS: usize = 4;
        const EACH: usize = 500;
        let dir = tempfile::TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("store"), Mode::Single).unwrap();
        let mut follower = store.journal(true).unwrap();
        let mut seen = HashSet::new();
        let (written, read) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (store, written, read) = (&store, &written, &read);
                scope.spawn(move || {
                    for number in 0..EACH {
                        // A follower may be one file behind, not three.
                        while written.load(SeqCst) > read.load(SeqCst) + 200 {
                            std::thread::yield_now();
                        }
                        store.append(&[event(writer * EACH + number)], 32 << 10);
                        written.fetch_add(1, SeqCst);
                    }
                });
            }
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while read.load(SeqCst) < WRITERS * EACH && std::time::Instant::now() < deadline {
                for time in rest(&mut follower) {
                    seen.insert(time);
                    read.fetch_add(1, SeqCst);
                }
                std::thread::yield_now();
            }
        });
        let count = read.load(SeqCst);
        assert_eq!((seen.len(), count), (WRITERS * EACH, WRITERS * EACH));
        assert!(store.path("events.1").exists());
    }
}
