//! What the last list showed of each container, so that the next one reads only what is new.
//!
//! A row that was made from the files of a container's directory stays right for as long as the
//! directory has the times that it had before they were read, since every file in it is made,
//! replaced and removed by name. Times that were young when they were read prove nothing: a
//! second change may fall into the same tick of the clock (git's index has the same rule). Who
//! lives is never kept: a row says which answer of the lock it goes with.

use std::collections::HashMap;
use std::fs::symlink_metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::container::{ContainerDir, Containers};
use super::write_json;
use crate::common::{ContainerId, Timestamp};
use crate::sys::file;

/// Changes with the meaning of what is kept.
const FORMAT: u32 = 3;

/// How long a directory has to be unchanged before its row is kept, in seconds: more than the
/// coarsest clock of a file system.
const YOUNG: i64 = 3;

/// Fewer new rows than this are not worth writing the file.
const WORTHWHILE: usize = 8;

/// Largest file that is read, in bytes: some ten thousand rows of a usual length.
const MAX_LISTING: usize = 16 << 20;

/// Modification and change time of a directory, in seconds and nanoseconds.
type Times = [i64; 4];

/// Rows of containers as an earlier list has made them.
#[derive(Debug)]
pub(crate) struct Listing<R> {
    path: PathBuf,
    known: HashMap<ContainerId, Kept<R>>,
    now: i64,
    rows: Vec<Kept<R>>,
    fresh: usize,
}

/// One row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept<R> {
    id: ContainerId,
    times: Times,
    /// Whether somebody held the container's lock.
    pub(crate) alive: bool,
    /// What was shown.
    pub(crate) row: R,
}

#[derive(Serialize, Deserialize)]
struct File<R> {
    format: u32,
    program: String,
    rows: Vec<Kept<R>>,
}

impl Containers<'_> {
    /// What was kept; nothing where that cannot be read, is torn or another version's.
    pub(crate) fn listing<R: DeserializeOwned>(&self) -> Listing<R> {
        let path = self.dir().join("listing");
        let bytes = file::read_bounded(&path, MAX_LISTING).ok();
        let file = bytes.and_then(|bytes| serde_json::from_slice::<File<R>>(&bytes).ok());
        let file = file.filter(|file| file.format == FORMAT && file.program == program());
        let rows = file.map(|file| file.rows).unwrap_or_default();
        Listing {
            path,
            known: rows
                .into_iter()
                .map(|kept| (kept.id.clone(), kept))
                .collect(),
            now: Timestamp::now().seconds(),
            rows: Vec::new(),
            fresh: 0,
        }
    }
}

impl<R: Serialize> Listing<R> {
    /// When the directory was changed last; to be asked for before its files are read.
    pub(crate) fn times(dir: &ContainerDir) -> Option<Times> {
        let found = symlink_metadata(dir.path()).ok()?;
        Some([
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ])
    }

    /// The row of a container whose directory has these times.
    pub(crate) fn known(&mut self, id: &ContainerId, times: Option<Times>) -> Option<Kept<R>> {
        let kept = self.known.remove(id);
        kept.filter(|kept| Some(kept.times) == times)
    }

    /// Keeps a known row that is right.
    pub(crate) fn confirm(&mut self, kept: Kept<R>) {
        self.rows.push(kept);
    }

    /// Keeps a row that was made from the files of a directory with these times.
    pub(crate) fn keep(&mut self, id: &ContainerId, times: Option<Times>, alive: bool, row: R) {
        let Some(times) = times else { return };
        if times[0].max(times[2]) + YOUNG <= self.now {
            self.fresh += 1;
            self.rows.push(Kept {
                id: id.clone(),
                times,
                alive,
                row,
            });
        }
    }

    /// Writes down what was kept, when it is worth it. Best effort: without it the next list is
    /// slower.
    pub(crate) fn save(self) {
        if self.fresh < WORTHWHILE {
            return;
        }
        let file = File {
            format: FORMAT,
            program: program(),
            rows: self.rows,
        };
        let _ = write_json(&self.path, &file);
    }
}

/// Another version may read the same files otherwise.
fn program() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_known_while_its_directory_is_as_it_was() {
        let id: ContainerId = "a".repeat(64).parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let open = || Listing::<u32> {
            path: dir.path().join("listing"),
            known: HashMap::new(),
            now: 1_000,
            rows: Vec::new(),
            fresh: WORTHWHILE,
        };
        let (old, young) = (Some([900, 1, 900, 1]), Some([900, 1, 998, 0]));
        let mut listing = open();
        listing.keep(&id, young, true, 1);
        assert!(listing.rows.is_empty());
        listing.keep(&id, old, true, 2);
        listing.save();
        let bytes = std::fs::read(dir.path().join("listing")).unwrap();
        let file: File<u32> = serde_json::from_slice(&bytes).unwrap();
        let known = |times| {
            let mut listing = open();
            let kept = serde_json::from_slice::<File<u32>>(&bytes).unwrap().rows;
            listing.known = kept
                .into_iter()
                .map(|kept| (kept.id.clone(), kept))
                .collect();
            listing.known(&id, times).map(|kept| (kept.row, kept.alive))
        };
        assert_eq!(file.rows.len(), 1);
        assert_eq!(known(old), Some((2, true)));
        assert_eq!(known(Some([900, 2, 900, 1])), None);
        assert_eq!(known(None), None);
    }
}
