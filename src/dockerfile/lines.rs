//! Lines as instructions: comments dropped, continuations joined, each letter's place kept.

use std::ops::Range;

use super::span::{Span, Word};

/// One instruction's line, joined.
#[derive(Debug, Clone, Default)]
pub(super) struct Logical {
    /// The text, continuations joined, comment lines left out.
    pub(super) text: String,
    /// Where its pieces stand: offset in `text`, line, column of the first letter.
    marks: Vec<(usize, u32, u32)>,
    /// First line, from 1.
    pub(super) first: u32,
    /// Last line.
    pub(super) last: u32,
    /// The comment lines above, trimmed.
    pub(super) comments: Vec<String>,
    /// Whether an empty line stands inside a continuation.
    pub(super) empty: bool,
}

impl Logical {
    /// Its lines as a place.
    pub(super) fn span(&self) -> Span {
        Span::lines(self.first, self.last)
    }

    /// The place of a range of `text`; what lies behind the first line's end is not counted.
    pub(super) fn place(&self, range: &Range<usize>) -> Span {
        let behind = self.marks.partition_point(|(at, _, _)| *at <= range.start);
        let Some((at, line, column)) = behind.checked_sub(1).map(|index| self.marks[index]) else {
            return self.span();
        };
        let stop = self
            .marks
            .get(behind)
            .map_or(self.text.len(), |mark| mark.0);
        let count = |range: Range<usize>| {
            let text = self.text.get(range).unwrap_or_default();
            u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
        };
        Span {
            line,
            end: line,
            column: column.saturating_add(count(at..range.start)),
            width: count(range.start..range.end.min(stop)),
        }
    }

    /// A word that stands at a range of `text`.
    pub(super) fn word(&self, range: Range<usize>) -> Word {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        Word::new(raw, self.place(&range))
    }

    fn add(&mut self, piece: &str, line: u32, column: u32) {
        self.marks.push((self.text.len(), line, column));
        self.text.push_str(piece);
    }
}

/// The lines of a file with a place to read on.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `text`, each with its line end.
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        Lines {
            lines: text.split_inclusive('\n').collect(),
            at: 0,
        }
    }

    /// All lines without their ends.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a str> {
        self.lines.iter().map(|line| trim_end(line))
    }

    /// The next line as it is; moves on.
    pub(super) fn raw(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied();
        self.at += usize::from(line.is_some());
        line
    }

    /// Goes on behind this many lines of the file.
    pub(super) fn skip_to(&mut self, count: usize) {
        self.at = count;
    }

    /// The number of the last line read, from 1.
    pub(super) fn number(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    /// The next instruction's line; `None` at the end.
    pub(super) fn logical(&mut self, escape: char) -> Option<Logical> {
        let mut logical = Logical::default();
        loop {
            let whole = trim_end(self.raw()?);
            let line = whole.trim_start();
            if let Some(comment) = line.strip_prefix('#') {
                match comment.trim() {
                    "" => logical.comments.clear(),
                    comment => logical.comments.push(comment.to_owned()),
                }
                continue;
            }
            let (line, goes_on) = continued(line, escape);
            if line.is_empty() && !goes_on {
                continue;
            }
            logical.first = self.number();
            logical.add(line, self.number(), column(whole));
            if goes_on {
                self.rest(&mut logical, escape);
            }
            logical.last = self.number();
            return Some(logical);
        }
    }

    /// Joins the lines that follow a continuation.
    fn rest(&mut self, logical: &mut Logical, escape: char) {
        while let Some(line) = self.raw() {
            let line = trim_end(line);
            let trimmed = line.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            if trimmed.is_empty() {
                logical.empty = true;
                continue;
            }
            let (line, goes_on) = continued(line, escape);
            logical.add(line, self.number(), 1);
            if !goes_on {
                return;
            }
        }
    }
}

/// Column of the first letter that is not blank, from 1.
fn column(line: &str) -> u32 {
    let blanks = line.chars().take_while(|letter| letter.is_whitespace());
    u32::try_from(blanks.count()).unwrap_or(0).saturating_add(1)
}

/// The line without its end.
pub(super) fn trim_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The line without its continuation mark, and whether it had one: an escape at the end, maybe
/// with blanks behind it, that is not itself escaped.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let Some(before) = line.trim_end_matches([' ', '\t']).strip_suffix(escape) else {
        return (line, false);
    };
    if before.ends_with(escape) {
        (line, false)
    } else {
        (before, true)
    }
}
