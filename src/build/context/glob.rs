//! Patterns of one path: Go's `filepath.Match`, and `**`.
//!
//! Paths are bytes, `/` between the parts, none in front. A name that is not UTF-8 is matched byte
//! by byte.

use crate::common::{Error, Result};

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This byte.
    Byte(u8),
    /// `?`: one character but `/`.
    One,
    /// `*`: any number of bytes but `/`.
    Star,
    /// The beginning of `**` with something behind: nothing, or the next token.
    DeepStart,
    /// Any bytes up to some `/`.
    Deep,
    /// `**` at the end: anything.
    Rest,
    /// `[…]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern made ready.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    tokens: Vec<Token>,
    /// Bytes in front of the first wildcard, and behind the last one.
    prefix: Vec<u8>,
    suffix: Vec<u8>,
}

impl Glob {
    /// Reads a pattern in the language of Go's `filepath.Match`, in which `*` is never more than
    /// one part of a path.
    ///
    /// # Errors
    /// `Usage` for what Go calls a syntax error in pattern.
    pub(crate) fn new(pattern: &[u8]) -> Result<Glob> {
        Glob::compile(pattern, false)
    }

    /// As [`new`](Glob::new); with `deep`, `**` is any number of parts.
    pub(super) fn compile(pattern: &[u8], deep: bool) -> Result<Glob> {
        let tokens = tokens(pattern, deep)?;
        let bytes = |tokens: &mut dyn Iterator<Item = &Token>| -> Vec<u8> {
            tokens
                .map_while(|token| match token {
                    Token::Byte(byte) => Some(*byte),
                    _ => None,
                })
                .collect()
        };
        let prefix = bytes(&mut tokens.iter());
        let mut suffix = bytes(&mut tokens.iter().rev());
        suffix.reverse();
        Ok(Glob {
            tokens,
            prefix,
            suffix,
        })
    }

    /// What is in front of the first wildcard.
    pub(super) fn start(&self) -> &[u8] {
        &self.prefix
    }

    /// Whether the pattern has no wildcards.
    fn is_literal(&self) -> bool {
        self.prefix.len() == self.tokens.len()
    }

    /// Whether the whole path is as the pattern says.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        if !path.starts_with(&self.prefix) || !path.ends_with(&self.suffix) {
            return false;
        }
        if self.is_literal() {
            return path.len() == self.prefix.len();
        }
        self.run(path)
    }

    /// All ways through the pattern at once: its time is the product of both lengths.
    fn run(&self, path: &[u8]) -> bool {
        let end = self.tokens.len();
        let mut now = vec![false; end + 1];
        let mut next = vec![false; end + 1];
        enter(&self.tokens, &mut now, 0);
        let mut at = 0;
        while at < path.len() {
            let (char, width) = decode(&path[at..]);
            next.fill(false);
            // A character of several bytes is one for `?` and classes only.
            for (index, _) in now.iter().enumerate().filter(|(_, reached)| **reached) {
                if index == end {
                    break;
                }
                match &self.tokens[index] {
                    Token::Byte(_) => {
                        let wanted = self.tokens[index..].iter().take(width);
                        let same = wanted
                            .zip(&path[at..at + width])
                            .filter(|(token, byte)| **token == Token::Byte(**byte))
                            .count();
                        if same == width {
                            enter(&self.tokens, &mut next, index + width);
                        }
                    }
                    Token::One if char != Some('/') => enter(&self.tokens, &mut next, index + 1),
                    Token::Star if char != Some('/') => enter(&self.tokens, &mut next, index),
                    Token::Deep | Token::Rest if char != Some('\n') => {
                        enter(&self.tokens, &mut next, index);
                        if char == Some('/') {
                            enter(&self.tokens, &mut next, index + 1);
                        }
                    }
                    Token::Class { negated, ranges } => {
                        let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
                        let among = ranges
                            .iter()
                            .any(|(low, high)| (*low..=*high).contains(&char));
                        if among != *negated {
                            enter(&self.tokens, &mut next, index + 1);
                        }
                    }
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
            at += width;
        }
        now[end]
    }
}

/// Marks a token as reached, and those behind it that may stand for nothing.
fn enter(tokens: &[Token], states: &mut [bool], index: usize) {
    if states[index] {
        return;
    }
    states[index] = true;
    match tokens.get(index) {
        Some(Token::Star | Token::Rest) => enter(tokens, states, index + 1),
        Some(Token::DeepStart) => {
            enter(tokens, states, index + 1);
            enter(tokens, states, index + 2);
        }
        _ => {}
    }
}

/// The first character and its length in bytes; `None` for a byte that begins none.
fn decode(bytes: &[u8]) -> (Option<char>, usize) {
    if bytes[0] < 0x80 {
        return (Some(char::from(bytes[0])), 1);
    }
    for width in 2..=4.min(bytes.len()) {
        if let Ok(text) = std::str::from_utf8(&bytes[..width]) {
            return (text.chars().next(), width);
        }
    }
    (None, 1)
}

fn bad(pattern: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(pattern).into_owned();
    Error::usage("read pattern", shown, "syntax error in pattern")
}

fn tokens(pattern: &[u8], deep: bool) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'*' if deep && pattern.get(at + 1) == Some(&b'*') => {
                at += 2;
                if pattern.get(at) == Some(&b'/') {
                    at += 1;
                }
                if at == pattern.len() {
                    tokens.push(Token::Rest);
                } else {
                    tokens.extend([Token::DeepStart, Token::Deep]);
                }
                continue;
            }
            b'*' => tokens.push(Token::Star),
            b'?' => tokens.push(Token::One),
            b'[' => {
                let (class, length) = class(&pattern[at + 1..]).ok_or_else(|| bad(pattern))?;
                tokens.push(class);
                at += length;
            }
            b'\\' => {
                at += 1;
                let byte = pattern.get(at).ok_or_else(|| bad(pattern))?;
                tokens.push(Token::Byte(*byte));
            }
            byte => tokens.push(Token::Byte(byte)),
        }
        at += 1;
    }
    Ok(tokens)
}

/// What is behind `[`, and its length with the `]`.
fn class(bytes: &[u8]) -> Option<(Token, usize)> {
    let negated = bytes.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if bytes.get(at) == Some(&b']') && !ranges.is_empty() {
            return Some((Token::Class { negated, ranges }, at + 1));
        }
        let low = class_char(bytes, &mut at)?;
        let mut high = low;
        if bytes.get(at) == Some(&b'-') {
            at += 1;
            high = class_char(bytes, &mut at)?;
        }
        ranges.push((low, high));
    }
}

fn class_char(bytes: &[u8], at: &mut usize) -> Option<char> {
    match bytes.get(*at)? {
        b'-' | b']' => return None,
        b'\\' => *at += 1,
        _ => {}
    }
    let (char, width) = decode(bytes.get(*at..).filter(|rest| !rest.is_empty())?);
    *at += width;
    char
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_go() {
        for (pattern, path, wanted) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[x\\-]", "-", true),
            ("*x", "xxx", true),
            ("**", "a/b", false),
            ("☺", "☺", true),
        ] {
            let glob = Glob::new(pattern.as_bytes()).unwrap();
            assert_eq!(glob.matches(path.as_bytes()), wanted, "{pattern} {path}");
        }
        for pattern in [
            "[]a]", "[-]", "[x-]", "[-x]", "[", "[^", "[^bc", "a[", "\\", "[a-b-c]",
        ] {
            assert!(Glob::new(pattern.as_bytes()).is_err(), "{pattern}");
        }
    }
}
