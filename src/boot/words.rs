//! Words in values of unit files: quoting and escapes of systemd.syntax(7), both ways.

/// Splits a value into words.
///
/// # Errors
/// Why it cannot be split: a quote that is not closed, an escape that means nothing.
pub(super) fn split(value: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote: Option<char> = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, letter) if letter.is_ascii_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                // A pair of quotes alone is an empty word.
                word.get_or_insert_default();
            }
            (Some(open), letter) if letter == open => quote = None,
            (_, '\\') => escape(&mut letters, word.get_or_insert_default())?,
            _ => push(word.get_or_insert_default(), letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    words
        .into_iter()
        .map(|word| String::from_utf8(word).map_err(|_| "a word is not UTF-8".to_owned()))
        .collect()
}

fn push(word: &mut Vec<u8>, letter: char) {
    word.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

fn escape(letters: &mut std::str::Chars<'_>, word: &mut Vec<u8>) -> Result<(), String> {
    let Some(letter) = letters.next() else {
        return Err("a backslash stands at the end".to_owned());
    };
    let simple = match letter {
        'a' => Some(7),
        'b' => Some(8),
        'f' => Some(12),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(11),
        's' => Some(b' '),
        '\\' | '"' | '\'' => Some(letter as u8),
        _ => None,
    };
    if let Some(byte) = simple {
        word.push(byte);
        return Ok(());
    }
    let unknown = || format!("the escape \\{letter} is not a known one");
    let (radix, length, first) = match letter {
        'x' => (16, 2, None),
        'u' => (16, 4, None),
        'U' => (16, 8, None),
        '0'..='7' => (8, 2, Some(letter)),
        _ => return Err(unknown()),
    };
    let digits: String = first
        .into_iter()
        .chain(letters.by_ref().take(length))
        .collect();
    let whole = digits.chars().count() == length + usize::from(first.is_some());
    // Rust's parser takes a sign as well.
    let plain = digits.chars().all(|digit| digit.is_digit(radix));
    let number = u32::from_str_radix(&digits, radix).map_err(|_| unknown())?;
    if !whole || !plain || number == 0 {
        return Err(unknown());
    }
    match letter {
        'u' | 'U' => push(word, char::from_u32(number).ok_or_else(unknown)?),
        _ => word.push(u8::try_from(number).map_err(|_| unknown())?),
    }
    Ok(())
}

/// One word as it stands in a value: in quotes where systemd would see something else in it.
pub(super) fn quote(word: &str) -> String {
    let special = |letter: char| {
        letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '\'' | '\\')
    };
    // A `;` alone separates commands, a comment's sign begins one after a continued line.
    if !word.is_empty() && !word.contains(special) && !word.starts_with([';', '#']) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if letter.is_ascii_control() => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            letter if letter.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Words as a command line that systemd takes apart into the same; specifiers (`%n`) and
/// variables (`$HOME`) in them are systemd's to fill in.
pub(super) fn join<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| quote(word.as_ref())).collect();
    quoted.join(" ")
}

/// A word that systemd hands on as it is: no specifier and no variable is seen in it.
pub(super) fn literal(word: &str) -> String {
    word.replace('%', "%%").replace('$', "$$")
}

/// A path in a list of paths: specifiers are seen in it, variables are not.
pub(super) fn literal_path(path: &str) -> String {
    path.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_as_systemd_does() {
        for (text, want) in [
            ("", &[][..]),
            ("  a\tb  ", &["a", "b"]),
            ("'a b' \"c 'd\"", &["a b", "c 'd"]),
            ("a'b c'd \"\" ''", &["ab cd", "", ""]),
            (
                r#"\x41\101\s\u00e9\U0001f600 "\"\t\\""#,
                &["AA é😀", "\"\t\\"],
            ),
            (r"\xc3\xa9", &["é"]),
            ("%n $HOME", &["%n", "$HOME"]),
        ] {
            assert_eq!(split(text).unwrap(), want, "{text}");
        }
        for text in [
            "'a", "\"a", "a\\", r"\q", r"\x4", r"\x+4", r"\xzz", r"\0", r"\000", r"\777",
            r"\ud800", r"\xff", r"\x",
        ] {
            assert!(split(text).is_err(), "{text}");
        }
    }

    #[test]
    fn joined_words_come_apart_again() {
        let words = [
            "plain",
            "",
            "two words",
            "tab\t",
            "new\nline",
            "\"q\"",
            "it's",
            "back\\slash",
            ";",
            "#x",
            "é",
            "\u{1}",
            "\u{85}",
            "a=b",
            "%n",
            "\u{a0}",
        ];
        assert_eq!(split(&join(words)).unwrap(), words);
        assert!(!join(words).contains('\n'));
        assert_eq!(literal("50% of $x"), "50%% of $$x");
    }
}
