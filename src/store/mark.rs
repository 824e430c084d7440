//! Reading on in the journal from a moment: for who waits for what will happen.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::{Event, Store};
use crate::sys::file;

/// A moment in the journal: what is noted later is behind it.
#[derive(Debug)]
pub(crate) struct Mark {
    /// The journal of that moment, and how long it was.
    journal: Option<(File, u64)>,
}

impl Store {
    /// The present moment.
    pub(crate) fn journal_mark(&self) -> Mark {
        let open = || -> Option<(File, u64)> {
            let journal = file::open_nofollow(&self.path("events")).ok()?;
            let length = journal.metadata().ok()?.len();
            Some((journal, length))
        };
        Mark { journal: open() }
    }

    /// What was noted since `mark`, in order, even when the journal was begun anew meanwhile.
    /// What cannot be read is left out: nothing depends on the journal.
    pub(crate) fn events_since(&self, mark: &Mark) -> Vec<Event> {
        let mut bytes = Vec::new();
        let mut known = None;
        if let Some((journal, from)) = &mark.journal {
            bytes.extend(read_from(journal, *from));
            known = journal.metadata().ok().map(|found| found.ino());
        }
        if let Ok(journal) = file::open_nofollow(&self.path("events"))
            && journal.metadata().ok().map(|found| found.ino()) != known
        {
            bytes.extend(read_from(&journal, 0));
        }
        let lines = bytes.split(|byte| *byte == b'\n');
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}

fn read_from(journal: &File, from: u64) -> Vec<u8> {
    let length = journal.metadata().map_or(0, |found| found.len());
    let more = usize::try_from(length.saturating_sub(from)).unwrap_or(0);
    let mut bytes = vec![0; more];
    match journal.read_exact_at(&mut bytes, from) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
