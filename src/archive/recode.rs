//! A layer anew: otherwise compressed, or with no time later than a given one.

use std::io::{BufReader, BufWriter, Read, Write};

use super::code::Coding;
use super::compress::decompress;
use super::encode::Encoder;
use super::layer::{LayerWriter, NewLayer};
use super::limits::Limits;
use super::reader::{Entry, Reader, broken};
use crate::common::{Error, Result};

/// Bytes gathered before they are handed on.
const BUFFER: usize = 256 << 10;

/// Writes the layer `source` to `out` in another compression. With `latest` (seconds), what is
/// younger becomes as old as that; without, the archive stays as it is.
///
/// # Errors
/// `Corrupt` for a source that is no archive; what reading and writing gave.
pub(crate) fn recode(
    source: impl Read,
    out: impl Write,
    coding: Coding,
    latest: Option<i64>,
) -> Result<NewLayer> {
    let source = decompress(source).map_err(broken)?;
    let mut source = BufReader::with_capacity(BUFFER, source);
    let mut writer = BufWriter::with_capacity(BUFFER, LayerWriter::coded(out, coding));
    let failed = |error| Error::io("write layer", "", error);
    match latest {
        None => drop(std::io::copy(&mut source, &mut writer).map_err(failed)?),
        Some(latest) => writer = clamp(source, writer, latest)?,
    }
    let writer = writer.into_inner();
    let writer = writer.map_err(|error| failed(error.into_error()))?;
    writer.finish().map_err(failed)
}

fn clamp<W: Write>(source: impl std::io::BufRead, out: W, latest: i64) -> Result<W> {
    let mut reader = Reader::new(source, Limits::default());
    let mut encoder = Encoder::new(out);
    while let Some(entry) = reader.next()? {
        encoder.entry(&no_later(entry, latest))?;
        let mut data = reader.data();
        loop {
            let piece = data.peek(u64::MAX)?;
            if piece.is_empty() {
                break;
            }
            encoder.data(piece)?;
            let count = piece.len();
            data.consume(count);
        }
    }
    reader.drain()?;
    encoder.finish()
}

fn no_later(entry: Entry, latest: i64) -> Entry {
    Entry {
        mtime: entry.mtime.min((latest, 0)),
        ..entry
    }
}
