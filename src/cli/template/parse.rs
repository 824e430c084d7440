//! The parser: text/template/parse/parse.go of Go 1.19.

use std::collections::BTreeMap;

use super::lex::{self, Kind as Token, Token as Item};
use super::literal;
use super::node::{Branch, Node};

/// A parsed text: the bodies of the template itself (the empty name) and of its `define`s.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) bodies: BTreeMap<String, Vec<Node>>,
}

pub(super) type Parsed<T> = Result<T, String>;

/// Parses `text` as the template `name`; a message in Go's words otherwise.
pub(super) fn parse(name: &str, text: &str) -> Parsed<Tree> {
    let mut parser = Parser {
        name,
        items: lex::scan(text),
        at: 0,
        furthest: 0,
        action_line: 0,
        variables: vec!["$".to_owned()],
        range_depth: 0,
        bodies: BTreeMap::new(),
    };
    parser.all()?;
    Ok(Tree {
        bodies: parser.bodies,
    })
}

/// How a list of nodes ended.
#[derive(Debug, PartialEq)]
enum Ending {
    End,
    Else,
}

enum Parts {
    Node(Node),
    Ending(Ending),
}

pub(super) struct Parser<'t> {
    name: &'t str,
    items: Vec<Item>,
    pub(super) at: usize,
    /// The furthest token looked at; Go names its line.
    furthest: usize,
    action_line: usize,
    pub(super) variables: Vec<String>,
    range_depth: usize,
    bodies: BTreeMap<String, Vec<Node>>,
}

