//! Where two archives begin to differ, for who wanted them to be the same.

use std::io::{BufRead, BufReader, Read};

use super::compress::decompress;
use super::field::show;
use super::limits::Limits;
use super::reader::{Entry, Reader, broken};
use crate::common::Result;

/// The first difference of two archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Of what.
    pub(crate) path: String,
    /// In which respect, with both values.
    pub(crate) what: String,
}

/// Finds the first entry that is not the same in both; `None` when all are.
///
/// # Errors
/// `Corrupt` for what is no archive; what reading gave.
pub(crate) fn difference(one: impl Read, other: impl Read) -> Result<Option<Difference>> {
    let mut one = entries(decompress(one).map_err(broken)?);
    let mut other = entries(decompress(other).map_err(broken)?);
    loop {
        let found = |entry: &Entry, what: String| {
            Ok(Some(Difference {
                path: show(&entry.path),
                what,
            }))
        };
        let (a, b) = match (one.next()?, other.next()?) {
            (None, None) => return Ok(None),
            (Some(only), None) => return found(&only, "only in the first".to_owned()),
            (None, Some(only)) => return found(&only, "only in the second".to_owned()),
            (Some(a), Some(b)) => (a, b),
        };
        if a.path != b.path {
            let what = format!("the second has {} there", show(&b.path));
            return found(&a, what);
        }
        if let Some(what) = attribute(&a, &b) {
            return found(&a, what);
        }
        if let Some(offset) = content(&mut one, &mut other)? {
            return found(&a, format!("content from byte {offset} on"));
        }
    }
}

fn entries(source: impl Read) -> Reader<impl BufRead> {
    Reader::new(BufReader::new(source), Limits::default())
}

/// The first attribute that differs.
fn attribute(a: &Entry, b: &Entry) -> Option<String> {
    let time = |(seconds, nanos): (i64, u32)| format!("{seconds}.{nanos:09}");
    let names = |entry: &Entry| {
        let all = entry.xattrs.iter();
        all.map(|(name, value)| format!("{}={}", show(name), show(value)))
            .collect::<Vec<_>>()
            .join(",")
    };
    let facts = |entry: &Entry| {
        [
            ("type", format!("{:?}", entry.kind)),
            ("mode", format!("{:o}", entry.mode)),
            ("owner", format!("{}:{}", entry.uid, entry.gid)),
            ("size", entry.size.to_string()),
            ("link", show(&entry.link)),
            ("device", format!("{:?}", entry.device)),
            ("attributes", names(entry)),
            ("stored parts", format!("{:?}", entry.sparse)),
            ("time", time(entry.mtime)),
        ]
    };
    let (first, second) = (facts(a), facts(b));
    let mut both = first.iter().zip(&second);
    both.find(|((_, a), (_, b))| a != b)
        .map(|((name, a), (_, b))| format!("{name} {a}, then {b}"))
}

/// The offset among the stored bytes of two entries of one size at which they differ.
fn content<R: BufRead, S: BufRead>(
    one: &mut Reader<R>,
    other: &mut Reader<S>,
) -> Result<Option<u64>> {
    let (mut a, mut b) = (one.data(), other.data());
    let mut offset = 0;
    loop {
        let first = a.peek(u64::MAX)?;
        let second = b.peek(first.len() as u64)?;
        let count = first.len().min(second.len());
        if count == 0 {
            return Ok(None);
        }
        let pairs = first.iter().zip(second);
        if let Some(at) = pairs.into_iter().position(|(a, b)| a != b) {
            return Ok(Some(offset + at as u64));
        }
        a.consume(count);
        b.consume(count);
        offset += count as u64;
    }
}
