//! Writes archives: ustar blocks, with pax records for what does not fit them.
//!
//! The same entry always gives the same bytes: no user names, no access times, records sorted.

use std::io::{self, Write};

use super::field::show;
use super::reader::{Entry, EntryKind};
use super::sparse::Segment;
use crate::common::{Error, Result};

const BLOCK: usize = 512;

/// Largest values of the octal fields of 12 and of 8 bytes.
const LONG_MAX: u64 = 0o77_777_777_777;
const SHORT_MAX: u32 = 0o7_777_777;

/// An archive being written.
#[derive(Debug)]
pub(super) struct Encoder<W> {
    out: W,
    /// Stored bytes of the current entry still to come, and the zeros behind them.
    left: u64,
    padding: usize,
}

impl<W: Write> Encoder<W> {
    pub(super) fn new(out: W) -> Encoder<W> {
        Encoder {
            out,
            left: 0,
            padding: 0,
        }
    }

    /// Begins an entry; as many bytes as it stores have to follow by [`Encoder::data`].
    pub(super) fn entry(&mut self, entry: &Entry) -> Result<()> {
        self.close(&entry.path)?;
        let map = entry.sparse.as_deref();
        let map = map.map(|segments| map_text(segments, entry.size));
        let held = match &entry.sparse {
            Some(segments) => segments.iter().map(|segment| segment.length).sum(),
            None => entry.size,
        };
        let stored = held + map.as_ref().map_or(0, |map| map.len() as u64);
        let mut path = entry.path.clone();
        if entry.kind == EntryKind::Dir && path.last() != Some(&b'/') {
            path.push(b'/');
        }
        let records = records(entry, &path, stored);
        if !records.is_empty() {
            let mut head = block(b"PaxHeaders.0/", &path, b'x', records.len() as u64);
            put_octal(&mut head, 100, 8, 0o644);
            self.put(&seal(head), &entry.path)?;
            self.put(&padded(records), &entry.path)?;
        }
        let prefix: &[u8] = if map.is_some() {
            b"GNUSparseFile.0/"
        } else {
            b""
        };
        let head = header(entry, block(prefix, &path, kind(entry.kind), stored));
        self.put(&seal(head), &entry.path)?;
        if let Some(map) = map {
            self.put(&map, &entry.path)?;
        }
        self.left = held;
        self.padding = (held.next_multiple_of(BLOCK as u64) - held) as usize;
        Ok(())
    }

    /// Stored bytes of the entry; more than it has are left out.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let count = self.left.min(bytes.len() as u64) as usize;
        self.put(&bytes[..count], b"")?;
        self.left -= count as u64;
        Ok(())
    }

    /// Ends the archive and gives the stream back.
    pub(super) fn finish(mut self) -> Result<W> {
        self.close(b"")?;
        self.put(&[0; 2 * BLOCK], b"")?;
        self.out.flush().map_err(|error| broken(b"", error))?;
        Ok(self.out)
    }

    /// Zeros for what a file that shrank did not give, and to the end of the block.
    fn close(&mut self, path: &[u8]) -> Result<()> {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut left = self.left + self.padding as u64;
        while left > 0 {
            let count = left.min(ZEROS.len() as u64);
            self.put(&ZEROS[..count as usize], path)?;
            left -= count;
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8], path: &[u8]) -> Result<()> {
        self.out
            .write_all(bytes)
            .map_err(|error| broken(path, error))
    }
}

fn broken(path: &[u8], error: io::Error) -> Error {
    Error::io("write archive", show(path), error)
}

fn kind(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::File => b'0',
        EntryKind::HardLink => b'1',
        EntryKind::Symlink => b'2',
        EntryKind::Char => b'3',
        EntryKind::Block => b'4',
        EntryKind::Dir => b'5',
        EntryKind::Fifo => b'6',
    }
}

/// A block with name, type and size; the name is cut where a record holds the whole one.
fn block(prefix: &[u8], path: &[u8], kind: u8, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let name = if prefix.is_empty() {
        path.to_vec()
    } else {
        let trimmed = path.strip_suffix(b"/").unwrap_or(path);
        [prefix, super::name::split(trimmed).1].concat()
    };
    let end = name.len().min(100);
    block[..end].copy_from_slice(&name[..end]);
    for at in [100, 108, 116] {
        put_octal(&mut block, at, 8, 0);
    }
    put_octal(&mut block, 124, 12, size.min(LONG_MAX));
    put_octal(&mut block, 136, 12, 0);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    for at in [329, 337] {
        put_octal(&mut block, at, 8, 0);
    }
    block
}

