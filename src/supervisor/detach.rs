//! The keys that leave a container without ending it (`--detach-keys`).

use crate::common::{Error, Result};

/// docker's default: `ctrl-p,ctrl-q`.
const DEFAULT: [u8; 2] = [0x10, 0x11];

/// A sequence of bytes to look for in what is typed; an empty one is never found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetachKeys {
    keys: Vec<u8>,
    /// How many of them were typed last.
    typed: usize,
}

impl Default for DetachKeys {
    fn default() -> DetachKeys {
        DetachKeys {
            keys: DEFAULT.to_vec(),
            typed: 0,
        }
    }
}

impl DetachKeys {
    /// The keys of a flag, docker's without one.
    pub(crate) fn of_flag(text: Option<&str>) -> Result<DetachKeys> {
        text.map_or_else(|| Ok(DetachKeys::default()), DetachKeys::parse)
    }

    /// Reads docker's grammar: single characters and `ctrl-X`, X one of `a`…`z`, `@`, `[`, `\`,
    /// `]`, `^` and `_`, separated by commas.
    fn parse(text: &str) -> Result<DetachKeys> {
        let key = |word: &str| -> Option<u8> {
            let letter = match word.strip_prefix("ctrl-") {
                Some(letter) => letter,
                None => return single(word),
            };
            match single(letter)? {
                letter @ b'a'..=b'z' => Some(letter - b'a' + 1),
                letter @ b'A'..=b'Z' => Some(letter - b'A' + 1),
                b'@' => Some(0),
                letter @ b'['..=b'_' => Some(letter - b'@'),
                _ => None,
            }
        };
        if text.is_empty() {
            return Ok(DetachKeys {
                keys: Vec::new(),
                typed: 0,
            });
        }
        let keys: Option<Vec<u8>> = text.split(',').map(key).collect();
        match keys {
            Some(keys) => Ok(DetachKeys { keys, typed: 0 }),
            None => Err(Error::usage(
                "parse --detach-keys",
                format!("{text:?}"),
                "use single characters and ctrl-X, separated by commas",
            )),
        }
    }

    /// Takes the keys out of what is typed: what goes on to the container is left in `out`.
    /// True when the sequence is complete; nothing behind it counts.
    pub(super) fn filter(&mut self, typed: &[u8], out: &mut Vec<u8>) -> bool {
        if self.keys.is_empty() {
            out.extend_from_slice(typed);
            return false;
        }
        for byte in typed {
            if *byte == self.keys[self.typed] {
                self.typed += 1;
                if self.typed == self.keys.len() {
                    return true;
                }
                continue;
            }
            // The beginning of the sequence was meant for the container.
            out.extend_from_slice(&self.keys[..self.typed]);
            self.typed = 0;
            if *byte == self.keys[0] && self.keys.len() > 1 {
                self.typed = 1;
            } else {
                out.push(*byte);
            }
        }
        false
    }
}

fn single(word: &str) -> Option<u8> {
    match word.as_bytes() {
        [byte] if byte.is_ascii() => Some(*byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &mut DetachKeys, text: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let done = keys.filter(text, &mut out);
        (out, done)
    }

    #[test]
    fn keys_are_dockers() {
        for (text, keys) in [
            ("ctrl-p,ctrl-q", vec![16, 17]),
            ("a", vec![b'a']),
            ("ctrl-@,ctrl-[,ctrl-_,Z", vec![0, 27, 31, b'Z']),
            ("", vec![]),
        ] {
            assert_eq!(DetachKeys::parse(text).unwrap().keys, keys, "{text}");
        }
        for bad in ["ab", "ctrl-", "ctrl-1", "a,,b", "ctrl-pp", "ü"] {
            assert!(DetachKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_whole_sequence_leaves() {
        let mut keys = DetachKeys::default();
        assert_eq!(typed(&mut keys, b"ls\n"), (b"ls\n".to_vec(), false));
        assert_eq!(typed(&mut keys, b"\x10"), (vec![], false));
        assert_eq!(typed(&mut keys, b"x"), (b"\x10x".to_vec(), false));
        assert_eq!(typed(&mut keys, b"\x10\x10\x11y"), (b"\x10".to_vec(), true));
        let mut none = DetachKeys::parse("").unwrap();
        assert_eq!(typed(&mut none, b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
