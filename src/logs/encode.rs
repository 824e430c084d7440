//! The text of an entry, made piece by piece: an entry is never held as a whole, since the
//! process that writes logs is counted in kilobytes.

/// Takes the pieces of an entry.
pub(super) trait Pieces {
    /// Adds bytes.
    fn piece(&mut self, bytes: &[u8]);
}

impl Pieces for Vec<u8> {
    fn piece(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Bytes as a JSON string, escaped as docker's json-file driver does it: `<`, `>`, `&` and
/// control characters as `\u00XX`, bytes that are not UTF-8 as `\ufffd` each.
pub(super) fn json_string(out: &mut impl Pieces, bytes: &[u8], ended: bool) {
    out.piece(b"\"");
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, bad) = match std::str::from_utf8(rest) {
            Ok(text) => (text, 0),
            Err(error) => {
                let good = error.valid_up_to();
                // Go replaces one byte at a time.
                (std::str::from_utf8(&rest[..good]).unwrap_or(""), 1)
            }
        };
        json_text(out, valid);
        if bad > 0 {
            out.piece(b"\\ufffd");
        }
        rest = &rest[valid.len() + bad..];
    }
    out.piece(if ended { b"\\n\"" } else { b"\"" });
}

fn json_text(out: &mut impl Pieces, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let (escape, taken): (&[u8], usize) = match byte {
            b'"' => (b"\\\"", 1),
            b'\\' => (b"\\\\", 1),
            b'\n' => (b"\\n", 1),
            b'\r' => (b"\\r", 1),
            b'<' | b'>' | b'&' | 0..0x20 => {
                let high = HEX[usize::from(byte >> 4)];
                let low = HEX[usize::from(byte & 15)];
                out.piece(&bytes[plain..at]);
                out.piece(&[b'\\', b'u', b'0', b'0', high, low]);
                plain = at + 1;
                continue;
            }
            // U+2028 and U+2029, line ends in JavaScript.
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa8") => (b"\\u2028", 3),
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa9") => (b"\\u2029", 3),
            _ => continue,
        };
        out.piece(&bytes[plain..at]);
        out.piece(escape);
        plain = at + taken;
    }
    out.piece(&bytes[plain..]);
}

/// How many bytes at the end of `bytes` begin a character that is not complete yet.
pub(super) fn open_character(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    for (back, &byte) in tail.iter().rev().enumerate() {
        let wanted = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if back + 1 < wanted { back + 1 } else { 0 };
    }
    0
}
