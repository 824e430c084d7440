//! Dockerfiles: bytes in, typed instructions with their places out.
//!
//! A pure document: nothing here opens a file, knows an image or prints. The language is that of
//! BuildKit's Dockerfile frontend (docs.docker.com/reference/dockerfile); where the grammar is not
//! written down, its parser's behaviour counts.

#![forbid(unsafe_code)]

mod copying;
mod directive;
mod error;
mod expand;
mod flag;
mod health;
mod heredoc;
mod instruction;
mod lines;
mod lint;
mod mount;
mod outline;
mod pattern;
mod port;
mod reader;
mod request;
mod running;
mod span;
mod tree;
mod words;

pub(crate) use directive::{Check, Directives};
pub(crate) use error::ParseError;
pub(crate) use expand::{expand, expand_document, expand_words};
pub(crate) use lint::{Base, LintOptions, Warning, lint};
pub(crate) use mount::{Mount, MountKind, MountSpec, Sharing};
pub(crate) use outline::{Argument, Target, find, outline, reachable, targets};
pub(crate) use port::ports;
pub(crate) use reader::{MAX_DOCKERFILE, MAX_INSTRUCTIONS, parse, parse_change, parse_trigger};
pub(crate) use span::{Span, Word, excerpt};
pub(crate) use tree::{Add, Command, Document, Healthcheck, Instruction, Kind, Run, Stage};

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
    /// Lines of instructions with an empty line inside a continuation.
    pub(crate) gaps: Vec<u32>,
}

impl Dockerfile {
    /// The lines around a place, marked.
    pub(crate) fn excerpt(&self, span: Span) -> String {
        excerpt(&self.name, &self.lines, span)
    }
}

#[cfg(test)]
mod tests;
