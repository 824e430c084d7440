//! The scanner: text/template/parse/lex.go of Go 1.19, run to the end before parsing.

/// A piece of the template.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) position: usize,
    pub(super) text: String,
    /// Line it begins on, from 1.
    pub(super) line: usize,
}

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Dot,
    Nil,
    /// `if`, `range` and the others.
    Keyword,
}

const KEYWORDS: [&str; 10] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::End => f.write_str("EOF"),
            Kind::Error => f.write_str(&self.text),
            Kind::Keyword | Kind::Dot | Kind::Nil => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let kept: String = self.text.chars().take(10).collect();
                write!(f, "{}...", super::print::quoted(&kept))
            }
            _ => f.write_str(&super::print::quoted(&self.text)),
        }
    }
}

/// Splits a template; the last token is the end or an error.
pub(super) fn scan(input: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        input,
        at: 0,
        start: 0,
        depth: 0,
        tokens: Vec::new(),
        counted: 0,
        line: 1,
    };
    if let Err(message) = scanner.text() {
        scanner.emit(Kind::Error);
        if let Some(last) = scanner.tokens.last_mut() {
            last.text = message;
        }
    }
    scanner.tokens
}

struct Scanner<'t> {
    input: &'t str,
    at: usize,
    start: usize,
    depth: usize,
    tokens: Vec<Token>,
    /// Lines are counted up to here.
    counted: usize,
    line: usize,
}

type Scanned<T = ()> = Result<T, String>;

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphabetic() || c.is_numeric()
}

