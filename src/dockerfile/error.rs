//! What is wrong with a Dockerfile, and where.

use std::fmt;

use super::span::{self, Span};

/// A Dockerfile that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParseError {
    /// What is wrong, in docker's words; no file, no line.
    pub(crate) message: String,
    /// Where; the word is underlined when it has a column.
    pub(crate) span: Span,
    /// The name most like the one that is not known.
    pub(crate) suggestion: Option<String>,
    /// The file's name.
    pub(crate) name: String,
    /// The file's lines around the place, marked; empty for a place in no file.
    pub(crate) excerpt: String,
}

impl ParseError {
    /// An error at a place; the file is set by `inside`.
    pub(super) fn at(span: Span, message: impl Into<String>) -> ParseError {
        ParseError {
            message: message.into(),
            span,
            suggestion: None,
            name: String::new(),
            excerpt: String::new(),
        }
    }

    /// Names the word that was probably meant, in the case of the one written.
    pub(super) fn suggest(mut self, word: &str, known: &[&str]) -> ParseError {
        self.suggestion = similar(word, known);
        self
    }

    /// Names the word that was probably meant; case counts.
    pub(super) fn suggest_exact(mut self, word: &str, known: &[&str]) -> ParseError {
        self.suggestion = similar_exact(word, known);
        self
    }

    /// Names the file and keeps its lines around the place.
    pub(super) fn inside(mut self, name: &str, lines: &[String]) -> ParseError {
        name.clone_into(&mut self.name);
        self.excerpt = span::excerpt(name, lines, self.span);
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span.line > 0 {
            write!(f, "dockerfile parse error on line {}: ", self.span.line)?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(word) => write!(f, " (did you mean {word}?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}

/// The known name nearest to `word`, when one is near enough to be a slip of the fingers; it comes
/// in the case of `word`.
pub(crate) fn similar(word: &str, known: &[&str]) -> Option<String> {
    let lower: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let found = similar_exact(&word.to_lowercase(), &lower)?;
    let as_known = || known.iter().find(|name| name.to_lowercase() == found);
    Some(if word == word.to_lowercase() {
        found
    } else if word == word.to_uppercase() {
        found.to_uppercase()
    } else {
        as_known().map_or(found.clone(), |name| (*name).to_owned())
    })
}

/// As `similar`, where case counts.
pub(crate) fn similar_exact(word: &str, known: &[&str]) -> Option<String> {
    // The very word is known: what is wrong is something else.
    if known.contains(&word) {
        return None;
    }
    known
        .iter()
        .map(|name| (distance(word, name), *name))
        .filter(|(steps, _)| *steps <= MOST_SLIPS)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name.to_owned())
}

/// Slips of the fingers that a suggestion forgives.
const MOST_SLIPS: usize = 2;
/// Longest word that is compared, in characters.
const LONGEST: usize = 100;

/// Insertions, deletions and replacements between two words; a far distance for long ones.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    if left.len() > LONGEST || right.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, one) in left.iter().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = corner + usize::from(one != other);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
