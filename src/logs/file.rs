//! A log file that rotates: `container.log`, `container.log.1` (the newest of the old), …
//!
//! Nothing here fails: a payload must not stop because a disk is full. What could not be written
//! is counted, and an entry is either whole in the file or not there.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::encode::Pieces;
use crate::common::{Error, Result};
use crate::sys::file;

/// Bytes gathered before a write(2).
const GATHERED: usize = 4096;

/// The file being written. No entry has a newline but at its end.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// `None` after a failed rotation, until it can be made again.
    file: Option<File>,
    max_size: Option<u64>,
    max_files: u32,
    /// Not written yet.
    out: Vec<u8>,
    /// Length of the file.
    size: u64,
    /// Where in the file the last whole entry ends: a reader may have read up to here.
    whole: u64,
    /// Between the beginning and the end of an entry.
    inside: bool,
    /// The entry that is being made is lost already.
    skipping: bool,
    dropped: u64,
}

impl LogFile {
    /// Opens a log to go on with it, making it when it is missing.
    ///
    /// # Errors
    /// When it cannot be opened: a container whose log cannot begin does not start.
    pub(super) fn open(path: &Path, max_size: Option<u64>, max_files: u32) -> Result<LogFile> {
        let (file, size) = begin(path).map_err(|error| Error::io("open log", path, error))?;
        Ok(LogFile {
            path: path.to_owned(),
            file: Some(file),
            max_size: max_size.filter(|size| *size > 0),
            max_files,
            out: Vec::with_capacity(GATHERED),
            size,
            whole: size,
            inside: false,
            skipping: false,
            dropped: 0,
        })
    }

    /// Begins an entry, in a new file when this one is full (docker: full is what has reached
    /// the size, so that a file is larger by one entry at most).
    pub(super) fn begin_entry(&mut self) {
        let length = self.size + self.out.len() as u64;
        if self.max_size.is_some_and(|most| length >= most) {
            self.flush();
            if self.size > 0 {
                self.rotate();
            }
        }
        self.inside = true;
    }

    /// Ends an entry. It is in the file after the next `flush`.
    pub(super) fn end_entry(&mut self) {
        self.inside = false;
        self.skipping = false;
    }

    /// Entries lost since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Puts back what could not be told.
    pub(super) fn add_dropped(&mut self, count: u64) {
        self.dropped += count;
    }

    /// Entries lost.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Writes what is gathered.
    pub(super) fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        if self.file.is_none()
            && let Ok((file, size)) = begin(&self.path)
        {
            (self.file, self.size, self.whole) = (Some(file), size, size);
        }
        let written = self.write_out();
        if let Some(end) = self.out[..written].iter().rposition(|byte| *byte == b'\n') {
            self.whole = self.size + end as u64 + 1;
        }
        self.size += written as u64;
        if written < self.out.len() {
            self.give_up(written);
        }
        self.out.clear();
    }

    /// How many bytes the file took.
    fn write_out(&mut self) -> usize {
        let Some(file) = &mut self.file else {
            return 0;
        };
        let mut written = 0;
        while written < self.out.len() {
            match file.write(&self.out[written..]) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        written
    }

    /// Takes back the entry that is half in the file, and counts it and those behind it.
    fn give_up(&mut self, written: usize) {
        let lost = self.out[written..].iter().filter(|byte| **byte == b'\n');
        self.dropped += lost.count() as u64 + u64::from(self.inside);
        self.skipping = self.inside;
        if self.size > self.whole
            && let Some(file) = &self.file
            && file.set_len(self.whole).is_err()
        {
            // Not even that: it is opened anew, which looks for the end of the last entry.
            self.file = None;
        }
        self.size = self.whole;
    }

    /// Renames the old files up by one and begins a new one. A step that fails costs an old
    /// file, never the new entries.
    fn rotate(&mut self) {
        self.file = None;
        let last = self.max_files - 1;
        // As many as there are: `max-file` may be a large number.
        let free = (1..last)
            .find(|number| !numbered(&self.path, *number).exists())
            .unwrap_or(last);
        for number in (1..free).rev() {
            let _ = std::fs::rename(
                numbered(&self.path, number),
                numbered(&self.path, number + 1),
            );
        }
        // Never cut short: who reads the old one must be able to read it to its end.
        let _ = match last {
            0 => std::fs::remove_file(&self.path),
            _ => std::fs::rename(&self.path, numbered(&self.path, 1)),
        };
        if let Ok((file, size)) = begin(&self.path) {
            (self.file, self.size, self.whole) = (Some(file), size, size);
        }
    }
}

impl Pieces for LogFile {
    fn piece(&mut self, mut bytes: &[u8]) {
        while !self.skipping && !bytes.is_empty() {
            if self.out.len() == GATHERED {
                self.flush();
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(GATHERED - self.out.len()));
            self.out.extend_from_slice(now);
            bytes = later;
        }
    }
}

/// The name of an old file.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Opens the file for going on behind its last whole entry.
fn begin(path: &Path) -> io::Result<(File, u64)> {
    let file = file::open_append(path)?;
    let size = file.metadata()?.len();
    let whole = match size {
        0 => 0,
        _ => last_line_end(&file::open_nofollow(path)?, size)?,
    };
    if whole < size {
        // A writer was cut off in the middle of an entry.
        file.set_len(whole)?;
    }
    Ok((file, whole))
}

fn last_line_end(file: &File, size: u64) -> io::Result<u64> {
    let mut buffer = [0; 512];
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        let part = &mut buffer[..(end - start) as usize];
        file.read_exact_at(part, start)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
