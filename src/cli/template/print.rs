//! Go's `fmt`: values by default, and `Printf`'s verbs.

use std::rc::Rc;

use super::value::{Nil, Value};

mod number;

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `Sprint`: blanks only between operands of which neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    for (index, value) in values.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| values.get(before));
        if before.is_some_and(|before| !is_text(before) && !is_text(value)) {
            out.push(' ');
        }
        out.push_str(&plain(value));
    }
    out
}

/// `Sprintln`: blanks between all, and a newline.
pub(super) fn sprintln(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(plain).collect();
    words.join(" ") + "\n"
}

/// `%v`.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        value => show(value, 'v', Flags::default()),
    }
}

/// `%q` of a string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        quote_into(&mut out, c, '"');
    }
    out.push('"');
    out
}

fn quote_into(out: &mut String, c: char, quote: char) {
    let escaped = match c {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        '\\' => "\\\\",
        c if c == quote => {
            out.push('\\');
            return out.push(c);
        }
        c if is_printable(c) => return out.push(c),
        c if u32::from(c) < 0x80 => return out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if u32::from(c) > 0xffff => return out.push_str(&format!("\\U{:08x}", u32::from(c))),
        c => return out.push_str(&format!("\\u{:04x}", u32::from(c))),
    };
    out.push_str(escaped);
}

/// Nearly Go's `unicode.IsPrint`: no controls, no blanks but the ASCII one, nothing unassigned
/// that Rust's own escaping knows of.
pub(super) fn is_printable(c: char) -> bool {
    c == ' '
        || !c.is_control() && !c.is_whitespace() && c.escape_debug().next() != Some('\\')
        || matches!(c, '"' | '\'' | '\\')
}

/// One value under a verb.
fn show(value: &Value, verb: char, flags: Flags) -> String {
    if verb == 'T' {
        let name = match value {
            Value::Nil(Nil::Any) => "<nil>".to_owned(),
            value => value.type_name(),
        };
        return pad(&name, flags);
    }
    let sharp = flags.sharp && verb == 'v';
    let shown = match value {
        Value::Absent | Value::Nil(Nil::Any | Nil::Pointer(_)) => {
            (verb == 'v').then(|| pad("<nil>", flags))
        }
        Value::Nil(Nil::List) if sharp => Some(format!("{}(nil)", value.type_name())),
        Value::Nil(Nil::List) => Some("[]".to_owned()),
        Value::Nil(Nil::Map) if sharp => Some(format!("{}(nil)", value.type_name())),
        Value::Nil(Nil::Map) => Some("map[]".to_owned()),
        Value::Bool(truth) => {
            matches!(verb, 'v' | 't').then(|| pad(if *truth { "true" } else { "false" }, flags))
        }
        Value::Int(number) => number::integer(number.unsigned_abs(), *number < 0, verb, flags),
        Value::Uint(number) if sharp => number::integer(*number, false, 'x', flags),
        Value::Uint(number) => number::integer(*number, false, verb, flags),
        Value::Float(number) => number::float(*number, verb, flags),
        Value::Text(text) => string(text, verb, flags),
        Value::List(items) => Some(list(value, items, verb, flags)),
        Value::Map(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let key = Value::text(key);
                format!("{}:{}", show(&key, verb, flags), show(value, verb, flags))
            };
            let entries: Vec<String> = map.iter().map(entry).collect();
            Some(match sharp {
                true => format!("{}{{{}}}", value.type_name(), entries.join(", ")),
                false => format!("map[{}]", entries.join(" ")),
            })
        }
        Value::Record(record) => {
            let named = verb == 'v' && (flags.plus || flags.sharp);
            let field = |(name, value): (&String, &Value)| match named {
                true => format!("{name}:{}", show(value, verb, flags)),
                false => show(value, verb, flags),
            };
            let data = record
                .fields
                .iter()
                .filter(|(_, value)| !matches!(value, Value::Function(_)));
            let fields: Vec<String> = data.map(field).collect();
            Some(match sharp {
                true => format!("{}{{{}}}", record.name, fields.join(", ")),
                false => format!("{{{}}}", fields.join(" ")),
            })
        }
        Value::Function(_) => None,
    };
    shown.unwrap_or_else(|| bad(value, verb))
}

/// `%!d(string=hi)`.
fn bad(value: &Value, verb: char) -> String {
    match value {
        Value::Absent | Value::Nil(Nil::Any) => format!("%!{verb}(<nil>)"),
        value => format!("%!{verb}({}={})", value.type_name(), plain(value)),
    }
}

fn list(value: &Value, items: &[Value], verb: char, flags: Flags) -> String {
    let words: Vec<String> = items.iter().map(|item| show(item, verb, flags)).collect();
    match flags.sharp && verb == 'v' {
        true => format!("{}{{{}}}", value.type_name(), words.join(", ")),
        false => format!("[{}]", words.join(" ")),
    }
}

