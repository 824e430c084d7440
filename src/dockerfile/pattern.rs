//! The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*`, `?` and escapes, as a shell has them.

use regex_lite::Regex;

/// Cuts what `pattern` matches off the front: the shortest match, or the longest when `greedy`.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let found = compiled(pattern, greedy, true)?.find(value);
    Ok(value[found.map_or(0, |found| found.end())..].to_owned())
}

/// Cuts what `pattern` matches off the end.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    // A search finds the leftmost match; read backwards, that is the one at the end.
    let rest = trim_prefix(&reversed_pattern(pattern), &reversed(value), greedy)?;
    Ok(reversed(&rest))
}

/// Puts `new` where `pattern` first matches, or everywhere when `all`.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn replace(pattern: &str, value: &str, new: &str, all: bool) -> Result<String, String> {
    let pattern = compiled(pattern, true, false)?;
    let limit = if all { 0 } else { 1 };
    let new = regex_lite::NoExpand(new);
    Ok(pattern.replacen(value, limit, new).into_owned())
}

fn compiled(pattern: &str, greedy: bool, anchored: bool) -> Result<Regex, String> {
    let bad = |why: String| format!("invalid pattern ({pattern}) in substitution: {why}");
    let mut text = String::from(if anchored { "^" } else { "" });
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        let plain = match letter {
            '*' => {
                text.push_str(if greedy { ".*" } else { ".*?" });
                continue;
            }
            '?' => {
                text.push('.');
                continue;
            }
            // Inside `${…}` these two need an escape that is not the pattern's.
            '\\' if matches!(letters.peek(), Some('}' | '/')) => continue,
            '\\' => match letters.next() {
                Some(escaped @ ('*' | '?' | '\\')) => escaped,
                Some(other) => return Err(bad(format!("invalid escape '\\{other}'"))),
                None => return Err(bad("nothing follows the escape".to_owned())),
            },
            other => other,
        };
        text.push_str(&regex_lite::escape(plain.encode_utf8(&mut [0; 4])));
    }
    Regex::new(&text).map_err(|error| bad(error.to_string()))
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

/// The pattern backwards, each escape still in front of its letter.
fn reversed_pattern(pattern: &str) -> String {
    let mut pieces = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.clone().next()) {
            ('\\', Some(escaped)) => {
                letters.next();
                pieces.extend([escaped, '\\']);
            }
            _ => pieces.push(letter),
        }
    }
    pieces.iter().rev().collect()
}
