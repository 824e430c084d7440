//! Pipelines: the expressions inside an action.

use super::function;
use super::lex::Kind as Token;
use super::literal;
use super::node::{Expression, Kind, Pipe};
use super::parse::{Parsed, Parser};

impl Parser<'_> {
    /// `declarations? command | command`, up to `end`, which is consumed.
    pub(super) fn pipeline(&mut self, context: &str, end: Token) -> Parsed<Pipe> {
        let position = self.peek_word().position;
        let mut pipe = Pipe {
            position,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let item = self.next_word();
            match item.kind {
                kind if kind == end => break,
                Token::Bool
                | Token::CharConstant
                | Token::Complex
                | Token::Dot
                | Token::Field
                | Token::Identifier
                | Token::Number
                | Token::Nil
                | Token::RawString
                | Token::String
                | Token::Variable
                | Token::LeftParenthesis => {
                    self.at -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&item, context),
            }
        }
        self.check(&pipe, context)?;
        Ok(pipe)
    }

    /// `$x :=`, `$x =` or, in a range, `$k, $v :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_word();
            if variable.kind != Token::Variable {
                return Ok(());
            }
            let back = self.at;
            self.next();
            let next = self.peek_word();
            match next.kind {
                Token::Assign | Token::Declare => {
                    pipe.assigns = next.kind == Token::Assign;
                    self.next();
                    pipe.variables.push(variable.text.clone());
                    self.variables.push(variable.text);
                    return Ok(());
                }
                Token::Char if next.text == "," => {
                    self.next();
                    pipe.variables.push(variable.text.clone());
                    self.variables.push(variable.text);
                    if context != "range" || pipe.variables.len() >= 2 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    let second = self.peek_word().kind;
                    if !matches!(
                        second,
                        Token::Variable | Token::RightDelimiter | Token::RightParenthesis
                    ) {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ => {
                    self.at = back;
                    return Ok(());
                }
            }
        }
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if command.first().is_some_and(is_constant) {
                let stage = stage + 1;
                return self.fail(format!("non executable command in pipeline stage {stage}"));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Vec<Expression>> {
        let mut words = Vec::new();
        loop {
            self.skip_spaces();
            words.extend(self.operand()?);
            let item = self.next();
            match item.kind {
                Token::Space => {}
                Token::RightDelimiter | Token::RightParenthesis => {
                    self.at -= 1;
                    break;
                }
                Token::Pipe => break,
                _ => return self.unexpected(&item, "operand"),
            }
        }
        if words.is_empty() {
            return self.fail("empty command");
        }
        Ok(words)
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Parsed<Option<Expression>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Token::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Token::Field {
            fields.push(self.next().text[1..].to_owned());
        }
        let kind = match term.kind {
            Kind::Field(mut own) => {
                own.extend(fields);
                Kind::Field(own)
            }
            Kind::Variable(mut own) => {
                own.extend(fields);
                Kind::Variable(own)
            }
            _ if is_constant(&term) => {
                let term = super::print::quoted(&term.to_string());
                return self.fail(format!("unexpected . after term {term}"));
            }
            _ => Kind::Chain(Box::new(term), fields),
        };
        Ok(Some(Expression {
            position: first.position,
            kind,
        }))
    }

    fn term(&mut self) -> Parsed<Option<Expression>> {
        let item = self.next_word();
        let kind = match item.kind {
            Token::Identifier => {
                if function::find(&item.text).is_none() {
                    let name = super::print::quoted(&item.text);
                    return self.fail(format!("function {name} not defined"));
                }
                Kind::Identifier(item.text)
            }
            Token::Dot => Kind::Dot,
            Token::Nil => Kind::Nil,
            Token::Variable => {
                if !self.variables.contains(&item.text) {
                    let name = super::print::quoted(&item.text);
                    return self.fail(format!("undefined variable {name}"));
                }
                Kind::Variable(vec![item.text])
            }
            Token::Field => Kind::Field(vec![item.text[1..].to_owned()]),
            Token::Bool => Kind::Bool(item.text == "true"),
            Token::CharConstant | Token::Complex | Token::Number => {
                match literal::number(&item.text) {
                    Ok(number) => Kind::Number(number),
                    Err(message) => return self.fail(message),
                }
            }
            Token::LeftParenthesis => {
                Kind::Pipe(self.pipeline("parenthesized pipeline", Token::RightParenthesis)?)
            }
            Token::String | Token::RawString => {
                let text = self.unquoted(&item)?;
                Kind::Text(item.text, text)
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Expression {
            position: item.position,
            kind,
        }))
    }
}

fn is_constant(word: &Expression) -> bool {
    matches!(
        word.kind,
        Kind::Bool(_) | Kind::Text(..) | Kind::Number(_) | Kind::Nil | Kind::Dot
    )
}
