//! What a parsed template consists of. Each part prints as its source would, for messages.

use std::collections::BTreeSet;
use std::fmt;

/// Byte offset in the template's text.
pub(super) type Position = usize;

/// A part that leaves something in the output or steers what follows.
#[derive(Debug)]
pub(super) enum Node {
    /// Copied as it is.
    Text(String),
    /// `{{pipeline}}`.
    Action(Position, Pipe),
    /// `{{if}}`.
    If(Branch),
    /// `{{with}}`.
    With(Branch),
    /// `{{range}}`.
    Range(Branch),
    /// `{{template "name" pipeline}}`, and the call in `{{block}}`.
    Template(Position, String, Option<Pipe>),
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// `$x := command | command`.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) position: Position,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    /// Names with their dollar.
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<Vec<Expression>>,
}

/// An operand.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) position: Position,
    pub(super) kind: Kind,
}

/// Kinds of operands.
#[derive(Debug)]
pub(super) enum Kind {
    Dot,
    Nil,
    /// `.A.B`.
    Field(Vec<String>),
    /// `$x.A.B`, the dollar kept.
    Variable(Vec<String>),
    /// A function's name.
    Identifier(String),
    /// `(pipeline).A.B`.
    Chain(Box<Expression>, Vec<String>),
    Bool(bool),
    Number(Number),
    /// As written, and what it means.
    Text(String, String),
    /// `(pipeline)`.
    Pipe(Pipe),
}

/// A number under every type that can hold it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub(super) text: String,
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    /// Too large for an int, but not for a uint.
    pub(super) uint: Option<u64>,
}

fn dotted(f: &mut fmt::Formatter<'_>, fields: &[String]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(f, ".{field}"))
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Dot => f.write_str("."),
            Kind::Nil => f.write_str("nil"),
            Kind::Field(fields) => dotted(f, fields),
            Kind::Variable(names) => f.write_str(&names.join(".")),
            Kind::Identifier(name) => f.write_str(name),
            Kind::Chain(inner, fields) => {
                match &inner.kind {
                    Kind::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => write!(f, "{inner}")?,
                }
                dotted(f, fields)
            }
            Kind::Bool(truth) => write!(f, "{truth}"),
            Kind::Number(number) => f.write_str(&number.text),
            Kind::Text(quoted, _) => f.write_str(quoted),
            Kind::Pipe(pipe) => write!(f, "{pipe}"),
        }
    }
}

/// A command as written: parenthesised pipelines keep their parentheses.
pub(super) fn command_text(command: &[Expression]) -> String {
    let words: Vec<String> = command
        .iter()
        .map(|word| match &word.kind {
            Kind::Pipe(pipe) => format!("({pipe})"),
            _ => word.to_string(),
        })
        .collect();
    words.join(" ")
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} := ", self.variables.join(", "))?;
        }
        let commands: Vec<String> = self.commands.iter().map(|c| command_text(c)).collect();
        f.write_str(&commands.join(" | "))
    }
}

/// What a template looks at.
#[derive(Debug, Default)]
pub(super) struct Names<'t> {
    /// First fields of chains.
    pub(super) fields: BTreeSet<&'t str>,
    /// Whether it takes the whole of its data somewhere.
    pub(super) all: bool,
}

impl<'t> Names<'t> {
    /// Collects from nodes.
    pub(super) fn nodes(&mut self, nodes: &'t [Node]) {
        for node in nodes {
            match node {
                Node::Action(_, pipe) | Node::Template(_, _, Some(pipe)) => self.pipe(pipe),
                Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                    self.pipe(&branch.pipe);
                    self.nodes(&branch.list);
                    self.nodes(branch.otherwise.as_deref().unwrap_or(&[]));
                }
                Node::Text(_) | Node::Template(..) | Node::Break | Node::Continue => {}
            }
        }
    }

    fn pipe(&mut self, pipe: &'t Pipe) {
        for word in pipe.commands.iter().flatten() {
            self.word(word);
        }
    }

    fn word(&mut self, word: &'t Expression) {
        match &word.kind {
            Kind::Field(fields) => self.fields.extend(fields.first().map(String::as_str)),
            Kind::Variable(names) => match names.as_slice() {
                [root, field, ..] if root == "$" => drop(self.fields.insert(field)),
                [root] if root == "$" => self.all = true,
                _ => {}
            },
            Kind::Chain(inner, _) => self.word(inner),
            Kind::Pipe(pipe) => self.pipe(pipe),
            Kind::Dot => self.all = true,
            _ => {}
        }
    }
}
