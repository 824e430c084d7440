//! The one tar parser: v7, ustar, GNU and pax archives as a sequence of entries.
//!
//! Where readers in the field disagree the stricter reading or a refusal is taken (the
//! TARmageddon class of attacks lives on such differences); otherwise Go's archive/tar, which
//! docker, podman and containerd share, is the model.

use std::io::{self, BufRead};

use tar::Header;

use super::field::{checksum_fits, corrupt, number, text, unsigned};
use super::limits::Limits;
use super::pax::Pax;
use super::sparse::{self, Segment};
use crate::common::{Error, Kind, Result};

const BLOCK: usize = 512;

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    HardLink,
    Symlink,
    Char,
    Block,
    Dir,
    Fifo,
}

/// One entry, all headers that belong to it applied.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: EntryKind,
    /// Permission, setuid, setgid and sticky bits only.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Seconds and nanoseconds.
    pub(super) mtime: (i64, u32),
    /// Size of the file, holes included.
    pub(super) size: u64,
    pub(super) device: (u32, u32),
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Stored parts when the file is sparse.
    pub(super) sparse: Option<Vec<Segment>>,
}

/// Headers that precede an entry.
#[derive(Default)]
struct Extended {
    pax: Option<Pax>,
    gnu_name: Option<Vec<u8>>,
    gnu_link: Option<Vec<u8>>,
}

