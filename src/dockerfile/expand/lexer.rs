//! Walks over a word letter by letter.

use super::super::pattern;
use super::{ExpandError, Expansion};

/// How deep substitutions may lie in each other.
const DEEPEST: usize = 64;
/// Longest result, in bytes: a variable that doubles itself in each line ends here.
const LONGEST: usize = 16 << 20;

/// How a word is read.
#[derive(Debug, Clone)]
pub(in crate::dockerfile) struct Lexer {
    /// The escape letter.
    pub(in crate::dockerfile) escape: char,
    /// Whether quotes stay in the result.
    pub(in crate::dockerfile) keep_quotes: bool,
    /// Whether escapes stay in the result.
    pub(in crate::dockerfile) keep_escapes: bool,
    /// Whether quotes are letters like others.
    pub(in crate::dockerfile) plain_quotes: bool,
    /// Whether a variable without a value stays as it is written.
    pub(in crate::dockerfile) keep_unset: bool,
}

impl Lexer {
    /// What most words are read with.
    pub(in crate::dockerfile) fn new(escape: char) -> Lexer {
        Lexer {
            escape,
            keep_quotes: false,
            keep_escapes: false,
            plain_quotes: false,
            keep_unset: false,
        }
    }

    /// Expands one word.
    pub(in crate::dockerfile) fn run(
        &self,
        raw: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Expansion, ExpandError> {
        let mut walk = Walk {
            lexer: self,
            rest: raw,
            lookup,
            depth: 0,
            used: Vec::new(),
            missing: Vec::new(),
        };
        let piece = walk
            .until(None, self.keep_escapes)
            .map_err(|why| ExpandError {
                word: raw.to_owned(),
                why,
            })?;
        Ok(Expansion {
            text: piece.text,
            words: piece.words,
            used: walk.used,
            missing: walk.missing,
        })
    }
}

/// A piece of the result: as one text and as words.
#[derive(Default)]
struct Piece {
    text: String,
    words: Vec<String>,
    word: String,
}

impl Piece {
    /// Adds a letter where a blank ends a word.
    fn letter(&mut self, letter: char) {
        self.text.push(letter);
        self.split(letter);
    }

