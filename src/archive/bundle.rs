//! An archive as a folder of files that are looked up by name: the form in which images travel.
//! Nothing is unpacked; a name is a key and never a path.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::compress::{Compression, decompress};
use super::field::corrupt;
use super::limits::Limits;
use super::name::{clean, split};
use super::reader::{EntryKind, Reader, broken};
use crate::common::{Error, Result};

/// Bytes read and written at once.
const BUFFER: usize = 256 << 10;

/// Bounds of names and of their number: a thousand images of a hundred layers are far below, and
/// a list of hostile ones still fits into memory.
const LIMITS: Limits = Limits {
    entries: 1 << 16,
    name: 1024,
    depth: 64,
    ..Limits::usual()
};

/// Bytes that may follow the end of an archive, which writers fill their last record with.
const TRAILER: u64 = 64 << 20;

/// Links that are followed one after another.
const MAX_LINKS: usize = 8;

/// The files of an archive.
#[derive(Debug)]
pub(crate) struct Bundle {
    file: Arc<File>,
    members: BTreeMap<String, Member>,
}

#[derive(Debug, PartialEq, Eq)]
enum Member {
    /// Where its bytes lie.
    Data { at: u64, length: u64 },
    /// Another name.
    Link(String),
}

/// The bytes of one file, read without a position that others share.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Bundle {
    /// Lists the archive that `source` holds from its position on. Of one that is compressed or
    /// comes through a pipe the files' bytes are first written to what `spool` makes, since they
    /// are wanted in another order than they come in.
    ///
    /// # Errors
    /// `Corrupt` for what is no archive, for names that climb out of it and for a bomb; what
    /// reading and writing gave.
    pub(crate) fn open(mut source: File, spool: impl FnOnce() -> Result<File>) -> Result<Bundle> {
        let failed = |error| Error::io("read archive", "", error);
        let facts = source.metadata().map_err(failed)?;
        if facts.is_file() {
            let base = source.stream_position().map_err(failed)?;
            let mut start = [0; 6];
            let count = source.read_at(&mut start, base).map_err(failed)?;
            if Compression::detect(&start[..count]) == Compression::None {
                let members = Listing::new(BufReader::with_capacity(BUFFER, &source), base);
                let members = members.all(None)?;
                return Ok(Bundle::of(source, members));
            }
        }
        let kept = spool()?;
        let taken = Cell::new(0);
        let counted = Counted {
            inner: &source,
            count: &taken,
        };
        let tar = decompress(counted).map_err(broken)?;
        let members = Listing::new(BufReader::with_capacity(BUFFER, tar), 0);
        let mut out = BufWriter::with_capacity(BUFFER, &kept);
        let members = members.all(Some(Spool {
            out: &mut out,
            taken: &taken,
        }))?;
        out.flush()
            .map_err(|error| Error::io("write archive", "", error))?;
        drop(out);
        Ok(Bundle::of(kept, members))
    }

    fn of(file: File, members: BTreeMap<String, Member>) -> Bundle {
        Bundle {
            file: Arc::new(file),
            members,
        }
    }

    /// The file of that name, links followed; `None` when the archive has none.
    ///
    /// # Errors
    /// `Corrupt` for a name that climbs out, and links that lead to each other.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Piece>> {
        let mut name = cleaned(name.as_bytes())?;
        for _ in 0..=MAX_LINKS {
            match name.as_ref().and_then(|name| self.members.get(name)) {
                None => return Ok(None),
                Some(Member::Link(to)) => name = Some(to.clone()),
                Some(Member::Data { at, length }) => {
                    return Ok(Some(Piece {
                        file: self.file.clone(),
                        at: *at,
                        end: at + length,
                    }));
                }
            }
        }
        let name = name.unwrap_or_default();
        Err(corrupt(name.as_bytes(), "too many links"))
    }
}