/// Reads entries from `input`. After [`Reader::next`] gave an entry, [`Reader::data`] gives its
/// stored bytes; what is not read of them is skipped.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    limits: Limits,
    global: Pax,
    /// Stored bytes of the current entry not read yet, and its padding.
    left: u64,
    padding: u64,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(input: R, limits: Limits) -> Reader<R> {
        Reader {
            input,
            limits,
            global: Pax::default(),
            left: 0,
            padding: 0,
        }
    }

    /// The next entry; `None` at the end of the archive.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        self.skip()?;
        let mut extended = Extended::default();
        loop {
            let Some(header) = self.header()? else {
                if extended.pax.is_some()
                    || extended.gnu_name.is_some()
                    || extended.gnu_link.is_some()
                {
                    return Err(corrupt(b"", "extended header without an entry"));
                }
                return Ok(None);
            };
            let once = || corrupt(b"", "two extended headers of a kind for one entry");
            match header.as_old().linkflag[0] {
                b'x' => {
                    let mut pax = self.global.clone();
                    pax.read(&self.extended(&header)?)?;
                    if extended.pax.replace(pax).is_some() {
                        return Err(once());
                    }
                }
                b'g' => {
                    let data = self.extended(&header)?;
                    self.global.read(&data)?;
                    self.global.check_global()?;
                }
                b'L' => {
                    let name = text(&self.extended(&header)?).to_vec();
                    if extended.gnu_name.replace(name).is_some() {
                        return Err(once());
                    }
                }
                b'K' => {
                    let name = text(&self.extended(&header)?).to_vec();
                    if extended.gnu_link.replace(name).is_some() {
                        return Err(once());
                    }
                }
                _ => return self.entry(&header, extended).map(Some),
            }
        }
    }

    /// The stored bytes of the current entry that were not read yet.
    pub(super) fn data(&mut self) -> Data<'_, R> {
        Data { reader: self }
    }

    /// What it reads from.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// What it read from, at the place it has come to.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// Reads everything after the end of the archive: it counts for the digest.
    pub(super) fn drain(&mut self) -> Result<()> {
        loop {
            let count = self.input.fill_buf().map_err(broken)?.len();
            if count == 0 {
                return Ok(());
            }
            self.input.consume(count);
        }
    }

    fn skip(&mut self) -> Result<()> {
        let mut left = self.left + self.padding;
        while left > 0 {
            let available = self.input.fill_buf().map_err(broken)?.len();
            if available == 0 {
                return Err(truncated());
            }
            let count = left.min(available as u64);
            self.input.consume(count as usize);
            left -= count;
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    /// One block; `None` when the input ended right before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0u8; BLOCK];
        if self.input.fill_buf().map_err(broken)?.is_empty() {
            return Ok(None);
        }
        self.input.read_exact(&mut block).map_err(broken)?;
        Ok(Some(block))
    }

    /// The next header; `None` at two zero blocks, or where the input ends at or after one.
    fn header(&mut self) -> Result<Option<Header>> {
        let Some(block) = self.block()? else {
            return Ok(None);
        };
        if block == [0; BLOCK] {
            return match self.block()? {
                Some(second) if second != [0; BLOCK] => {
                    Err(corrupt(b"", "one zero block between entries"))
                }
                _ => Ok(None),
            };
        }
        let header = Header::from_byte_slice(&block).clone();
        if !checksum_fits(&header) {
            return Err(corrupt(b"", "header checksum does not fit"));
        }
        Ok(Some(header))
    }

    /// The body of an extended header.
    fn extended(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = unsigned(&header.as_old().size, "size")?;
        if size > self.limits.extended {
            let why = format!("extended header of {size} bytes");
            return Err(corrupt(b"", why));
        }
        let mut data = vec![0; size as usize];
        self.input.read_exact(&mut data).map_err(broken)?;
        self.padding = padding(size);
        self.skip()?;
        Ok(data)
    }

    fn entry(&mut self, header: &Header, extended: Extended) -> Result<Entry> {
        let pax = extended.pax.unwrap_or_else(|| self.global.clone());
        let old = header.as_old();
        let kind = kind_of(header)?;
        let path = extended.gnu_name.or(pax.path);
        let link = extended.gnu_link.or(pax.link);
        let id = |pax: Option<u64>, field: &[u8], what| match pax {
            Some(id) => Ok(id),
            None => unsigned(field, what),
        };
        let header_size = unsigned(&old.size, "size")?;
        let mut entry = Entry {
            path: path.unwrap_or_else(|| header.path_bytes().into_owned()),
            link: link.unwrap_or_else(|| text(&old.linkname).to_vec()),
            kind,
            mode: (number(&old.mode, "mode")? & 0o7777) as u32,
            uid: narrow(id(pax.uid, &old.uid, "uid")?, "uid")?,
            gid: narrow(id(pax.gid, &old.gid, "gid")?, "gid")?,
            mtime: match pax.mtime {
                Some(mtime) => mtime,
                None => (number(&old.mtime, "mtime")?, 0),
            },
            size: pax.size.unwrap_or(header_size),
            device: device_of(header, kind)?,
            xattrs: pax.xattrs,
            sparse: None,
        };
        // A size on anything but a file counts for nothing, as in Go's reader.
        if kind != EntryKind::File {
            entry.size = 0;
        }
        if entry.size > self.limits.bytes {
            return Err(corrupt(&entry.path, "larger than the limit"));
        }
        self.left = entry.size;
        self.padding = padding(entry.size);
        if old.linkflag[0] == b'S' {
            self.old_sparse(header, &mut entry)?;
        } else if pax.sparse.present() {
            self.pax_sparse(pax.sparse, &mut entry)?;
        }
        Ok(entry)
    }

    fn old_sparse(&mut self, header: &Header, entry: &mut Entry) -> Result<()> {
        let (real_size, mut map, mut more) = sparse::old_header(header)?;
        let mut taken = 0;
        while more {
            taken += BLOCK as u64;
            if taken > self.limits.extended {
                return Err(corrupt(&entry.path, "sparse map beyond its limit"));
            }
            let block = self.block()?.ok_or_else(truncated)?;
            more = sparse::old_extension(&block, &mut map)?;
        }
        self.set_sparse(entry, map, real_size)
    }

    fn pax_sparse(&mut self, records: super::pax::SparseRecords, entry: &mut Entry) -> Result<()> {
        if entry.kind != EntryKind::File {
            return Err(corrupt(&entry.path, "sparse map of no regular file"));
        }
        let real_size = records
            .real_size
            .ok_or_else(|| corrupt(&entry.path, "sparse map without a size"))?;
        if let Some(name) = records.name {
            entry.path = name;
        }
        let map = match (records.major.unwrap_or(0), records.minor.unwrap_or(0)) {
            (0, 0 | 1) => records.map,
            (1, 0) => {
                let limit = self.limits.extended;
                let (map, taken) = sparse::read_map(&mut self.input, self.left, limit)?;
                self.left -= taken;
                map
            }
            _ => return Err(corrupt(&entry.path, "unknown sparse format")),
        };
        self.set_sparse(entry, map, real_size)
    }

    fn set_sparse(&mut self, entry: &mut Entry, map: Vec<Segment>, size: u64) -> Result<()> {
        sparse::check_map(&map, self.left, size)?;
        if size > self.limits.bytes {
            return Err(corrupt(&entry.path, "larger than the limit"));
        }
        entry.size = size;
        entry.sparse = Some(map);
        Ok(())
    }
}

