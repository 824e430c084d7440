//! Compression of new layers on all processors.
//!
//! The stream is cut into parts of one length, each compressed by itself: what comes out is the
//! same whether one processor did it or many. gzip's parts are blocks of one member (as `pigz -i`
//! writes them), zstd's are frames.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use flate2::{Compress, Crc, FlushCompress, Status};

use crate::common::{Error, Result};

/// Bytes of a part: beginning anew costs gzip a fraction of its window, zstd a fraction of its
/// larger one.
const GZIP_PART: usize = 512 << 10;
const ZSTD_PART: usize = 2 << 20;

/// Threads at most: each holds a part and what comes of it.
const MAX_LANES: usize = 16;

/// A member's header: no name, no time, an unknown system (RFC 1952).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// How a new layer is compressed, with the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    Plain,
    /// RFC 1952; 0 to 9.
    Gzip(u32),
    /// RFC 8878; 1 to 22.
    Zstd(i32),
}

impl Default for Coding {
    fn default() -> Coding {
        Coding::Gzip(6)
    }
}

impl Coding {
    /// Reads what `compression=` and `compression-level=` say.
    ///
    /// # Errors
    /// `Usage` for another name, `Unsupported` for one that is not made here, and levels that the
    /// compression does not have.
    pub(crate) fn parse(name: &str, level: Option<&str>) -> Result<Coding> {
        let number = |range: std::ops::RangeInclusive<i32>, usual: i32| {
            let Some(text) = level else {
                return Ok(usual);
            };
            let found = text.parse().ok().filter(|level| range.contains(level));
            found.ok_or_else(|| {
                let (low, high) = (range.start(), range.end());
                let why = format!("{name} has levels from {low} to {high}");
                Error::usage("use compression level", text, why)
            })
        };
        match name {
            "gzip" => Ok(Coding::Gzip(number(0..=9, 6)?.unsigned_abs())),
            "zstd" => Ok(Coding::Zstd(number(1..=22, 3)?)),
            "uncompressed" if level.is_none() => Ok(Coding::Plain),
            "uncompressed" => Err(Error::usage(
                "use compression level",
                level.unwrap_or_default(),
                "what is uncompressed has none",
            )),
            "estargz" => Err(Error::new(
                crate::common::Kind::Unsupported,
                "use compression",
                name,
            )
            .because("layers that are mounted before they are fetched are not made here")
            .hint("compression=gzip or compression=zstd is read by everything that reads estargz")),
            _ => Err(Error::usage(
                "use compression",
                name,
                "use gzip, zstd or uncompressed",
            )),
        }
    }

    /// What OCI's media types of layers have behind their common part.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Coding::Plain => "",
            Coding::Gzip(_) => "+gzip",
            Coding::Zstd(_) => "+zstd",
        }
    }

    fn part(self) -> usize {
        match self {
            Coding::Zstd(_) => ZSTD_PART,
            Coding::Gzip(_) | Coding::Plain => GZIP_PART,
        }
    }

    /// Compresses one part.
    fn encode(self, part: &[u8], last: bool) -> io::Result<Vec<u8>> {
        match self {
            Coding::Plain => Ok(part.to_vec()),
            Coding::Zstd(level) => zstd::bulk::compress(part, level),
            Coding::Gzip(level) => deflate(part, level, last),
        }
    }
}

/// Blocks that begin at no other's end, up to a byte's border; the last part ends the stream.
fn deflate(part: &[u8], level: u32, last: bool) -> io::Result<Vec<u8>> {
    let mut state = Compress::new(flate2::Compression::new(level), false);
    let mut out = Vec::with_capacity(part.len() / 2 + 1024);
    let flush = match last {
        true => FlushCompress::Finish,
        false => FlushCompress::Sync,
    };
    loop {
        let taken = state.total_in() as usize;
        let status = state.compress_vec(&part[taken..], &mut out, flush)?;
        let taken = state.total_in() as usize == part.len();
        // Room that is left says that nothing waits to be written.
        let whole = taken && out.len() < out.capacity();
        if status == Status::StreamEnd || (!last && whole) {
            return Ok(out);
        }
        out.reserve(part.len() / 4 + 1024);
    }
}

/// A thread, the way to it and back.
struct Lane {
    parts: SyncSender<(Vec<u8>, bool)>,
    coded: Receiver<io::Result<Vec<u8>>>,
    thread: JoinHandle<()>,
    busy: bool,
}

