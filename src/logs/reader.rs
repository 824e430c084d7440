//! Reading a log across its files, while it is being written or not.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::entry::{self, Entry};
use super::file::numbered;
use super::options::LogDriver;
use super::tail::{IsPart, last_lines};
use crate::common::{Error, Result, Timestamp};
use crate::sys::file;

/// Bytes read at once.
const STEP: usize = 64 * 1024;

/// No entry of ours is longer: 16 KiB of text, six bytes each at most, and attributes. What is
/// longer is skipped.
const LONGEST: usize = 4 << 20;

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadOptions {
    /// The last so many entries only; `None` is all.
    pub(crate) tail: Option<u64>,
    /// None before this moment.
    pub(crate) since: Option<Timestamp>,
    /// None after it; the first such ends the reading.
    pub(crate) until: Option<Timestamp>,
}

/// A place in a log. Reads what there is; who follows waits for a change in between.
#[derive(Debug)]
pub(crate) struct Reader {
    path: PathBuf,
    driver: LogDriver,
    options: ReadOptions,
    /// The file being read, then its successors as far as they are known.
    files: VecDeque<Part>,
    /// Bytes of the first file, from its offset on; `used` of them are behind us.
    buffer: Vec<u8>,
    used: usize,
    /// In the middle of something too long to be an entry.
    skipping: bool,
    finished: bool,
}

/// One of a log's files, open: it stays readable when it is renamed or removed.
#[derive(Debug)]
struct Part {
    file: File,
    id: (u64, u64),
    /// Where the bytes begin that are not in the buffer's used part.
    offset: u64,
    modified: Timestamp,
}

impl Reader {
    /// Begins to read the log at `path`, which need not be there yet.
    ///
    /// # Errors
    /// When a file cannot be opened or read.
    pub(crate) fn open(path: &Path, driver: LogDriver, options: ReadOptions) -> Result<Reader> {
        let mut files = snapshot(path)?;
        if let Some(wanted) = options.tail {
            keep_last(&mut files, wanted, driver)
                .map_err(|error| Error::io("read log", path, error))?;
        } else if let Some(since) = options.since {
            // Nothing is younger than its file.
            while files.len() > 1 && files[0].modified < since {
                files.pop_front();
            }
        }
        Ok(Reader {
            path: path.to_owned(),
            driver,
            options,
            files,
            buffer: Vec::new(),
            used: 0,
            skipping: false,
            finished: false,
        })
    }

