//! Variables, quotes and escapes in a word.

mod lexer;

use std::fmt;

pub(super) use lexer::Lexer;

/// A word that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpandError {
    /// The word.
    pub(crate) word: String,
    /// What is wrong with it.
    pub(crate) why: String,
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to process {:?}: {}", self.word, self.why)
    }
}

impl std::error::Error for ExpandError {}

/// A word expanded, with the variables it named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expansion {
    /// The text.
    pub(crate) text: String,
    /// The words it splits into at unquoted blanks.
    pub(crate) words: Vec<String>,
    /// Variables used that have a value, each once, in order.
    pub(crate) used: Vec<String>,
    /// Variables used that have none, each once, in order.
    pub(crate) missing: Vec<String>,
}

/// Expands variables, quotes and escapes; `lookup` gives a variable's value.
///
/// # Errors
/// For an open quote or brace, a bad substitution, or a `${v:?word}` that is not met.
pub(crate) fn expand(
    raw: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ExpandError> {
    // Most words have nothing to expand.
    if !raw.contains(['$', '\'', '"', escape]) {
        return Ok(raw.to_owned());
    }
    Ok(expand_known(raw, escape, lookup)?.text)
}

/// Expands a word that may become several (`EXPOSE $PORTS`).
///
/// # Errors
/// As `expand`.
pub(crate) fn expand_words(
    raw: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, ExpandError> {
    Ok(expand_known(raw, escape, lookup)?.words)
}

/// Expands a word and tells which variables it used: what a cache key or a warning needs.
///
/// # Errors
/// As `expand`.
pub(crate) fn expand_known(
    raw: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, ExpandError> {
    Lexer::new(escape).run(raw, lookup)
}

/// Expands only variables in a here-document of `COPY` and `ADD`: quotes stay.
///
/// # Errors
/// As `expand`.
pub(crate) fn expand_document(
    raw: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, ExpandError> {
    let lexer = Lexer {
        plain_quotes: true,
        ..Lexer::new('\\')
    };
    lexer.run(raw, lookup)
}

#[cfg(test)]
mod tests;
