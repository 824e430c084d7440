//! The three ways to split a line into words: at blanks, by quotes, as JSON.

use std::ops::Range;

/// A word: its text, which may lack letters of its range, and its range in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// What Dockerfiles take for a blank inside a line.
pub(super) const BLANKS: [char; 5] = ['\t', '\u{b}', '\u{c}', '\r', ' '];

/// Splits `text[range]` at blanks.
pub(super) fn at_blanks(text: &str, range: Range<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = range.start;
    for word in text[range].split(BLANKS) {
        if !word.is_empty() {
            pieces.push(Piece {
                text: word.to_owned(),
                range: at..at + word.len(),
            });
        }
        at += word.len() + 1;
    }
    pieces
}

/// Splits `text[range]` at blanks outside quotes; quotes and escapes stay in the words.
pub(super) fn by_quotes(text: &str, range: Range<usize>, escape: char) -> Vec<Piece> {
    let end = range.end;
    let mut letters = text[range.clone()].char_indices();
    let mut pieces = Vec::new();
    let mut open: Option<Piece> = None;
    let mut quote = None;
    while let Some((at, letter)) = letters.next() {
        let at = range.start + at;
        if quote.is_none() && letter.is_whitespace() {
            pieces.extend(open.take().map(|word| closed(word, at)));
            continue;
        }
        let word = open.get_or_insert_with(|| Piece {
            text: String::new(),
            range: at..at,
        });
        let escapes = letter == escape && quote != Some('\'');
        match quote {
            Some(end) if letter == end => quote = None,
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            _ => {}
        }
        if !escapes {
            word.text.push(letter);
        } else if let Some((_, escaped)) = letters.next() {
            // An escape at the very end escapes nothing and is dropped.
            word.text.extend([letter, escaped]);
        }
    }
    pieces.extend(open.map(|word| closed(word, end)));
    pieces.retain(|word| !word.text.is_empty());
    pieces
}

fn closed(mut word: Piece, end: usize) -> Piece {
    word.range.end = end;
    word
}

/// Splits the flags off the front of `text[range]`; returns them without quotes and escapes, and
/// the range of what follows.
pub(super) fn flags(text: &str, range: Range<usize>, escape: char) -> (Vec<Piece>, Range<usize>) {
    let mut found = Vec::new();
    let mut at = range.start;
    loop {
        at += text[at..range.end]
            .find(|letter: char| !letter.is_whitespace())
            .unwrap_or(range.end - at);
        if !text[at..range.end].starts_with("--") {
            return (found, at..range.end);
        }
        let (piece, end) = flag(text, at..range.end, escape);
        at = end;
        if piece.text == "--" {
            return (found, at..range.end);
        }
        found.push(piece);
    }
}

/// One flag at the start of `text[range]`, and where it ends.
fn flag(text: &str, range: Range<usize>, escape: char) -> (Piece, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text[range.clone()].char_indices();
    let mut end = range.end;
    while let Some((at, letter)) = letters.next() {
        match quote {
            None if letter.is_whitespace() => {
                end = range.start + at;
                break;
            }
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            Some(open) if letter == open => quote = None,
            _ if letter == escape => word.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => word.push(letter),
        }
    }
    let piece = Piece {
        text: word,
        range: range.start..end,
    };
    (piece, end)
}

/// A JSON array of strings: `None` when the text is none, which is then a line of words.
///
/// # Errors
/// For an array of something else.
pub(super) fn json(text: &str) -> Result<Option<Vec<String>>, &'static str> {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else {
        return Ok(None);
    };
    let strings = values.into_iter().map(|value| match value {
        serde_json::Value::String(text) => Ok(text),
        _ => Err("when using JSON array syntax, arrays must be comprised of strings only"),
    });
    strings.collect::<Result<Vec<_>, _>>().map(Some)
}