    /// Hands every entry that is there to `take`, which returns false to stop early.
    ///
    /// # Errors
    /// When a file cannot be read, and what `take` gives.
    pub(crate) fn drain<E: From<Error>>(
        &mut self,
        mut take: impl FnMut(&Entry<'_>) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        while !self.finished
            && let Some(line) = self.line()?
        {
            let Some(entry) = entry::parse(self.driver, &self.buffer[line]) else {
                continue;
            };
            if self.options.until.is_some_and(|until| entry.time > until) {
                self.finished = true;
            } else if self.options.since.is_none_or(|since| entry.time >= since) && !take(&entry)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the last wanted entry was read.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The next whole line in the buffer; `None` at the end for now.
    fn line(&mut self) -> Result<Option<Range<usize>>> {
        let mut searched = self.used;
        loop {
            let found = self.buffer[searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            if let Some(at) = found {
                let line = self.used..searched + at + 1;
                self.used = line.end;
                if !std::mem::take(&mut self.skipping) {
                    return Ok(Some(line));
                }
                searched = self.used;
                continue;
            }
            if self.buffer.len() - self.used > LONGEST {
                self.skipping = true;
                self.used = self.buffer.len();
            }
            let waiting = self.buffer.len() - self.used;
            if !self.fill()? {
                // The rest is read again once it is whole: a writer takes back what it could not
                // write to the end.
                self.buffer.truncate(self.used);
                if !self.next_file()? {
                    return Ok(None);
                }
            }
            searched = self.used + waiting.min(self.buffer.len() - self.used);
        }
    }

    /// Reads on in the file; false at its end.
    fn fill(&mut self) -> Result<bool> {
        let Some(part) = self.files.front_mut() else {
            return Ok(false);
        };
        self.buffer.drain(..self.used);
        part.offset += self.used as u64;
        self.used = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + STEP, 0);
        let read = loop {
            match part
                .file
                .read_at(&mut self.buffer[length..], part.offset + length as u64)
            {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let read = read.map_err(|error| Error::io("read log", &self.path, error))?;
        self.buffer.truncate(length + read);
        Ok(read > 0)
    }

    /// Goes on with the file after this one, or with what was added to this one just before it
    /// was rotated; false when there is nothing new.
    fn next_file(&mut self) -> Result<bool> {
        if self.files.len() < 2 {
            let newest = match std::fs::symlink_metadata(&self.path) {
                Ok(found) => Some(id(&found)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::io("read log", &self.path, error)),
            };
            let current = self.files.front().map(|part| part.id);
            if newest.is_none() || newest == current {
                return Ok(false);
            }
            let mut files = snapshot(&self.path)?;
            if let Some(at) = files.iter().position(|part| Some(part.id) == current) {
                files.drain(..=at);
            }
            self.files.extend(files);
            // From here on nobody writes to the old file, but until here somebody may have.
            return Ok(!self.files.is_empty());
        }
        self.files.pop_front();
        self.buffer.clear();
        self.used = 0;
        self.skipping = false;
        Ok(true)
    }
}

/// All files of a log, the oldest first, while it may be rotated.
///
/// A rotation only ever moves files to higher numbers, one after the other. Who looks at the
/// numbers from below cannot miss a file then: one that is not where it is looked for has gone
/// further up. It may be met twice, and what was met in between is newer; so the later time counts.
/// A file begun meanwhile may be missing, and then is newer than all others.
fn snapshot(path: &Path) -> Result<VecDeque<Part>> {
    let mut files: VecDeque<Part> = VecDeque::new();
    let mut number = 0;
    let mut last = highest(path)?;
    while number <= last {
        // The last of them may be moving up at this moment, unseen by who lists the directory.
        while number <= last + 1 {
            let found = match number {
                0 => open(path)?,
                _ => open(&numbered(path, number))?,
            };
            if let Some(part) = found {
                files.retain(|other| other.id != part.id);
                files.push_front(part);
                last = last.max(number);
            }
            number += 1;
        }
        last = highest(path)?;
    }
    Ok(files)
}

/// The number of the oldest file; 0 when there is none but the newest.
fn highest(path: &Path) -> Result<u32> {
    let newest = path.file_name().unwrap_or_default().to_string_lossy();
    let number = |name: &str| {
        let number: u32 = name
            .strip_prefix(&*newest)?
            .strip_prefix('.')?
            .parse()
            .ok()?;
        // Nobody keeps more, and a stray name is no reason to look for a billion files.
        (number < 100_000).then_some(number)
    };
    let names = file::names(path.parent().unwrap_or(Path::new("/")))?;
    let numbers = names.iter().filter_map(|name| number(name.to_str()?));
    Ok(numbers.max().unwrap_or(0))
}

fn open(path: &Path) -> Result<Option<Part>> {
    let fail = |error| Error::io("open log", path, error);
    match file::open_nofollow(path) {
        Ok(file) => {
            let found = file.metadata().map_err(fail)?;
            Ok(Some(Part {
                file,
                id: id(&found),
                offset: 0,
                modified: found.modified().map(Timestamp::from).unwrap_or_default(),
            }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error)),
    }
}

fn id(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Drops files and moves into the first one so that `wanted` lines are left.
fn keep_last(files: &mut VecDeque<Part>, wanted: u64, driver: LogDriver) -> io::Result<()> {
    // docker counts what it wrote down at once, podman the payload's own lines.
    let is_part: Option<IsPart> = match driver {
        LogDriver::K8sFile => Some(entry::is_part),
        _ => None,
    };
    let mut left = wanted;
    for at in (0..files.len()).rev() {
        let (offset, found) = last_lines(&files[at].file, left, is_part)?;
        files[at].offset = offset;
        left -= found;
        if left == 0 {
            files.drain(..at);
            return Ok(());
        }
    }
    Ok(())
}
