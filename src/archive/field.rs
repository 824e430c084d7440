//! Numbers and strings of a 512-byte tar header, read strictly.

use tar::Header;

use crate::common::{Error, Kind, Result};

/// An archive that breaks its format.
pub(super) fn corrupt(object: &[u8], why: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, "read archive", show(object)).because(why.into())
}

/// A name from the archive for a text: escaped, and cut when long.
pub(super) fn show(name: &[u8]) -> String {
    const SHOWN: usize = 120;
    let mut text = name[..name.len().min(SHOWN)].escape_ascii().to_string();
    if name.len() > SHOWN {
        text.push_str("...");
    }
    text
}

/// The part before the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// A number in octal (blanks and NULs around it, empty for 0) or in base 256 (two's
/// complement, GNU). Anything else is refused: a lenient reader would see another archive than
/// a strict one.
pub(super) fn number(field: &[u8], what: &str) -> Result<i64> {
    let bad = || corrupt(b"", format!("malformed {what}"));
    match field.first() {
        Some(first) if first & 0x80 != 0 => base256(field).ok_or_else(bad),
        _ => octal(field).ok_or_else(bad),
    }
}

/// As [`number`], for what can't be negative.
pub(super) fn unsigned(field: &[u8], what: &str) -> Result<u64> {
    let value = number(field, what)?;
    u64::try_from(value).map_err(|_| corrupt(b"", format!("negative {what}")))
}

fn octal(field: &[u8]) -> Option<i64> {
    let is_pad = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field.iter().position(|byte| !is_pad(byte));
    let Some(start) = start else { return Some(0) };
    let rest = &field[start..];
    let end = rest.iter().position(is_pad).unwrap_or(rest.len());
    if !rest[end..].iter().all(is_pad) {
        return None;
    }
    rest[..end].iter().try_fold(0i64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(i64::from(digit))
    })
}

fn base256(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    let negative = first & 0x40 != 0;
    let top = if negative { first | 0x80 } else { first & 0x7f };
    let start = i128::from(if negative {
        i16::from(top) - 256
    } else {
        i16::from(top)
    });
    let value = rest.iter().try_fold(start, |value, byte| {
        value.checked_mul(256)?.checked_add(i128::from(*byte))
    })?;
    i64::try_from(value).ok()
}

/// Whether the checksum fits; sums of signed bytes, as old Sun tars wrote them, count too.
pub(super) fn checksum_fits(header: &Header) -> bool {
    let Ok(stored) = number(&header.as_old().cksum, "checksum") else {
        return false;
    };
    let (mut unsigned, mut signed) = (0i64, 0i64);
    for (index, byte) in header.as_bytes().iter().enumerate() {
        let byte = if (148..156).contains(&index) {
            b' '
        } else {
            *byte
        };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    stored == unsigned || stored == signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256_and_nothing_else() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"77777777", Some(0o77777777)),
            (b"\x80\0\0\0\0\0\x01\0", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"0000648\0", None),
            (b"-000644\0", None),
            (b"+000644\0", None),
            (b"64 4\0\0\0\0", None),
            (b"64\x004\0\0\0\0", None),
            (b"0x1f\0\0\0\0", None),
            (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
        ] {
            assert_eq!(number(field, "size").ok(), value, "{field:?}");
        }
        assert!(unsigned(b"\xff\xff\xff\xff\xff\xff\xff\xff", "size").is_err());
    }
}