impl Parser<'_> {
    pub(super) fn fail<T>(&self, message: impl std::fmt::Display) -> Parsed<T> {
        let line = self.items.get(self.furthest).map_or(1, |item| item.line);
        Err(format!("template: {}:{line}: {message}", self.name))
    }

    pub(super) fn peek(&mut self) -> Item {
        // The last token is the end or an error, and stays.
        let at = self.at.min(self.items.len() - 1);
        self.furthest = self.furthest.max(at);
        self.items[at].clone()
    }

    pub(super) fn next(&mut self) -> Item {
        let item = self.peek();
        self.at += 1;
        item
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.peek().kind == Token::Space {
            self.at += 1;
        }
    }

    pub(super) fn next_word(&mut self) -> Item {
        self.skip_spaces();
        self.next()
    }

    pub(super) fn peek_word(&mut self) -> Item {
        self.skip_spaces();
        self.peek()
    }

    pub(super) fn unexpected<T>(&self, item: &Item, context: &str) -> Parsed<T> {
        if item.kind != Token::Error {
            return self.fail(format!("unexpected {item} in {context}"));
        }
        let mut extra = String::new();
        if self.action_line != 0 && self.action_line != item.line {
            let place = format!("{}:{}", self.name, self.action_line);
            extra = match item.text.ends_with(" action") {
                true => format!(" started at {place}"),
                false => format!(" in action started at {place}"),
            };
        }
        self.fail(format!("{item}{extra}"))
    }

    fn expect(&mut self, kind: Token, context: &str) -> Parsed<Item> {
        let item = self.next_word();
        match item.kind == kind {
            true => Ok(item),
            false => self.unexpected(&item, context),
        }
    }

    fn all(&mut self) -> Parsed<()> {
        let mut root = Vec::new();
        while self.peek().kind != Token::End {
            if self.peek().kind == Token::LeftDelimiter {
                let back = self.at;
                self.next();
                let item = self.next_word();
                if item.kind == Token::Keyword && item.text == "define" {
                    self.definition()?;
                    continue;
                }
                self.at = back;
            }
            match self.part()? {
                Parts::Node(node) => root.push(node),
                Parts::Ending(ending) => {
                    return self.fail(format!("unexpected {}", written(&ending)));
                }
            }
        }
        self.add(String::new(), root)
    }

    /// Enters a body under its name; an empty one gives way to a full one.
    fn add(&mut self, name: String, body: Vec<Node>) -> Parsed<()> {
        let empty = |body: &[Node]| {
            let blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
            body.iter().all(blank)
        };
        match self.bodies.get(&name) {
            Some(known) if !empty(known) => match empty(&body) {
                true => Ok(()),
                false => self.fail(format!(
                    "template: multiple definition of template {}",
                    super::print::quoted(&name)
                )),
            },
            _ => {
                self.bodies.insert(name, body);
                Ok(())
            }
        }
    }

    /// A body with variables of its own, up to its end.
    fn body(&mut self, name: String, context: &str) -> Parsed<()> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let depth = std::mem::take(&mut self.range_depth);
        let (body, ending) = self.list()?;
        if ending != Ending::End {
            return self.fail(format!("unexpected {} in {context}", written(&ending)));
        }
        self.add(name, body)?;
        self.variables = outer;
        self.range_depth = depth;
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let item = self.next_word();
        let name = self.template_name(&item, CONTEXT)?;
        self.expect(Token::RightDelimiter, CONTEXT)?;
        self.body(name, CONTEXT)
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != Token::End {
            match self.part()? {
                Parts::Node(node) => nodes.push(node),
                Parts::Ending(ending) => return Ok((nodes, ending)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn part(&mut self) -> Parsed<Parts> {
        let item = self.next_word();
        match item.kind {
            Token::Text => Ok(Parts::Node(Node::Text(item.text))),
            Token::LeftDelimiter => {
                self.action_line = item.line;
                let parts = self.action()?;
                self.action_line = 0;
                Ok(parts)
            }
            _ => self.unexpected(&item, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Parts> {
        let item = self.peek_word();
        if item.kind == Token::Keyword {
            self.next();
            return self.control(&item);
        }
        let pipe = self.pipeline("command", Token::RightDelimiter)?;
        Ok(Parts::Node(Node::Action(item.position, pipe)))
    }

    fn control(&mut self, item: &Item) -> Parsed<Parts> {
        Ok(Parts::Node(match item.text.as_str() {
            "block" => self.block()?,
            word @ ("break" | "continue") => {
                let end = self.next_word();
                if end.kind != Token::RightDelimiter {
                    return self.unexpected(&end, &format!("{{{{{word}}}}}"));
                }
                if self.range_depth == 0 {
                    return self.fail(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                match word {
                    "break" => Node::Break,
                    _ => Node::Continue,
                }
            }
            "else" => {
                let next = self.peek_word();
                if !(next.kind == Token::Keyword && next.text == "if") {
                    self.expect(Token::RightDelimiter, "else")?;
                }
                return Ok(Parts::Ending(Ending::Else));
            }
            "end" => {
                self.expect(Token::RightDelimiter, "end")?;
                return Ok(Parts::Ending(Ending::End));
            }
            "if" => Node::If(self.branch("if")?),
            "range" => Node::Range(self.branch("range")?),
            "with" => Node::With(self.branch("with")?),
            "template" => self.template()?,
            _ => {
                self.at -= 1;
                let item = self.peek();
                return self.unexpected(&item, "command");
            }
        }))
    }

    fn branch(&mut self, context: &str) -> Parsed<Branch> {
        let known = self.variables.len();
        let pipe = self.pipeline(context, Token::RightDelimiter)?;
        let inside = usize::from(context == "range");
        self.range_depth += inside;
        let (list, ending) = self.list()?;
        self.range_depth -= inside;
        let mut otherwise = None;
        if ending == Ending::Else {
            let next = self.peek();
            if context == "if" && next.kind == Token::Keyword && next.text == "if" {
                // `{{else if}}` shares the end of its outer `if`.
                self.next();
                otherwise = Some(vec![Node::If(self.branch("if")?)]);
            } else {
                let (nodes, ending) = self.list()?;
                if ending != Ending::End {
                    let found = written(&ending);
                    return self.fail(format!("expected end; found {found}"));
                }
                otherwise = Some(nodes);
            }
        }
        self.variables.truncate(known);
        Ok(Branch {
            pipe,
            list,
            otherwise,
        })
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let item = self.next_word();
        let name = self.template_name(&item, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Token::RightDelimiter)?;
        self.body(name.clone(), CONTEXT)?;
        Ok(Node::Template(item.position, name, Some(pipe)))
    }

    fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let item = self.next_word();
        let name = self.template_name(&item, CONTEXT)?;
        if self.peek_word().kind == Token::RightDelimiter {
            self.next();
            return Ok(Node::Template(item.position, name, None));
        }
        let pipe = self.pipeline(CONTEXT, Token::RightDelimiter)?;
        Ok(Node::Template(item.position, name, Some(pipe)))
    }

    fn template_name(&mut self, item: &Item, context: &str) -> Parsed<String> {
        match item.kind {
            Token::String | Token::RawString => self.unquoted(item),
            _ => self.unexpected(item, context),
        }
    }

    pub(super) fn unquoted(&self, item: &Item) -> Parsed<String> {
        match literal::unquote(&item.text) {
            Some(text) => Ok(text),
            None => self.fail("invalid syntax"),
        }
    }
}

fn written(ending: &Ending) -> &'static str {
    match ending {
        Ending::End => "{{end}}",
        Ending::Else => "{{else}}",
    }
}
