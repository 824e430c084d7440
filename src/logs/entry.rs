//! One entry of a log file, read back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{LogDriver, Stream};
use crate::common::{Timestamp, parse_rfc3339};

/// A line, or a part of a very long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// When it was written.
    pub(crate) time: Timestamp,
    /// By which output.
    pub(crate) stream: Stream,
    /// What was written; a whole line ends with its newline, a part does not.
    pub(crate) text: Cow<'a, [u8]>,
    /// json-file's `attrs`.
    pub(crate) details: BTreeMap<String, String>,
}

/// A line of a json-file log, docker's own included.
#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(borrow, default)]
    log: Cow<'a, str>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
    time: Timestamp,
}

/// Reads a line of a file, its newline included; `None` when it is no entry.
pub(super) fn parse(driver: LogDriver, line: &[u8]) -> Option<Entry<'_>> {
    match driver {
        LogDriver::K8sFile => kubernetes(line),
        _ => json(line),
    }
}

fn json(line: &[u8]) -> Option<Entry<'_>> {
    let found: JsonLine<'_> = serde_json::from_slice(line).ok()?;
    Some(Entry {
        time: found.time,
        stream: match found.stream.as_ref() {
            "stderr" => Stream::Stderr,
            _ => Stream::Stdout,
        },
        text: match found.log {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
        details: found.attrs,
    })
}

/// Whether a line of the Kubernetes format that begins so is a part of one that goes on.
pub(super) fn is_part(line: &[u8]) -> bool {
    let tag = line.split(|byte| *byte == b' ').nth(2);
    tag.is_some_and(|tag| tag == b"P" || tag.starts_with(b"P:"))
}

fn kubernetes(line: &[u8]) -> Option<Entry<'_>> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag) = (words.next()?, words.next()?, words.next()?);
    let text = words.next()?;
    Some(Entry {
        time: parse_rfc3339(std::str::from_utf8(time).ok()?)?,
        stream: match stream {
            b"stdout" => Stream::Stdout,
            b"stderr" => Stream::Stderr,
            _ => return None,
        },
        // More tags may follow behind a colon.
        text: match tag.split(|byte| *byte == b':').next()? {
            b"F" => Cow::Borrowed(text),
            b"P" => Cow::Borrowed(text.strip_suffix(b"\n").unwrap_or(text)),
            _ => return None,
        },
        details: BTreeMap::new(),
    })
}
