//! One instruction cut into keyword, flags and the rest, before anyone knows what it means.

use std::ops::Range;

use super::error::ParseError;
use super::lines::Logical;
use super::span::{Span, Word};
use super::tree::Heredoc;
use super::words::{self, BLANKS, Piece};

/// An instruction in pieces.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// Its line.
    pub(super) line: &'a Logical,
    /// The file's escape letter.
    pub(super) escape: char,
    /// The keyword as written.
    pub(super) keyword: Word,
    /// Its flags, quotes and escapes taken off.
    pub(super) flags: Vec<Piece>,
    /// Where the rest stands in the line, without blanks around it.
    pub(super) range: Range<usize>,
    /// Its here-documents.
    pub(super) heredocs: Vec<Heredoc>,
}

impl<'a> Request<'a> {
    /// Cuts the instruction at a range of its line.
    pub(super) fn cut(line: &'a Logical, range: Range<usize>, escape: char) -> Request<'a> {
        let text = &line.text;
        let range = trimmed(text, range);
        let word = text[range.clone()].find(BLANKS).unwrap_or(range.len());
        let keyword = range.start..range.start + word;
        let (flags, rest) = words::flags(text, keyword.end..range.end, escape);
        Request {
            line,
            escape,
            keyword: line.word(keyword),
            flags,
            range: trimmed(text, rest),
            heredocs: Vec::new(),
        }
    }

    /// The keyword in upper case.
    pub(super) fn name(&self) -> String {
        self.keyword.raw.to_ascii_uppercase()
    }

    /// What follows keyword and flags.
    pub(super) fn rest(&self) -> &'a str {
        &self.line.text[self.range.clone()]
    }

    /// The rest as one word.
    pub(super) fn whole(&self) -> Word {
        self.line.word(self.range.clone())
    }

    /// A piece of the line as a word.
    pub(super) fn word(&self, piece: &Piece) -> Word {
        Word::new(piece.text.clone(), self.line.place(&piece.range))
    }

    /// The words between blanks.
    pub(super) fn words(&self) -> Vec<Word> {
        words::at_blanks(&self.line.text, self.range.clone())
            .iter()
            .map(|piece| self.word(piece))
            .collect()
    }

    /// The words outside quotes.
    pub(super) fn quoted(&self) -> Vec<Piece> {
        words::by_quotes(&self.line.text, self.range.clone(), self.escape)
    }

    /// The rest as a JSON array.
    ///
    /// # Errors
    /// For an array of other things than strings.
    pub(super) fn json(&self) -> Result<Option<Vec<String>>, ParseError> {
        words::json(self.rest()).map_err(|why| self.wrong(&self.range, why))
    }

    /// The rest as a JSON array, else as words between blanks.
    ///
    /// # Errors
    /// As `json`.
    pub(super) fn list(&self) -> Result<Vec<Word>, ParseError> {
        let place = self.line.place(&self.range);
        Ok(match self.json()? {
            Some(list) => list.into_iter().map(|raw| Word::new(raw, place)).collect(),
            None => self.words(),
        })
    }

    /// An error at a range of the line.
    pub(super) fn wrong(&self, range: &Range<usize>, why: impl Into<String>) -> ParseError {
        ParseError::at(self.line.place(range), why)
    }

    /// An error at the keyword.
    pub(super) fn refused(&self, why: impl Into<String>) -> ParseError {
        ParseError::at(self.keyword.span, why)
    }

    /// The lines of the instruction.
    pub(super) fn span(&self) -> Span {
        self.line.span()
    }

    /// Whether here-documents may follow: not behind a JSON array.
    pub(super) fn takes_heredocs(&self) -> bool {
        matches!(self.name().as_str(), "RUN" | "COPY" | "ADD")
            && !matches!(words::json(self.rest()), Ok(Some(_)))
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let start = range.start + piece.len() - piece.trim_start().len();
    start..start + piece.trim().len()
}
