//! Reading the journal while others append to it and put it aside.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Event, is_at, old};
use crate::sys::file;

/// Longest line that is read, in bytes; a longer one is no event.
const LONGEST: usize = 1 << 20;

/// One file of the journal and how far it was read.
#[derive(Debug)]
struct Part {
    file: File,
    /// Read and not yet handed out.
    rest: VecDeque<u8>,
}

/// Reads events in the order of the journal, each once. At the end it can be asked again.
#[derive(Debug)]
pub(crate) struct JournalReader {
    path: PathBuf,
    /// Oldest first. The one before the last may still get the lines of writers that had opened
    /// it before it was put aside.
    parts: VecDeque<Part>,
}

impl JournalReader {
    pub(super) fn open(path: PathBuf, whole: bool) -> io::Result<JournalReader> {
        let mut reader = JournalReader {
            parts: VecDeque::new(),
            path,
        };
        reader.find()?;
        if !whole {
            for part in &mut reader.parts {
                part.file.seek(SeekFrom::End(0))?;
            }
        }
        Ok(reader)
    }

    /// Opens the files that follow the last one known. True when there were any. Of two rotations
    /// between two looks nothing is lost; of three, a file.
    fn find(&mut self) -> io::Result<bool> {
        if let Some(last) = self.parts.back()
            && is_at(&last.file, &self.path)?
        {
            return Ok(false);
        }
        loop {
            let current = open(&self.path)?;
            let before = open(&old(&self.path))?;
            let number = |file: &Option<File>| -> io::Result<Option<u64>> {
                let found = file.as_ref().map(File::metadata).transpose()?;
                Ok(found.map(|found| found.ino()))
            };
            let numbers = (number(&before)?, number(&current)?);
            // Put aside between the two openings, or after them: once more.
            let moved = numbers.0.is_some() && numbers.0 == numbers.1;
            if moved || matches!(&current, Some(current) if !is_at(current, &self.path)?) {
                continue;
            }
            let known = match self.parts.back() {
                Some(last) => Some(last.file.metadata()?.ino()),
                None => None,
            };
            if current.is_none() && (known.is_some() || numbers.0.is_none()) {
                // Just put aside, and nobody has written since.
                return Ok(false);
            }
            let before = before.filter(|_| numbers.0 != known);
            self.parts
                .extend([before, current].into_iter().flatten().map(|file| Part {
                    file,
                    rest: VecDeque::new(),
                }));
            return Ok(true);
        }
    }

    /// The next event; `None` when there is none yet. A line that is no event is passed over.
    pub(crate) fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            for part in &mut self.parts {
                while let Some(line) = part.line()? {
                    if let Ok(event) = serde_json::from_slice(&line) {
                        return Ok(Some(event));
                    }
                }
            }
            let done = self.parts.len();
            if !self.find()? {
                return Ok(None);
            }
            // All were read to their ends; only the last of them can still get lines.
            self.parts.drain(..done.saturating_sub(1));
        }
    }
}

impl Part {
    /// The next whole line, without its end.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut looked = 0;
        loop {
            if let Some(at) = self
                .rest
                .iter()
                .skip(looked)
                .position(|byte| *byte == b'\n')
            {
                let mut line: Vec<u8> = self.rest.drain(..=looked + at).collect();
                line.pop();
                return Ok(Some(line));
            }
            looked = self.rest.len();
            if looked > LONGEST {
                self.rest.clear();
                looked = 0;
            }
            let mut buffer = [0; 16 << 10];
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => self.rest.extend(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match file::open_nofollow(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
