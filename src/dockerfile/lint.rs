//! What is allowed and yet probably not meant.

use super::span::Span;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    /// The rule's name: `StageNameCasing`.
    pub(crate) rule: &'static str,
    /// What the rule says in general.
    pub(crate) description: &'static str,
    /// Where it is explained.
    pub(crate) url: &'static str,
    /// What is wrong here.
    pub(crate) text: String,
    /// Where.
    pub(crate) span: Span,
}

/// What a lint goes by beside the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct LintOptions {
    /// Build arguments by name.
    pub(crate) arguments: Vec<(String, String)>,
    /// The stages that are looked at; all when empty.
    pub(crate) stages: Vec<usize>,
    /// The platform built for and the one built on: `linux/amd64`.
    pub(crate) platforms: (String, String),
    /// Rules said on the command line; the file's own `# check=` when `None`.
    pub(crate) check: Option<super::Check>,
}

/// All warnings of a file, in the order of their lines.
pub(crate) fn lint(file: &super::Dockerfile, options: &LintOptions) -> Vec<Warning> {
    let _ = options;
    file.notes.clone()
}