fn header(entry: &Entry, mut block: [u8; BLOCK]) -> [u8; BLOCK] {
    put_octal(&mut block, 100, 8, entry.mode.into());
    put_octal(&mut block, 108, 8, fits(entry.uid));
    put_octal(&mut block, 116, 8, fits(entry.gid));
    let seconds = u64::try_from(entry.mtime.0).unwrap_or(0);
    put_octal(&mut block, 136, 12, seconds.min(LONG_MAX));
    let end = entry.link.len().min(100);
    block[157..157 + end].copy_from_slice(&entry.link[..end]);
    put_octal(&mut block, 329, 8, entry.device.0.into());
    put_octal(&mut block, 337, 8, entry.device.1.into());
    block
}

fn fits(id: u32) -> u64 {
    if id > SHORT_MAX { 0 } else { id.into() }
}

fn put_octal(block: &mut [u8; BLOCK], at: usize, width: usize, value: u64) {
    let text = format!("{value:0width$o}", width = width - 1);
    block[at..at + width - 1].copy_from_slice(&text.as_bytes()[..width - 1]);
}

/// Sets the checksum.
fn seal(mut block: [u8; BLOCK]) -> [u8; BLOCK] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

/// The records of an entry, in the order of their keys.
fn records(entry: &Entry, path: &[u8], stored: u64) -> Vec<u8> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |key: &str, value: Vec<u8>| records.push((key.as_bytes().to_vec(), value));
    if entry.sparse.is_some() {
        add("GNU.sparse.major", b"1".to_vec());
        add("GNU.sparse.minor", b"0".to_vec());
        add("GNU.sparse.name", path.to_vec());
        add("GNU.sparse.realsize", entry.size.to_string().into_bytes());
    } else if path.len() > 100 || !path.is_ascii() {
        add("path", path.to_vec());
    }
    if entry.link.len() > 100 || !entry.link.is_ascii() {
        add("linkpath", entry.link.clone());
    }
    for (key, id) in [("uid", entry.uid), ("gid", entry.gid)] {
        if id > SHORT_MAX {
            add(key, id.to_string().into_bytes());
        }
    }
    if stored > LONG_MAX {
        add("size", stored.to_string().into_bytes());
    }
    let (seconds, nanos) = entry.mtime;
    if nanos != 0 || seconds < 0 || seconds as u64 > LONG_MAX {
        add("mtime", time(seconds, nanos).into_bytes());
    }
    for (name, value) in &entry.xattrs {
        let key = [b"SCHILY.xattr.", name.as_slice()].concat();
        records.push((key, value.clone()));
    }
    records.sort();
    records
        .iter()
        .flat_map(|(key, value)| record(key, value))
        .collect()
}

/// Seconds with a decimal fraction; the nanoseconds count upwards, also before 1970.
fn time(seconds: i64, nanos: u32) -> String {
    let (sign, whole, part) = match (seconds < 0, nanos) {
        (true, 1..) => ("-", (seconds + 1).unsigned_abs(), 1_000_000_000 - nanos),
        (true, 0) => ("-", seconds.unsigned_abs(), 0),
        (false, _) => ("", seconds.unsigned_abs(), nanos),
    };
    let text = format!("{sign}{whole}.{part:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `length key=value\n`, where the length counts itself.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = body.len() + 1;
    while length != body.len() + length.to_string().len() {
        length += 1;
    }
    [length.to_string().as_bytes(), &body].concat()
}

/// The map of a sparse file, decimal lines to the end of a block (GNU format 1.0). GNU tar itself
/// takes the size of a file that ends in a hole from an empty last segment.
fn map_text(segments: &[Segment], size: u64) -> Vec<u8> {
    let end = segments.last().map_or(0, |last| last.offset + last.length);
    let last = (end < size).then_some(Segment {
        offset: size,
        length: 0,
    });
    let count = segments.len() + usize::from(last.is_some());
    let mut text = format!("{count}\n");
    for segment in segments.iter().chain(&last) {
        text.push_str(&format!("{}\n{}\n", segment.offset, segment.length));
    }
    padded(text.into_bytes())
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}