impl Piece {
    /// Its length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.end - self.at
    }

    /// Steps over bytes at its beginning.
    pub(crate) fn skip(&mut self, count: u64) {
        self.at = (self.at + count).min(self.end);
    }

    /// Whether it is compressed as layers of images may be, with gzip or zstd; `None` for what
    /// they may not.
    ///
    /// # Errors
    /// What reading gave.
    pub(crate) fn suffix(&self) -> io::Result<Option<&'static str>> {
        let mut start = Vec::new();
        self.clone().take(6).read_to_end(&mut start)?;
        Ok(match Compression::detect(&start) {
            Compression::Gzip => Some("+gzip"),
            Compression::Zstd => Some("+zstd"),
            Compression::Xz | Compression::Bzip2 | Compression::None => None,
        })
    }
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length()).unwrap_or(usize::MAX);
        let want = buffer.len().min(left);
        let got = self.file.read_at(&mut buffer[..want], self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

/// A name as a key; `None` for one that is no text, which nothing can ask for.
fn cleaned(name: &[u8]) -> Result<Option<String>> {
    Ok(String::from_utf8(clean(name, &LIMITS)?).ok())
}

/// Where a stream's files go.
struct Spool<'a> {
    out: &'a mut dyn Write,
    /// Bytes taken from the source so far, compressed ones.
    taken: &'a Cell<u64>,
}

/// One reading of an archive.
struct Listing<R: BufRead> {
    reader: Reader<Located<R>>,
}

impl<R: BufRead> Listing<R> {
    /// `base` is where the source's first byte lies.
    fn new(source: R, base: u64) -> Listing<R> {
        let source = Located {
            inner: source,
            at: base,
        };
        Listing {
            reader: Reader::new(source, LIMITS),
        }
    }

    /// Reads to the end. A later file of a name takes the place of an earlier one, as it would
    /// where the archive is unpacked.
    fn all(mut self, mut spool: Option<Spool<'_>>) -> Result<BTreeMap<String, Member>> {
        let mut members = BTreeMap::new();
        let (mut written, mut entries) = (0, 0);
        while let Some(entry) = self.reader.next()? {
            entries += 1;
            if entries > LIMITS.entries {
                return Err(corrupt(
                    b"",
                    format!("more than {} entries", LIMITS.entries),
                ));
            }
            let path = clean(&entry.path, &LIMITS)?;
            let member = match entry.kind {
                EntryKind::File if entry.sparse.is_some() => {
                    return Err(corrupt(
                        &entry.path,
                        "sparse, which files of images are not",
                    ));
                }
                EntryKind::File => {
                    let at = match &mut spool {
                        None => self.reader.input().at,
                        Some(spool) => {
                            let at = written;
                            written += self.copy(spool, at)?;
                            at
                        }
                    };
                    let length = entry.size;
                    Some(Member::Data { at, length })
                }
                EntryKind::HardLink => cleaned(&entry.link)?.map(Member::Link),
                EntryKind::Symlink => {
                    let (parent, _) = split(&path);
                    let target = [parent, b"/", &entry.link].concat();
                    let target = match parent.is_empty() || entry.link.starts_with(b"/") {
                        true => &entry.link[..],
                        false => &target,
                    };
                    cleaned(target)?.map(Member::Link)
                }
                _ => None,
            };
            if let (Some(member), Ok(name)) = (member, String::from_utf8(path)) {
                members.insert(name, member);
            }
        }
        self.trailer()?;
        Ok(members)
    }

    /// Writes the current file behind the `written` bytes of others; returns its length.
    fn copy(&mut self, spool: &mut Spool<'_>, written: u64) -> Result<u64> {
        let mut length = 0;
        let mut data = self.reader.data();
        loop {
            let piece = data.peek(u64::MAX)?;
            if piece.is_empty() {
                return Ok(length);
            }
            spool
                .out
                .write_all(piece)
                .map_err(|error| Error::io("write archive", "", error))?;
            let count = piece.len();
            data.consume(count);
            length += count as u64;
            LIMITS.check(spool.taken.get(), written + length)?;
        }
    }