impl Lane {
    fn start(coding: Coding) -> io::Result<Lane> {
        let (parts, todo) = sync_channel::<(Vec<u8>, bool)>(1);
        let (done, coded) = sync_channel(1);
        let thread = std::thread::Builder::new().spawn(move || {
            while let Ok((part, last)) = todo.recv() {
                if done.send(coding.encode(&part, last)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Lane {
            parts,
            coded,
            thread,
            busy: false,
        })
    }
}

/// Takes a stream and writes it compressed to `W`.
pub(super) struct Coder<W> {
    out: W,
    coding: Coding,
    part: Vec<u8>,
    /// Of the whole stream, for gzip's end.
    crc: Crc,
    /// Made when there is a second part.
    lanes: Vec<Lane>,
    /// Threads wanted.
    width: usize,
    /// The lane of the next part.
    next: usize,
    begun: bool,
}

impl<W: Write> Coder<W> {
    /// Begins a stream.
    pub(super) fn new(out: W, coding: Coding) -> Coder<W> {
        let width = std::thread::available_parallelism().map_or(1, usize::from);
        Coder::of_width(out, coding, width.min(MAX_LANES))
    }

    fn of_width(out: W, coding: Coding, width: usize) -> Coder<W> {
        Coder {
            out,
            coding,
            part: Vec::new(),
            crc: Crc::new(),
            lanes: Vec::new(),
            width,
            next: 0,
            begun: false,
        }
    }

    /// Ends it and gives back what it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.begin()?;
        // Empty only when the whole stream is.
        let part = std::mem::take(&mut self.part);
        self.pass(part, true)?;
        for _ in 0..self.lanes.len() {
            self.collect()?;
            self.next = (self.next + 1) % self.lanes.len();
        }
        for lane in self.lanes.drain(..) {
            drop(lane.parts);
            let _ = lane.thread.join();
        }
        if matches!(self.coding, Coding::Gzip(_)) {
            self.out.write_all(&self.crc.sum().to_le_bytes())?;
            self.out.write_all(&self.crc.amount().to_le_bytes())?;
        }
        Ok(self.out)
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.begun && matches!(self.coding, Coding::Gzip(_)) {
            self.out.write_all(&GZIP_HEAD)?;
        }
        self.begun = true;
        Ok(())
    }

    /// Has a part compressed: here when it is the only one, or nobody else can.
    fn pass(&mut self, part: Vec<u8>, last: bool) -> io::Result<()> {
        if self.width < 2 || (last && self.lanes.is_empty()) {
            let coded = self.coding.encode(&part, last)?;
            return self.out.write_all(&coded);
        }
        while self.lanes.len() < self.width {
            self.lanes.push(Lane::start(self.coding)?);
        }
        self.collect()?;
        let lane = &mut self.lanes[self.next];
        lane.parts.send((part, last)).map_err(|_| gone())?;
        lane.busy = true;
        self.next = (self.next + 1) % self.lanes.len();
        Ok(())
    }

    /// Writes what the next lane, whose part is the oldest, has made.
    fn collect(&mut self) -> io::Result<()> {
        let lane = &mut self.lanes[self.next];
        if std::mem::take(&mut lane.busy) {
            let coded = lane.coded.recv().map_err(|_| gone())??;
            self.out.write_all(&coded)?;
        }
        Ok(())
    }
}

fn gone() -> io::Error {
    io::Error::other("a compressing thread has ended")
}

impl<W: Write> Write for Coder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin()?;
        if self.coding == Coding::Plain {
            return self.out.write(bytes);
        }
        let size = self.coding.part();
        // A full part waits for another byte: the last one must know that it is the last.
        if self.part.len() == size {
            let part = std::mem::replace(&mut self.part, Vec::with_capacity(size));
            self.pass(part, false)?;
        }
        let count = bytes.len().min(size - self.part.len());
        self.part.extend_from_slice(&bytes[..count]);
        self.crc.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::archive::decompress;

    fn coded(data: &[u8], coding: Coding, width: usize) -> Vec<u8> {
        let mut coder = Coder::of_width(Vec::new(), coding, width);
        // Pieces of odd lengths.
        for piece in data.chunks(70_001) {
            coder.write_all(piece).unwrap();
        }
        coder.finish().unwrap()
    }

    #[test]
    fn bytes_do_not_depend_on_the_number_of_threads() {
        let data: Vec<u8> = (0..3_000_000u32)
            .map(|number| (number.wrapping_mul(2_654_435_761) >> 27) as u8)
            .collect();
        for coding in [
            Coding::Plain,
            Coding::Gzip(6),
            Coding::Gzip(0),
            Coding::Zstd(3),
        ] {
            for length in [0, 1, coding.part(), coding.part() + 1, data.len()] {
                let one = coded(&data[..length], coding, 1);
                for width in [2, 3, 16] {
                    let many = coded(&data[..length], coding, width);
                    assert!(many == one, "{coding:?} {length} {width}");
                }
                let mut back = Vec::new();
                decompress(one.as_slice())
                    .unwrap()
                    .read_to_end(&mut back)
                    .unwrap();
                assert!(back == data[..length], "{coding:?} {length}");
                if let Coding::Gzip(level) = coding {
                    // One member, which readers of a single one take as a whole.
                    let mut back = Vec::new();
                    let mut reader = flate2::read::GzDecoder::new(one.as_slice());
                    reader.read_to_end(&mut back).unwrap();
                    assert_eq!(back.len(), length);
                    assert!(level == 0 || length < 1000 || one.len() < length);
                }
            }
        }
    }

    #[test]
    fn compressions_have_names_and_levels() {
        assert_eq!(Coding::parse("gzip", None).unwrap(), Coding::default());
        assert_eq!(Coding::parse("zstd", Some("19")).unwrap(), Coding::Zstd(19));
        assert_eq!(Coding::parse("uncompressed", None).unwrap(), Coding::Plain);
        for (name, level) in [
            ("gzip", "10"),
            ("zstd", "23"),
            ("zstd", "x"),
            ("uncompressed", "1"),
            ("lz4", "1"),
            ("estargz", "1"),
        ] {
            assert!(Coding::parse(name, Some(level)).is_err(), "{name} {level}");
        }
    }
}