fn string(text: &str, verb: char, flags: Flags) -> Option<String> {
    let cut = || -> String {
        match flags.precision {
            Some(width) => text.chars().take(width).collect(),
            None => text.to_owned(),
        }
    };
    Some(match verb {
        'v' if flags.sharp => pad(&quoted(&cut()), flags),
        'v' | 's' => pad(&cut(), flags),
        'q' if flags.sharp && !text.contains('`') => pad(&format!("`{}`", cut()), flags),
        'q' => pad(&quoted(&cut()), flags),
        'x' | 'X' => pad(&hexadecimal(text, verb, flags), flags),
        _ => return None,
    })
}

fn hexadecimal(text: &str, verb: char, flags: Flags) -> String {
    let bytes = text.as_bytes();
    let kept = &bytes[..flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let mut out = String::new();
    for (index, byte) in kept.iter().enumerate() {
        if flags.space && index > 0 {
            out.push(' ');
        }
        if flags.sharp && (index == 0 || flags.space) {
            out.push('0');
            out.push(verb);
        }
        match verb {
            'x' => out.push_str(&format!("{byte:02x}")),
            _ => out.push_str(&format!("{byte:02X}")),
        }
    }
    out
}

/// Fills up to the width: blanks, or zeros on the left.
fn pad(text: &str, flags: Flags) -> String {
    let missing = flags
        .width
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    let fill = |c: &str| c.repeat(missing);
    match (flags.minus, flags.zero) {
        (true, _) => format!("{text}{}", fill(" ")),
        (false, true) => format!("{}{text}", fill("0")),
        (false, false) => format!("{}{text}", fill(" ")),
    }
}

/// `Sprintf`.
pub(super) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut state = Printer {
        rest: format.chars().collect::<Vec<char>>().into(),
        at: 0,
        values,
        next: 0,
        reordered: false,
        good_index: true,
    };
    state.run()
}

struct Printer<'v> {
    rest: Rc<[char]>,
    at: usize,
    values: &'v [Value],
    next: usize,
    reordered: bool,
    good_index: bool,
}

/// Go refuses wider fields and precisions.
const TOO_LARGE: usize = 1_000_000;

impl Printer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn run(&mut self) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '%' => self.directive(&mut out),
                c => out.push(c),
            }
        }
        if !self.reordered && self.next < self.values.len() {
            let extra = self.values[self.next..].iter().map(|value| match value {
                Value::Absent | Value::Nil(Nil::Any) => "<nil>".to_owned(),
                value => format!("{}={}", value.type_name(), plain(value)),
            });
            let extra: Vec<String> = extra.collect();
            out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
        }
        out
    }

    fn directive(&mut self, out: &mut String) {
        let mut flags = self.flags();
        self.good_index = true;
        let mut indexed = self.index();
        if self.star() {
            match self.int() {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.zero &= width >= 0;
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => out.push_str("%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            flags.width = self.number();
            if indexed && flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.peek() == Some('.') {
            self.at += 1;
            if indexed {
                self.good_index = false;
            }
            indexed = self.index();
            if self.star() {
                match self.int().map(usize::try_from) {
                    Some(Ok(precision)) => flags.precision = Some(precision),
                    Some(Err(_)) => {}
                    None => out.push_str("%!(BADPREC)"),
                }
                indexed = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index();
        }
        let Some(verb) = self.peek() else {
            return out.push_str("%!(NOVERB)");
        };
        self.at += 1;
        if verb == '%' {
            return out.push('%');
        }
        if !self.good_index {
            return out.push_str(&format!("%!{verb}(BADINDEX)"));
        }
        let Some(value) = self.values.get(self.next) else {
            return out.push_str(&format!("%!{verb}(MISSING)"));
        };
        self.next += 1;
        out.push_str(&show(value, verb, flags));
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(c) = self.peek() {
            match c {
                '#' => flags.sharp = true,
                '0' => flags.zero = !flags.minus,
                '+' => flags.plus = true,
                '-' => (flags.minus, flags.zero) = (true, false),
                ' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let grown = number.unwrap_or(0) * 10 + digit as usize;
            if grown > TOO_LARGE {
                return None;
            }
            number = Some(grown);
            self.at += 1;
        }
        number
    }

    fn star(&mut self) -> bool {
        let star = self.peek() == Some('*');
        self.at += usize::from(star);
        star
    }

    fn int(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) if number.unsigned_abs() <= TOO_LARGE as u64 => Some(*number),
            _ => None,
        }
    }

    /// `[3]` chooses the operand; true when there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some('[') {
            return false;
        }
        self.reordered = true;
        let end = self.rest[self.at..].iter().position(|c| *c == ']');
        let Some(end) = end.map(|end| self.at + end) else {
            self.good_index = false;
            self.at += 1;
            return false;
        };
        self.at += 1;
        let number = self.number();
        let good = self.at == end;
        self.at = end + 1;
        match number {
            Some(number) if good && (1..=self.values.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good_index = false;
                good
            }
        }
    }
}
