//! What is allowed and yet probably not meant: the checks of BuildKit, under its names.

mod base;
mod file;
mod rule;
mod stage;
#[cfg(test)]
pub(in crate::dockerfile) mod tests;

use std::collections::BTreeSet;

use super::directive::{self, Check};
use super::span::Span;
use super::{Dockerfile, Stage};

pub(super) use base::globals;
pub(crate) use rule::Rule;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    /// The rule's name: `StageNameCasing`.
    pub(crate) rule: &'static str,
    /// What the rule says in general.
    pub(crate) description: &'static str,
    /// Where it is explained.
    pub(crate) url: String,
    /// What is wrong here.
    pub(crate) text: String,
    /// The lines of the instruction.
    pub(crate) span: Span,
}

/// What the rules need beside the file.
#[derive(Clone, Copy)]
pub(crate) struct LintOptions<'a> {
    /// Build arguments by name.
    pub(crate) arguments: &'a [(String, String)],
    /// The stages that are built; all of them when empty.
    pub(crate) stages: &'a [usize],
    /// The platform built for, `linux/amd64`.
    pub(crate) target_platform: &'a str,
    /// The platform built on.
    pub(crate) build_platform: &'a str,
    /// What silences rules, in place of the file's own `# check=`.
    pub(crate) check: Option<&'a Check>,
    /// Environment and whether a shell is set in the image that a stage starts from; `None` when
    /// the image is not known, which silences what would be a guess.
    pub(crate) base: &'a dyn Fn(&Stage, &str) -> Option<Base>,
    /// Whether a text can be the name of an image.
    pub(crate) is_reference: &'a dyn Fn(&str) -> bool,
    /// Whether the ignore file leaves a path of the context out. Always false where the file has
    /// exceptions (`!`): what they bring back cannot be told from a path.
    pub(crate) is_ignored: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for LintOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LintOptions")
            .field("arguments", &self.arguments)
            .field("stages", &self.stages)
            .finish_non_exhaustive()
    }
}

/// What a rule needs of the image that a stage starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Base {
    /// Its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Whether it sets a shell of its own.
    pub(crate) shell: bool,
}

/// All warnings of a file, in the order of their lines, each once.
pub(crate) fn lint(file: &Dockerfile, options: &LintOptions<'_>) -> Vec<Warning> {
    let check = options.check.or(file.directives.check.as_ref());
    let mut report = Report {
        check: check.cloned().unwrap_or_default(),
        found: Vec::new(),
    };
    file::check(file, options, &mut report);
    stage::check(file, options, &mut report);
    let mut found = report.found;
    found.sort_by_key(|warning| warning.span.line);
    let mut seen = BTreeSet::new();
    found.retain(|one| seen.insert((one.span.line, one.rule, one.text.clone())));
    found
}

/// Where warnings are put.
struct Report {
    check: Check,
    found: Vec<Warning>,
}

impl Report {
    /// Notes a warning about an instruction unless its rule is silent: for the whole file, or by a
    /// `# check=` among the comments above the instruction.
    fn add(&mut self, rule: Rule, span: Span, comments: &[String], text: String) {
        let mut check = self.check.clone();
        let own = comments.iter().find_map(|comment| {
            let (key, value) = directive::assignment(comment)?;
            (key == "check").then(|| value.split(' ').next().unwrap_or_default())
        });
        if let Some(own) = own.and_then(|own| Check::parse(own).ok()) {
            check.merge(&own);
        }
        let named = |list: &[String]| list.iter().any(|name| name == rule.name());
        let silent = match rule.is_experimental() {
            true => !check.experimental_all && !named(&check.experimental),
            false => check.skip_all || named(&check.skip),
        };
        if !silent {
            self.found.push(Warning {
                rule: rule.name(),
                description: rule.description(),
                url: rule.url(),
                text,
                span: span.whole(),
            });
        }
    }
}
