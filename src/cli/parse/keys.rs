//! `--detach-keys`: keys that leave a container alone.

use super::bad;
use crate::common::Result;

/// docker's default.
pub(crate) const DEFAULT: &str = "ctrl-p,ctrl-q";

/// The bytes of a comma-separated list of characters and `ctrl-` with a letter or one of
/// `@[\]^_`; an empty text has none.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let one = |key: &str| -> Option<u8> {
        match (key.as_bytes(), key.strip_prefix("ctrl-").map(str::as_bytes)) {
            ([byte], _) if byte.is_ascii() => Some(*byte),
            (_, Some([letter @ (b'a'..=b'z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')])) => {
                Some(letter.to_ascii_uppercase() & 0x1f)
            }
            _ => None,
        }
    };
    let keys: Option<Vec<u8>> = text.split(',').map(one).collect();
    keys.ok_or_else(|| {
        bad(
            "--detach-keys",
            text,
            "use characters or ctrl-LETTER, comma-separated",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_bytes() {
        assert_eq!(parse(DEFAULT).unwrap(), [16, 17]);
        assert_eq!(parse("a,ctrl-@,ctrl-[,ctrl-_").unwrap(), [b'a', 0, 27, 31]);
        assert_eq!(parse("").unwrap(), [0u8; 0]);
        for text in ["ctrl-", "ctrl-1", "ab", "a,,b", "ctrl-P", "ü", ","] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