    /// Reads what follows the end: a compressed stream has its checksum there, and who writes
    /// through a pipe waits for a reader.
    fn trailer(self) -> Result<()> {
        let mut rest = self.reader.into_input().take(TRAILER);
        io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
        match rest.limit() {
            0 => Err(corrupt(b"", "data after its end")),
            _ => Ok(()),
        }
    }
}

/// Knows where the next byte lies.
#[derive(Debug)]
struct Located<R> {
    inner: R,
    at: u64,
}

impl<R: BufRead> BufRead for Located<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.at += count as u64;
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Located<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.at += got as u64;
        Ok(got)
    }
}

/// Counts what is taken from a source.
struct Counted<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.count.set(self.count.get() + got as u64);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::writer::Tar;
    use crate::common::Kind;

    /// A file with these bytes, at its beginning.
    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    fn open(bytes: &[u8]) -> Result<Bundle> {
        Bundle::open(file(bytes), || Ok(tempfile::tempfile().unwrap()))
    }

    fn read(bundle: &Bundle, name: &str) -> Option<String> {
        let mut piece = bundle.find(name).unwrap()?;
        let mut text = String::new();
        piece.read_to_string(&mut text).unwrap();
        Some(text)
    }

    fn layers() -> Tar {
        Tar::default()
            .dir("./a/")
            .file("./a/layer.tar", b"one")
            .symlink("b/layer.tar", "../a/layer.tar")
            .hard_link("c.tar", "a/layer.tar")
            .file("twice", b"first")
            .file("twice", b"second")
            .symlink("x", "y")
            .symlink("y", "x")
            .symlink("away", "/etc/passwd")
    }

    #[test]
    fn files_are_found_whatever_the_form() {
        let tar = layers().end();
        let packed = zstd::encode_all(&tar[..], 1).unwrap();
        for bytes in [tar, packed] {
            let bundle = open(&bytes).unwrap();
            for name in ["a/layer.tar", "./a/layer.tar", "b/layer.tar", "/c.tar"] {
                assert_eq!(read(&bundle, name).unwrap(), "one", "{name}");
            }
            assert_eq!(read(&bundle, "twice").unwrap(), "second");
            assert_eq!(read(&bundle, "away"), None);
            assert_eq!(read(&bundle, "a"), None);
            assert_eq!(bundle.find("x").unwrap_err().kind(), Kind::Corrupt);
            assert_eq!(bundle.find("../x").unwrap_err().kind(), Kind::Corrupt);
            let mut piece = bundle.find("twice").unwrap().unwrap();
            piece.skip(3);
            assert_eq!((piece.length(), piece.suffix().unwrap()), (3, None));
        }
    }

    #[test]
    fn an_archive_begins_where_its_file_stands() {
        let mut source = file(&[b"before".as_slice(), &layers().end()].concat());
        source.read_exact(&mut [0; 6]).unwrap();
        let bundle = Bundle::open(source, || Ok(tempfile::tempfile().unwrap())).unwrap();
        assert_eq!(read(&bundle, "a/layer.tar").unwrap(), "one");
    }

    #[test]
    fn broken_archives_are_refused() {
        let whole = layers().end();
        let climbing = Tar::default().file("../../etc/passwd", b"x").end();
        let linked = Tar::default().symlink("a/x", "../../../etc/passwd").end();
        let many = (0..=LIMITS.entries).fold(Tar::default(), |tar, _| tar.file("x", b""));
        let packed = zstd::encode_all(&whole[..], 1).unwrap();
        for (what, bytes) in [
            ("no archive", b"{\"not\": \"an archive\"}".repeat(40)),
            ("cut", whole[..1300].to_vec()),
            ("cut, compressed", packed[..packed.len() - 3].to_vec()),
            ("climbs", climbing),
            ("link climbs", linked),
            ("too many", many.end()),
        ] {
            assert_eq!(open(&bytes).unwrap_err().kind(), Kind::Corrupt, "{what}");
        }
        assert!(open(b"").unwrap().members.is_empty());
    }
}
