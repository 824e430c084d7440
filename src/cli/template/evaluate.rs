//! Running a parsed template: text/template/exec.go of Go 1.19, the walk over the nodes.

use super::expression::Final;
use super::node::{Branch, Expression, Node, Pipe, Position, command_text};
use super::parse::Tree;
use super::print;
use super::value::{Nil, Value};

/// Go's limit of nested template calls; ketch's stack is smaller than Go's, and nobody nests.
const DEPTH: usize = 1000;

/// Output beyond this is a runaway template.
const LONGEST: usize = 256 << 20;

/// What went wrong, in Go's words.
pub(super) type Evaluated<T> = Result<T, String>;

/// What is being worked on, for messages.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    Nowhere,
    Node(&'t Node),
    Pipe(&'t Pipe),
    Expression(&'t Expression),
    Command(&'t [Expression]),
}

/// How a list of nodes was left.
#[derive(PartialEq, Clone, Copy)]
enum Left {
    AtEnd,
    Break,
    Continue,
}

/// One run.
pub(super) struct Run<'t> {
    pub(super) name: &'t str,
    pub(super) text: &'t str,
    pub(super) tree: &'t Tree,
    /// docker's functions give their first argument back: a header row is made.
    pub(super) header: bool,
    pub(super) out: String,
    pub(super) variables: Vec<(&'t str, Value)>,
    pub(super) place: Place<'t>,
    /// Names of the templates being run, innermost last.
    pub(super) templates: Vec<&'t str>,
}

impl<'t> Run<'t> {
    /// Runs the template's own body on `data`.
    pub(super) fn all(&mut self, data: &Value) -> Evaluated<()> {
        self.variables.push(("$", data.clone()));
        match self.tree.bodies.get("") {
            Some(body) => self.walk(data, body).map(drop),
            None => Ok(()),
        }
    }

    /// A message with the place it is about.
    pub(super) fn fail<T>(&self, message: impl std::fmt::Display) -> Evaluated<T> {
        let (position, context): (Position, String) = match self.place {
            Place::Nowhere => return Err(format!("template: {}: {message}", self.name)),
            Place::Node(node) => written(node),
            Place::Pipe(pipe) => (pipe.position, pipe.to_string()),
            Place::Expression(word) => (word.position, word.to_string()),
            Place::Command(words) => (
                words.first().map_or(0, |word| word.position),
                command_text(words),
            ),
        };
        let before = &self.text[..position.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let inner = self.templates.last().copied().unwrap_or("");
        let running = match inner {
            "" => self.name,
            inner => inner,
        };
        Err(format!(
            "template: {}:{line}:{column}: executing {} at <{context}>: {message}",
            self.name,
            print::quoted(running)
        ))
    }

    fn walk(&mut self, dot: &Value, nodes: &'t [Node]) -> Evaluated<Left> {
        for node in nodes {
            let left = self.one(dot, node)?;
            if left != Left::AtEnd {
                return Ok(left);
            }
        }
        Ok(Left::AtEnd)
    }

    fn one(&mut self, dot: &Value, node: &'t Node) -> Evaluated<Left> {
        self.place = Place::Node(node);
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Action(_, pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.place = Place::Node(node);
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.branch(dot, branch, false),
            Node::With(branch) => return self.branch(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template(_, name, pipe) => self.template(dot, node, name, pipe.as_ref())?,
            Node::Break => return Ok(Left::Break),
            Node::Continue => return Ok(Left::Continue),
        }
        Ok(Left::AtEnd)
    }

    fn write(&mut self, text: &str) -> Evaluated<()> {
        self.out.push_str(text);
        match self.out.len() > LONGEST {
            true => self.fail("the output is too long"),
            false => Ok(()),
        }
    }

    fn print(&mut self, value: &Value) -> Evaluated<()> {
        match value {
            Value::Absent | Value::Nil(Nil::Any) => self.write("<no value>"),
            Value::Function(_) => {
                let context = match self.place {
                    Place::Node(node) => written(node).1,
                    _ => String::new(),
                };
                self.fail(format!("can't print {context} of type func"))
            }
            value => self.write(&print::plain(value)),
        }
    }

    fn branch(&mut self, dot: &Value, branch: &'t Branch, with: bool) -> Evaluated<Left> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let left = match (value.truth(), &branch.otherwise) {
            (true, _) => self.walk(if with { &value } else { dot }, &branch.list)?,
            (false, Some(otherwise)) => self.walk(dot, otherwise)?,
            (false, None) => Left::AtEnd,
        };
        self.variables.truncate(known);
        Ok(left)
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Evaluated<Left> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let pairs: Vec<(Value, Value)> = match &value {
            Value::List(items) => {
                let indexes = (0..).map(Value::Int);
                indexes.zip(items.iter().cloned()).collect()
            }
            Value::Map(map) => map
                .iter()
                .map(|(key, value)| (Value::text(key), value.clone()))
                .collect(),
            Value::Absent | Value::Nil(_) => Vec::new(),
            other => {
                let shown = print::plain(other);
                return self.fail(format!("range can't iterate over {shown}"));
            }
        };
        let mut left = Left::AtEnd;
        if pairs.is_empty()
            && let Some(otherwise) = &branch.otherwise
        {
            left = self.walk(dot, otherwise)?;
        }
        let inside = self.variables.len();
        for (index, element) in pairs {
            let count = branch.pipe.variables.len();
            if count > 0 {
                self.set_from_top(1, element.clone());
            }
            if count > 1 {
                self.set_from_top(2, index);
            }
            let left = self.walk(&element, &branch.list)?;
            self.variables.truncate(inside);
            if left == Left::Break {
                break;
            }
        }
        self.variables.truncate(known);
        Ok(left)
    }

    fn set_from_top(&mut self, back: usize, value: Value) {
        let at = self.variables.len().checked_sub(back);
        if let Some(slot) = at.and_then(|at| self.variables.get_mut(at)) {
            slot.1 = value;
        }
    }

    fn template(
        &mut self,
        dot: &Value,
        node: &'t Node,
        name: &'t str,
        pipe: Option<&'t Pipe>,
    ) -> Evaluated<()> {
        self.place = Place::Node(node);
        let Some(body) = self.tree.bodies.get(name) else {
            let name = print::quoted(name);
            return self.fail(format!("template {name} not defined"));
        };
        if self.templates.len() >= DEPTH {
            return self.fail(format!("exceeded maximum template depth ({DEPTH})"));
        }
        let data = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Absent,
        };
        // A called template sees no variable of its caller.
        let outer = std::mem::replace(&mut self.variables, vec![("$", data.clone())]);
        self.templates.push(name);
        self.walk(&data, body)?;
        self.templates.pop();
        self.variables = outer;
        Ok(())
    }

    /// The value of a pipeline; its variables stay until the end of the block around it.
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Evaluated<Value> {
        self.place = Place::Pipe(pipe);
        let mut last = Final(None);
        for command in &pipe.commands {
            let value = match self.command(dot, command, &last)? {
                // Go looks through the empty interface here.
                Value::Nil(Nil::Any) => Value::Absent,
                value => value,
            };
            last = Final(Some(value));
        }
        let value = last.0.unwrap_or(Value::Absent);
        for name in &pipe.variables {
            match pipe.assigns {
                true => self.assign(name, value.clone())?,
                false => self.variables.push((name, value.clone())),
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: Value) -> Evaluated<()> {
        let mut known = self.variables.iter_mut().rev();
        match known.find(|(known, _)| *known == name) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }
}

/// Position and source of a node.
fn written(node: &Node) -> (Position, String) {
    match node {
        Node::Action(position, pipe) => (*position, format!("{{{{{pipe}}}}}")),
        Node::Template(position, name, pipe) => {
            let name = print::quoted(name);
            let pipe = pipe
                .as_ref()
                .map(|pipe| format!(" {pipe}"))
                .unwrap_or_default();
            (*position, format!("{{{{template {name}{pipe}}}}}"))
        }
        Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
            (branch.pipe.position, branch.pipe.to_string())
        }
        Node::Text(_) | Node::Break | Node::Continue => (0, String::new()),
    }
}
