//! Here-documents: the words that open them.

use super::expand::Lexer;
use super::tree::Heredoc;

/// The here-documents that a line opens, in order, without their text.
///
/// # Errors
/// For a word with an open quote.
pub(super) fn opened(line: &str) -> Result<Vec<Heredoc>, String> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let lexer = Lexer {
        keep_quotes: true,
        keep_escapes: true,
        keep_unset: true,
        ..Lexer::new('\\')
    };
    // A line that does not split, with an open quote for example, is left to its shell.
    let Ok(line) = lexer.run(line, &|_| None) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for word in &line.words {
        found.extend(parse(word)?);
    }
    Ok(found)
}

/// One word as the head of a here-document: `3<<-"EOF"`; `None` when it is none.
///
/// # Errors
/// For an open quote.
pub(super) fn parse(word: &str) -> Result<Option<Heredoc>, String> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (descriptor, rest) = word.split_at(digits);
    let Some(rest) = rest.strip_prefix("<<") else {
        return Ok(None);
    };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let lexer = |keep_quotes| Lexer {
        keep_quotes,
        keep_unset: true,
        ..Lexer::new('\\')
    };
    let run = |keep| {
        lexer(keep)
            .run(rest, &|_| None)
            .map_err(|error| error.to_string())
    };
    let (plain, quoted) = (run(false)?, run(true)?);
    let ([name], [written]) = (plain.words.as_slice(), quoted.words.as_slice()) else {
        return Ok(None);
    };
    // Any quote in the word means that nothing is expanded in the text.
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Ok(Some(Heredoc {
        name: name.clone(),
        descriptor: descriptor.parse().unwrap_or(0),
        expand: quotes(name) == quotes(written),
        chomp,
        raw: String::new(),
    }))
}
