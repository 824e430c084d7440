//! Names of entries, made safe before any of them reaches the kernel.

use super::field::corrupt;
use super::limits::Limits;
use crate::common::Result;

/// Prefix of aufs-style marks for deleted names (OCI layer spec, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";

/// Prefix of aufs's own bookkeeping; among it the opaque mark.
const WHITEOUT_META: &[u8] = b".wh..wh.";

/// Mark for "nothing from below in this directory".
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What a name asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The top directory itself.
    Top,
    /// An object of this path.
    Object(&'a [u8]),
    /// The path is deleted from the layers below.
    Whiteout(Vec<u8>),
    /// The directory hides the layers below (empty: the top).
    Opaque(&'a [u8]),
    /// Bookkeeping of another storage driver.
    Ignored,
}

/// Reduces `name` to components joined by single slashes, relative to the top: no empty ones,
/// no `.` and no `..`. `a/../b` is `b`, `/..` is the top, and a relative name that climbs out
/// is refused, as docker does.
pub(super) fn clean(name: &[u8], limits: &Limits) -> Result<Vec<u8>> {
    if name.len() > limits.name {
        return Err(corrupt(name, "name too long"));
    }
    if name.contains(&0) {
        return Err(corrupt(name, "name contains a nul byte"));
    }
    let absolute = name.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.pop().is_none() && !absolute => {
                return Err(corrupt(name, "name leaves the archive"));
            }
            b".." => {}
            part => parts.push(part),
        }
    }
    if parts.len() > limits.depth {
        return Err(corrupt(name, "name too deep"));
    }
    Ok(parts.join(&b'/'))
}

/// Directory part and last component of a cleaned path.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// Tells marks from objects. `path` is cleaned.
pub(super) fn classify(path: &[u8]) -> Result<Target<'_>> {
    if path.is_empty() {
        return Ok(Target::Top);
    }
    let (parent, name) = split(path);
    for part in parent.split(|byte| *byte == b'/') {
        if part.starts_with(WHITEOUT_META) {
            return Ok(Target::Ignored);
        }
        if part.starts_with(WHITEOUT) {
            return Err(corrupt(path, "whiteout used as a directory"));
        }
    }
    if name == OPAQUE {
        return Ok(Target::Opaque(parent));
    }
    if name.starts_with(WHITEOUT_META) {
        return Ok(Target::Ignored);
    }
    match name.strip_prefix(WHITEOUT) {
        Some(b"" | b"." | b"..") => Err(corrupt(path, "whiteout of no name")),
        Some(hidden) => {
            let mut target = path[..path.len() - name.len()].to_vec();
            target.extend_from_slice(hidden);
            Ok(Target::Whiteout(target))
        }
        None => Ok(Target::Object(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_relative_and_never_climb() {
        let limits = Limits::default();
        for (name, cleaned) in [
            (&b"./a//b/./c/"[..], Some(&b"a/b/c"[..])),
            (b"/etc/passwd", Some(b"etc/passwd")),
            (b"a/../b", Some(b"b")),
            (b"/../../etc", Some(b"etc")),
            (b"./", Some(b"")),
            (b"", Some(b"")),
            (b"..", None),
            (b"a/../../b", None),
            (b"./../b", None),
            (b"a\0b", None),
        ] {
            assert_eq!(clean(name, &limits).ok().as_deref(), cleaned, "{name:?}");
        }
        assert!(clean(&b"a/".repeat(1025), &limits).is_err());
        assert!(clean(&[b'a'; 4096], &limits).is_err());
    }

    #[test]
    fn marks_are_told_from_objects() {
        let whiteout = |path: &[u8]| Target::Whiteout(path.to_vec());
        assert_eq!(classify(b"a/.wh.b").unwrap(), whiteout(b"a/b"));
        assert_eq!(classify(b".wh.b").unwrap(), whiteout(b"b"));
        assert_eq!(classify(b"a/.wh..wh..opq").unwrap(), Target::Opaque(b"a"));
        assert_eq!(classify(b".wh..wh..opq").unwrap(), Target::Opaque(b""));
        assert_eq!(classify(b".wh..wh.plnk/1").unwrap(), Target::Ignored);
        assert_eq!(classify(b"a/.wh..wh.aufs").unwrap(), Target::Ignored);
        assert_eq!(classify(b"a/.who").unwrap(), Target::Object(b"a/.who"));
        for bad in [&b".wh."[..], b"a/.wh..", b"a/.wh...", b".wh.a/b"] {
            assert!(classify(bad).is_err(), "{bad:?}");
        }
    }
}