/// Stored bytes of the current entry.
pub(super) struct Data<'a, R> {
    reader: &'a mut Reader<R>,
}

impl<R: BufRead> Data<'_, R> {
    /// The next bytes, as many as lie ready, at most `limit`; empty at the end of the entry.
    pub(super) fn peek(&mut self, limit: u64) -> Result<&[u8]> {
        let limit = limit.min(self.reader.left);
        if limit == 0 {
            return Ok(&[]);
        }
        let ready = self.reader.input.fill_buf().map_err(broken)?;
        if ready.is_empty() {
            return Err(truncated());
        }
        let count = limit.min(ready.len() as u64) as usize;
        Ok(&ready[..count])
    }

    /// Steps over bytes that [`Data::peek`] gave.
    pub(super) fn consume(&mut self, count: usize) {
        self.reader.left = self.reader.left.saturating_sub(count as u64);
        self.reader.input.consume(count);
    }
}

fn kind_of(header: &Header) -> Result<EntryKind> {
    Ok(match header.as_old().linkflag[0] {
        // v7 has no directories of their own: a trailing slash makes one.
        0 if header.path_bytes().ends_with(b"/") => EntryKind::Dir,
        0 | b'0' | b'7' | b'S' => EntryKind::File,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::Symlink,
        b'3' => EntryKind::Char,
        b'4' => EntryKind::Block,
        b'5' => EntryKind::Dir,
        b'6' => EntryKind::Fifo,
        other => {
            let why = format!("entry of unknown type {:?}", char::from(other));
            return Err(corrupt(&header.path_bytes(), why));
        }
    })
}

fn device_of(header: &Header, kind: EntryKind) -> Result<(u32, u32)> {
    if !matches!(kind, EntryKind::Char | EntryKind::Block) {
        return Ok((0, 0));
    }
    let (major, minor) = match (header.as_ustar(), header.as_gnu()) {
        (Some(ustar), _) => (&ustar.dev_major, &ustar.dev_minor),
        (None, Some(gnu)) => (&gnu.dev_major, &gnu.dev_minor),
        (None, None) => return Err(corrupt(&header.path_bytes(), "device without a number")),
    };
    let (major, minor) = (unsigned(major, "device")?, unsigned(minor, "device")?);
    // What the kernel's dev_t holds: 12 bits and 20.
    if major >= 1 << 12 || minor >= 1 << 20 {
        return Err(corrupt(&header.path_bytes(), "device number out of range"));
    }
    Ok((major as u32, minor as u32))
}

/// Owner ids are 32 bits; the last value means "no change" to chown(2).
fn narrow(id: u64, what: &str) -> Result<u32> {
    match u32::try_from(id) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => Err(corrupt(b"", format!("{what} {id} out of range"))),
    }
}

fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

fn truncated() -> Error {
    corrupt(b"", "the archive ends in the middle of an entry")
}

/// A failed read: what the source says of itself, or the end where none may be.
pub(super) fn broken(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return truncated();
    }
    Error::new(Kind::Corrupt, "read archive", "").because(error)
}
