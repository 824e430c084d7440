//! Go's constants: quoted strings, characters and numbers.

use super::node::Number;
use super::print::quoted;

/// The meaning of a string as written, quoted either way.
pub(super) fn unquote(text: &str) -> Option<String> {
    if let Some(raw) = text.strip_prefix('`') {
        let raw = raw.strip_suffix('`')?;
        return Some(raw.replace('\r', ""));
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut rest = inner.chars();
    let mut bytes = Vec::new();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, '"', &mut bytes)?,
            '"' | '\n' => return None,
            c => push(&mut bytes, c),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What follows a backslash; `quote` is the one quote that may be escaped.
fn escape(rest: &mut std::str::Chars<'_>, quote: char, bytes: &mut Vec<u8>) -> Option<()> {
    let number = |rest: &mut std::str::Chars<'_>, digits: usize, radix: u32| -> Option<u32> {
        (0..digits).try_fold(0, |value: u32, _| {
            Some(value * radix + rest.next()?.to_digit(radix)?)
        })
    };
    match rest.next()? {
        'a' => bytes.push(7),
        'b' => bytes.push(8),
        'f' => bytes.push(12),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        'v' => bytes.push(11),
        '\\' => bytes.push(b'\\'),
        'x' => bytes.push(u8::try_from(number(rest, 2, 16)?).ok()?),
        'u' => push(bytes, char::from_u32(number(rest, 4, 16)?)?),
        'U' => push(bytes, char::from_u32(number(rest, 8, 16)?)?),
        first @ '0'..='7' => {
            let rest = number(rest, 2, 8)?;
            bytes.push(u8::try_from(first.to_digit(8)? * 64 + rest).ok()?);
        }
        c if c == quote => push(bytes, c),
        _ => return None,
    }
    Some(())
}

fn character(text: &str) -> Option<char> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut rest = inner.chars();
    let c = match rest.next()? {
        '\\' => {
            let mut bytes = Vec::new();
            escape(&mut rest, '\'', &mut bytes)?;
            // A byte escape means the character of that number.
            match bytes.as_slice() {
                [byte] => char::from(*byte),
                bytes => std::str::from_utf8(bytes).ok()?.chars().next()?,
            }
        }
        '\'' => return None,
        c => c,
    };
    rest.next().is_none().then_some(c)
}

/// Reads a number or a character as written.
pub(super) fn number(text: &str) -> Result<Number, String> {
    if text.starts_with('\'') {
        let Some(c) = character(text) else {
            return Err(format!("malformed character constant: {text}"));
        };
        let int = i64::from(u32::from(c));
        return Ok(Number {
            text: text.to_owned(),
            int: Some(int),
            float: Some(int as f64),
            uint: Some(int as u64),
        });
    }
    if text.ends_with('i') {
        return Err(format!(
            "complex numbers are not supported: {}",
            quoted(text)
        ));
    }
    let (int, uint) = whole(text);
    let mut number = Number {
        text: text.to_owned(),
        int,
        uint,
        float: int.map(|int| int as f64).or(uint.map(|uint| uint as f64)),
    };
    if number.float.is_none() {
        let Some(float) = fraction(text) else {
            return Err(format!("illegal number syntax: {}", quoted(text)));
        };
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quoted(text)));
        }
        number.float = Some(float);
        number.int = (float as i64 as f64 == float).then_some(float as i64);
    }
    Ok(number)
}

/// Go's `ParseInt` and `ParseUint` with base 0.
fn whole(text: &str) -> (Option<i64>, Option<u64>) {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (Some(text.starts_with('-')), digits),
        None => (None, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    // An underscore stands between digits, or after the prefix.
    let good = !body.ends_with('_')
        && !body.contains("__")
        && (radix != 10 || !body.starts_with('_'))
        && body.chars().all(|c| c == '_' || c.is_digit(radix));
    let body = body.replace('_', "");
    if !good || body.is_empty() {
        return (None, None);
    }
    let uint = u64::from_str_radix(&body, radix).ok();
    let int = match sign {
        Some(true) => i64::from_str_radix(&format!("-{body}"), radix).ok(),
        _ => i64::from_str_radix(&body, radix).ok(),
    };
    let unsigned = uint.filter(|uint| sign.is_none() || int == Some(0) && *uint == 0);
    (int, unsigned)
}

/// Go's `ParseFloat` without hexadecimal fractions.
fn fraction(text: &str) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !text.chars().all(plain) {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_are_gos() {
        assert_eq!(
            unquote(r#""a\tb\"\x41é\101""#).as_deref(),
            Some("a\tb\"AéA")
        );
        assert_eq!(unquote("`a\\n`").as_deref(), Some("a\\n"));
        assert_eq!(unquote(r#""\'""#), None);
        for (text, int) in [
            ("0x1F", 31),
            ("017", 15),
            ("1_000", 1000),
            ("'a'", 97),
            ("1e3", 1000),
            ("-7", -7),
        ] {
            assert_eq!(number(text).unwrap().int, Some(int), "{text}");
        }
        for text in ["1__0", "08", "0x", "1i", "'ab'", "99999999999999999999"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