fn left_trim(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

/// Length of a trim marker in bytes: a blank and a dash.
const TRIM: usize = 2;

fn right_trim(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next().is_some_and(is_space) && chars.next() == Some('-')
}

fn unicode(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.input[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, set: &str) -> bool {
        let fits = self.peek().is_some_and(|c| set.contains(c));
        if fits {
            self.next();
        }
        fits
    }

    fn run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn emit(&mut self, kind: Kind) {
        let new = &self.input.as_bytes()[self.counted..self.start];
        self.line += new.iter().filter(|byte| **byte == b'\n').count();
        self.counted = self.start;
        self.tokens.push(Token {
            kind,
            position: self.start,
            text: self.input[self.start..self.at].to_owned(),
            line: self.line,
        });
        self.start = self.at;
    }

    fn ignore(&mut self) {
        self.start = self.at;
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Text up to the end, with all actions.
    fn text(&mut self) -> Scanned {
        while let Some(found) = self.rest().find("{{") {
            let delimiter = self.at + found;
            self.at = delimiter;
            if left_trim(&self.input[delimiter + 2..]) {
                let text = &self.input[self.start..delimiter];
                self.at = self.start + text.trim_end_matches(is_space).len();
            }
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            self.at = delimiter;
            self.ignore();
            self.action()?;
        }
        self.at = self.input.len();
        if self.at > self.start {
            self.emit(Kind::Text);
        }
        self.emit(Kind::End);
        Ok(())
    }

    fn action(&mut self) -> Scanned {
        self.at += 2;
        let marker = if left_trim(self.rest()) { TRIM } else { 0 };
        if self.input[self.at + marker..].starts_with("/*") {
            self.at += marker;
            self.ignore();
            return self.comment();
        }
        self.emit(Kind::LeftDelimiter);
        self.at += marker;
        self.ignore();
        self.depth = 0;
        while !self.inside()? {}
        Ok(())
    }

    /// Whether the action ends here, and whether text after it is trimmed.
    fn at_right(&self) -> Option<bool> {
        let rest = self.rest();
        if right_trim(rest) && rest[TRIM..].starts_with("}}") {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    fn comment(&mut self) -> Scanned {
        self.at += 2;
        let Some(end) = self.rest().find("*/") else {
            return Err("unclosed comment".to_owned());
        };
        self.at += end + 2;
        let Some(trim) = self.at_right() else {
            return Err("comment ends before closing delimiter".to_owned());
        };
        self.at += if trim { TRIM + 2 } else { 2 };
        if trim {
            self.skip_spaces();
        }
        self.ignore();
        Ok(())
    }

    fn right(&mut self, trim: bool) {
        if trim {
            self.at += TRIM;
            self.ignore();
        }
        self.at += 2;
        self.emit(Kind::RightDelimiter);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
    }

    /// One token inside an action; true after its end.
    fn inside(&mut self) -> Scanned<bool> {
        if let Some(trim) = self.at_right() {
            if self.depth > 0 {
                return Err("unclosed left paren".to_owned());
            }
            self.right(trim);
            return Ok(true);
        }
        let Some(c) = self.next() else {
            return Err("unclosed action".to_owned());
        };
        match c {
            c if is_space(c) => return Ok(self.space()),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if !self.accept("=") {
                    self.next();
                    return Err("expected :=".to_owned());
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '`' => self.raw()?,
            '$' => self.name(Kind::Variable)?,
            '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => self.name(Kind::Field)?,
            '.' | '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()?;
            }
            c if is_word(c) => self.identifier()?,
            '(' => {
                self.emit(Kind::LeftParenthesis);
                self.depth += 1;
            }
            ')' => {
                self.emit(Kind::RightParenthesis);
                if self.depth == 0 {
                    return Err(format!("unexpected right paren {}", unicode(c)));
                }
                self.depth -= 1;
            }
            c if c.is_ascii_graphic() => self.emit(Kind::Char),
            c => return Err(format!("unrecognized character in action: {}", unicode(c))),
        }
        Ok(false)
    }

    /// A run of blanks, whose last one may belong to a trimming delimiter; true after that.
    fn space(&mut self) -> bool {
        self.skip_spaces();
        let last = &self.input[self.at - 1..];
        if right_trim(last) && last[TRIM..].starts_with("}}") {
            self.at -= 1;
            if self.at == self.start {
                self.right(true);
                return true;
            }
        }
        self.emit(Kind::Space);
        false
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with("}}"),
        }
    }

    fn terminated(&self) -> Scanned {
        match (self.at_terminator(), self.peek()) {
            (false, Some(c)) => Err(format!("bad character {}", unicode(c))),
            _ => Ok(()),
        }
    }

    /// `.Field` or `$variable`, whose first character is past.
    fn name(&mut self, kind: Kind) -> Scanned {
        if self.at_terminator() {
            let alone = if kind == Kind::Field { Kind::Dot } else { kind };
            self.emit(alone);
            return Ok(());
        }
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        self.terminated()?;
        self.emit(kind);
        Ok(())
    }

    fn identifier(&mut self) -> Scanned {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        self.terminated()?;
        self.emit(match &self.input[self.start..self.at] {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Identifier,
        });
        Ok(())
    }

    fn quoted(&mut self, end: char, kind: Kind, unterminated: &str) -> Scanned {
        loop {
            match self.next() {
                None | Some('\n') => return Err(unterminated.to_owned()),
                Some('\\') if matches!(self.next(), None | Some('\n')) => {
                    return Err(unterminated.to_owned());
                }
                Some(c) if c == end => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw(&mut self) -> Scanned {
        let Some(end) = self.rest().find('`') else {
            return Err("unterminated raw quoted string".to_owned());
        };
        self.at += end + 1;
        self.emit(Kind::RawString);
        Ok(())
    }

    fn number(&mut self) -> Scanned {
        let bad = |scanner: &Self| {
            let text = &scanner.input[scanner.start..scanner.at];
            Err(format!("bad number syntax: {}", super::print::quoted(text)))
        };
        if !self.digits() {
            return bad(self);
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.digits() || !self.input[..self.at].ends_with('i') {
                return bad(self);
            }
            self.emit(Kind::Complex);
        } else {
            self.emit(Kind::Number);
        }
        Ok(())
    }

    fn digits(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEXADECIMAL;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.run(digits);
        if self.accept(".") {
            self.run(digits);
        }
        let exponent = match digits {
            DECIMAL => "eE",
            HEXADECIMAL => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.next();
            return false;
        }
        true
    }
}
