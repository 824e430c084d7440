//! Variables, quotes and escapes in a word.

use std::fmt;

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
    /// Variables used that have a value, in order.
    pub(crate) used: Vec<String>,
    /// Variables used that have none, in order.
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
    let _ = (escape, lookup);
    Err(ExpandError {
        word: raw.to_owned(),
        why: String::new(),
    })
}

/// Expands only variables in a here-document of `COPY` and `ADD`: quotes stay.
///
/// # Errors
/// As `expand`.
pub(crate) fn expand_document(
    raw: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ExpandError> {
    let _ = lookup;
    Err(ExpandError {
        word: raw.to_owned(),
        why: String::new(),
    })
}
