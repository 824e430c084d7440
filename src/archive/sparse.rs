//! Sparse files: which parts of the real file the archive holds.

use std::fs::File;
use std::io::BufRead;

use nix::sys::stat;
use nix::unistd::Whence;
use tar::Header;

use super::field::{corrupt, unsigned};
use super::pax::decimal;
use crate::common::Result;

/// Old GNU sparse header: fields of the entry's own header (GNU tar, "struct oldgnu_header").
const MAP_AT: usize = 386;
const EXTENDED_AT: usize = 482;
const REAL_SIZE_AT: usize = 483;

/// Holes smaller than this, all of a file together, are written as zeros: plain entries are
/// what every reader knows best.
const HOLES_MIN: u64 = 64 << 10;

/// One stored part of a sparse file, in bytes of the real file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The old GNU map: real size, the header's own segments, whether a block of more follows.
pub(super) fn old_header(header: &Header) -> Result<(u64, Vec<Segment>, bool)> {
    let bytes = header.as_bytes();
    let real_size = unsigned(&bytes[REAL_SIZE_AT..REAL_SIZE_AT + 12], "sparse size")?;
    let mut map = Vec::new();
    segments(&bytes[MAP_AT..EXTENDED_AT], &mut map)?;
    Ok((real_size, map, bytes[EXTENDED_AT] != 0))
}

/// One extension block of the old GNU map; whether another follows.
pub(super) fn old_extension(block: &[u8; 512], map: &mut Vec<Segment>) -> Result<bool> {
    segments(&block[..504], map)?;
    Ok(block[504] != 0)
}

fn segments(fields: &[u8], map: &mut Vec<Segment>) -> Result<()> {
    for pair in fields.chunks_exact(24) {
        let (offset, length) = pair.split_at(12);
        if offset[0] == 0 || length[0] == 0 {
            break;
        }
        map.push(Segment {
            offset: unsigned(offset, "sparse offset")?,
            length: unsigned(length, "sparse length")?,
        });
    }
    Ok(())
}

/// The map of format 1.0, which stands as decimal lines at the start of the data, padded to a
/// block. Returns it and the bytes it took. `stored` is the size of data and map.
pub(super) fn read_map(
    input: &mut impl BufRead,
    stored: u64,
    limit: u64,
) -> Result<(Vec<Segment>, u64)> {
    let limit = limit.min(stored);
    let mut taken = 0u64;
    let mut numbers = Vec::new();
    let mut line = Vec::new();
    let mut wanted = None;
    while wanted.is_none_or(|wanted| (numbers.len() as u64) < wanted) || !taken.is_multiple_of(512)
    {
        if taken >= limit {
            return Err(corrupt(b"", "sparse map beyond its limit"));
        }
        let mut byte = [0u8];
        std::io::Read::read_exact(input, &mut byte).map_err(super::reader::broken)?;
        taken += 1;
        let complete = wanted.is_some_and(|wanted| numbers.len() as u64 >= wanted);
        if complete {
            continue;
        }
        if byte[0] != b'\n' {
            line.extend(byte);
            continue;
        }
        let value = decimal(&line).ok_or_else(|| corrupt(b"", "malformed sparse map"))?;
        line.clear();
        match wanted {
            // Two lines of at least two bytes each per segment: a larger count can't be true.
            None if value > limit => return Err(corrupt(b"", "sparse map beyond its limit")),
            None => wanted = Some(value * 2),
            Some(_) => numbers.push(value),
        }
    }
    let map = numbers.chunks_exact(2).map(|pair| Segment {
        offset: pair[0],
        length: pair[1],
    });
    Ok((map.collect(), taken))
}

/// Refuses a map that is out of order, overlaps, leaves the file, or doesn't account for
/// exactly the stored bytes.
pub(super) fn check_map(map: &[Segment], stored: u64, real_size: u64) -> Result<()> {
    let (mut end, mut sum) = (0u64, 0u64);
    for segment in map {
        let next = segment.offset.checked_add(segment.length);
        let next = next.filter(|next| segment.offset >= end && *next <= real_size);
        end = next.ok_or_else(|| corrupt(b"", "sparse map out of order or beyond the file"))?;
        sum += segment.length;
    }
    if sum != stored {
        return Err(corrupt(b"", "sparse map does not fit the stored data"));
    }
    Ok(())
}

/// The parts of a file that hold data, when leaving the rest out is worth it.
pub(super) fn holes(file: &File, size: u64) -> Option<Vec<Segment>> {
    let blocks = stat::fstat(file).ok()?.st_blocks as u64 * 512;
    if blocks + HOLES_MIN > size {
        return None;
    }
    let seek = |at: u64, whence| nix::unistd::lseek(file, i64::try_from(at).ok()?, whence).ok();
    let (mut segments, mut at) = (Vec::new(), 0);
    while at < size {
        // No more data: ENXIO.
        let Some(start) = seek(at, Whence::SeekData) else {
            break;
        };
        let start = (start as u64).min(size);
        let end = (seek(start, Whence::SeekHole)? as u64).min(size);
        if end > start {
            segments.push(Segment {
                offset: start,
                length: end - start,
            });
        }
        at = end.max(start + 1);
    }
    nix::unistd::lseek(file, 0, Whence::SeekSet).ok()?;
    let data: u64 = segments.iter().map(|segment| segment.length).sum();
    (data + HOLES_MIN <= size).then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<Segment>, u64)> {
        let mut data = text.as_bytes().to_vec();
        data.resize(1024, 0);
        read_map(&mut data.as_slice(), 1024, 1 << 20)
    }

    #[test]
    fn maps_are_read_with_their_padding() {
        let (map, taken) = read("2\n0\n3\n4096\n1\n").unwrap();
        assert_eq!(taken, 512);
        assert_eq!(
            map[1],
            Segment {
                offset: 4096,
                length: 1
            }
        );
        check_map(&map, 4, 5000).unwrap();
        assert_eq!(read("0\n").unwrap(), (vec![], 512));
    }

    #[test]
    fn impossible_maps_are_refused() {
        for text in [
            "",
            "x\n",
            "-1\n",
            "3\n0\n1\n",
            "18446744073709551615\n",
            "600\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let segment = |offset, length| Segment { offset, length };
        for (map, stored, real) in [
            (vec![segment(0, 5), segment(4, 5)], 10, 100),
            (vec![segment(8, 1), segment(0, 1)], 2, 100),
            (vec![segment(0, 101)], 101, 100),
            (vec![segment(u64::MAX, 1)], 1, 100),
            (vec![segment(0, 5)], 6, 100),
        ] {
            assert!(check_map(&map, stored, real).is_err(), "{map:?}");
        }
    }
}