    fn split(&mut self, letter: char) {
        if !letter.is_whitespace() {
            self.word.push(letter);
        } else if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    /// Adds text whose blanks are part of the word.
    fn whole(&mut self, text: &str) {
        self.text.push_str(text);
        self.word.push_str(text);
    }

    fn done(mut self) -> Piece {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
        self
    }
}

struct Walk<'a> {
    lexer: &'a Lexer,
    rest: &'a str,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    depth: usize,
    used: Vec<String>,
    missing: Vec<String>,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    /// Reads up to `stop`, which is consumed, or to the end when there is none.
    fn until(&mut self, stop: Option<char>, keep_escapes: bool) -> Result<Piece, String> {
        let mut piece = Piece::default();
        while let Some(letter) = self.peek() {
            if stop == Some(letter) {
                self.next();
                return Ok(piece.done());
            }
            match letter {
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|letter| piece.letter(letter));
                }
                // What begins a here-document is one word with the blanks that follow.
                '<' => {
                    let text = self.arrows();
                    piece.whole(text);
                }
                '\'' if !self.lexer.plain_quotes => {
                    let text = self.single()?;
                    piece.whole(&text);
                }
                '"' if !self.lexer.plain_quotes => {
                    let text = self.double(keep_escapes)?;
                    piece.whole(&text);
                }
                letter if letter == self.lexer.escape => {
                    self.next();
                    if keep_escapes {
                        piece.whole(letter.encode_utf8(&mut [0; 4]));
                    }
                    // An escape at the very end escapes nothing.
                    let Some(escaped) = self.next() else { break };
                    piece.whole(escaped.encode_utf8(&mut [0; 4]));
                }
                letter => {
                    self.next();
                    piece.letter(letter);
                }
            }
            if piece.text.len() > LONGEST {
                return Err(format!("the result is longer than {LONGEST} bytes"));
            }
        }
        match stop {
            Some('}') => Err("syntax error: missing '}'".to_owned()),
            Some(stop) => Err(format!("syntax error: missing '{stop}' in ${{}}")),
            None => Ok(piece.done()),
        }
    }

    fn arrows(&mut self) -> &'a str {
        let behind = match self.rest.strip_prefix("<<") {
            Some(behind) => behind.trim_start_matches(['\t', '\r', ' ']),
            None => &self.rest[1..],
        };
        let (text, rest) = self.rest.split_at(self.rest.len() - behind.len());
        self.rest = rest;
        text
    }

    fn single(&mut self) -> Result<String, String> {
        let inner = &self.rest[1..];
        let end = inner
            .find('\'')
            .ok_or("unexpected end of statement while looking for matching single-quote")?;
        let text = if self.lexer.keep_quotes {
            &self.rest[..end + 2]
        } else {
            &inner[..end]
        };
        self.rest = &inner[end + 1..];
        Ok(text.to_owned())
    }

    fn double(&mut self, keep_escapes: bool) -> Result<String, String> {
        let mut text = String::new();
        if self.lexer.keep_quotes {
            text.push('"');
        }
        self.rest = &self.rest[1..];
        loop {
            match self.peek() {
                None => {
                    return Err(
                        "unexpected end of statement while looking for matching double-quote"
                            .to_owned(),
                    );
                }
                Some('"') => {
                    self.next();
                    if self.lexer.keep_quotes {
                        text.push('"');
                    }
                    return Ok(text);
                }
                Some('$') => text.push_str(&self.dollar()?),
                Some(letter) if letter == self.lexer.escape => {
                    self.next();
                    if keep_escapes {
                        text.push(letter);
                    }
                    match self.peek() {
                        None => {}
                        // Only these are escaped inside quotes; elsewhere the escape is a letter.
                        Some(escaped)
                            if matches!(escaped, '"' | '$') || escaped == self.lexer.escape =>
                        {
                            self.next();
                            text.push(escaped);
                        }
                        Some(_) => text.push(letter),
                    }
                }
                Some(letter) => {
                    self.next();
                    text.push(letter);
                }
            }
            if text.len() > LONGEST {
                return Err(format!("the result is longer than {LONGEST} bytes"));
            }
        }
    }

    /// `$name` or `${…}`.
    fn dollar(&mut self) -> Result<String, String> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(self
                .value(name)
                .unwrap_or_else(|| self.unset(|| format!("${name}"))));
        }
        self.next();
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("more than {DEEPEST} substitutions in each other"));
        }
        let value = self.braces();
        self.depth -= 1;
        value
    }

    fn braces(&mut self) -> Result<String, String> {
        let name = self.name();
        let first = self.next().ok_or("syntax error: missing '}'")?;
        if first == '}' {
            return Ok(self
                .value(name)
                .unwrap_or_else(|| self.unset(|| format!("${{{name}}}"))));
        }
        if first == '/' {
            return self.replaced(name);
        }
        let mut modifier = String::from(first);
        let mut sign = first;
        if first == ':' {
            sign = self.next().ok_or("syntax error: missing '}'")?;
            modifier.push(sign);
        }
        let pattern = matches!(sign, '#' | '%');
        let known = pattern || matches!(sign, '+' | '-' | '?');
        if !known || (pattern && first == ':') {
            return Err(format!("unsupported modifier ({modifier}) in substitution"));
        }
        let word = self.until(Some('}'), pattern)?.text;
        let value = self.value(name);
        if value.is_none() && self.lexer.keep_unset {
            return Ok(format!("${{{name}{modifier}{word}}}"));
        }
        let empty = first == ':' && value.as_deref() == Some("");
        match (sign, value) {
            ('-', Some(value)) if !empty => Ok(value),
            ('-', _) => Ok(word),
            ('+', Some(_)) if !empty => Ok(word),
            ('+', _) => Ok(String::new()),
            ('?', Some(value)) if !empty => Ok(value),
            ('?', value) => {
                let state = if value.is_some() { "empty" } else { "unset" };
                let told = match word.as_str() {
                    "" => format!("is not allowed to be {state}"),
                    word => word.to_owned(),
                };
                Err(format!("{name}: {told}"))
            }
            (sign, value) => {
                let value = value.unwrap_or_default();
                let (greedy, word) = match word.strip_prefix(sign) {
                    Some(rest) => (true, rest),
                    None => (false, word.as_str()),
                };
                match sign {
                    '%' => pattern::trim_suffix(word, &value, greedy),
                    _ => pattern::trim_prefix(word, &value, greedy),
                }
            }
        }
    }

    /// `${name/pattern/new}` and `${name//pattern/new}`.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let old = self.until(Some('/'), true)?.text;
        let new = self.until(Some('}'), true)?.text;
        match self.value(name) {
            None if self.lexer.keep_unset => Ok(format!("${{{name}/{old}/{new}}}")),
            value => pattern::replace(&old, &value.unwrap_or_default(), &new, all),
        }
    }

    fn unset(&self, written: impl Fn() -> String) -> String {
        if self.lexer.keep_unset {
            written()
        } else {
            String::new()
        }
    }

    /// The name of a variable: a word, digits only, or one of a shell's own letters.
    fn name(&mut self) -> &'a str {
        let end = match self.peek() {
            Some(letter) if letter.is_numeric() => self.rest.find(|c: char| !c.is_numeric()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => self.rest.find(|c: char| !c.is_alphanumeric() && c != '_'),
        };
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name);
        let list = match value {
            Some(_) => &mut self.used,
            None => &mut self.missing,
        };
        if !list.iter().any(|known| known == name) {
            list.push(name.to_owned());
        }
        value
    }
}
