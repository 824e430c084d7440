//! Dockerfiles: bytes in, typed instructions with their places out.
//!
//! A pure document: nothing here opens a file, knows an image or prints. The language is that of
//! BuildKit's Dockerfile frontend (docs.docker.com/reference/dockerfile); where the grammar is not
//! written down, its parser's behaviour counts.

#![forbid(unsafe_code)]

mod directive;
mod error;
mod expand;
mod lint;
mod mount;
mod span;
mod tree;

pub(crate) use directive::{Check, Directives};
pub(crate) use error::{ParseError, similar};
pub(crate) use expand::{
    ExpandError, Expansion, expand, expand_document, expand_known, expand_words,
};
pub(crate) use lint::{LintOptions, Warning, lint};
pub(crate) use mount::{Mount, MountKind, MountSpec, Sharing};
pub(crate) use span::{Span, Word, excerpt};
pub(crate) use tree::{
    Add, Command, Copy, Document, Healthcheck, Heredoc, Instruction, Kind, Run, Script, Stage,
};

/// A whole Dockerfile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dockerfile {
    /// The file's name as errors cite it.
    pub(crate) name: String,
    /// Its lines, for excerpts.
    pub(crate) lines: Vec<String>,
    /// Its directives.
    pub(crate) directives: Directives,
    /// The `ARG` instructions in front of the first `FROM`.
    pub(crate) args: Vec<Instruction>,
    /// Its stages, at least one.
    pub(crate) stages: Vec<Stage>,
    /// What reading it already showed to be doubtful; `lint` gives all.
    pub(super) notes: Vec<Warning>,
}

impl Dockerfile {
    /// The lines around a place, marked.
    pub(crate) fn excerpt(&self, span: Span) -> String {
        excerpt(&self.name, &self.lines, span)
    }
}

/// Reads a whole Dockerfile; `name` is what errors call it.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &[u8], name: &str) -> Result<Dockerfile, ParseError> {
    let _ = text;
    Err(ParseError::at(Span::default(), "not read").inside(name, &[]))
}

/// Reads an instruction that an image kept for later (`ONBUILD`).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_trigger(text: &str) -> Result<Instruction, ParseError> {
    Err(ParseError::at(Span::default(), text))
}
