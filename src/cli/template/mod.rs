//! Go's text/template, as docker and podman use it for `--format`.
//!
//! text → [`lex`] → [`parse`] → [`Template`] → [`evaluate`] over [`Value`]s. Messages are Go's,
//! since people look them up. Written here because no crate has it: gtmpl lacks `break`, methods
//! and Go's printing, gotmpl knows maps only, so that a field that does not exist could not be
//! told from a key that is not set, and `.Label "k"` has nothing to be called on.
//!
//! Left out: complex numbers, channels, and hexadecimal fractions.

mod compare;
mod escape;
mod evaluate;
mod expression;
mod function;
mod lex;
mod literal;
mod node;
mod parse;
mod pipeline;
mod print;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeSet;

use evaluate::{Place, Run};
use node::Names;
pub(crate) use value::{Function, Nil, Param, Value};

/// A template ready to run.
#[derive(Debug)]
pub(crate) struct Template {
    name: &'static str,
    text: String,
    tree: parse::Tree,
}

impl Template {
    /// Parses `text`; `name` is what messages call it, docker's is empty.
    ///
    /// # Errors
    /// Go's message: `template: :1: unclosed action`.
    pub(crate) fn parse(name: &'static str, text: &str) -> Result<Template, String> {
        Ok(Template {
            name,
            tree: parse::parse(name, text)?,
            text: text.to_owned(),
        })
    }

    /// Its text.
    pub(crate) fn source(&self) -> &str {
        &self.text
    }

    /// Every first field of a chain, such as `State` of `.State.Pid`.
    pub(crate) fn fields(&self) -> BTreeSet<&str> {
        let mut names = Names::default();
        for body in self.tree.bodies.values() {
            names.nodes(body);
        }
        names.fields
    }

    /// Whether it may look at this field: it names it, or takes all of its data.
    pub(crate) fn uses(&self, field: &str) -> bool {
        let mut names = Names::default();
        for body in self.tree.bodies.values() {
            names.nodes(body);
        }
        names.all || names.fields.contains(field)
    }

    /// Runs it on `data`.
    ///
    /// # Errors
    /// Go's message: `template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type T`.
    pub(crate) fn execute(&self, data: &Value) -> Result<String, String> {
        self.run(data, false)
    }

    /// Runs it on the names of columns: docker's functions leave them as they are.
    ///
    /// # Errors
    /// As [`execute`](Template::execute).
    pub(crate) fn header(&self, names: &Value) -> Result<String, String> {
        self.run(names, true)
    }

    fn run(&self, data: &Value, header: bool) -> Result<String, String> {
        let mut run = Run {
            name: self.name,
            text: &self.text,
            tree: &self.tree,
            header,
            out: String::new(),
            variables: Vec::new(),
            place: Place::Nowhere,
            templates: Vec::new(),
        };
        run.all(data)?;
        Ok(run.out)
    }
}
