//! Places in a Dockerfile, and the lines around one as a person is shown them.

use std::fmt::Write as _;

/// Lines shown before and behind the marked ones.
const AROUND: u32 = 2;

/// A place in the file: whole lines, or a word on the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct Span {
    /// First line, from 1; 0 for a place that is in no file.
    pub(crate) line: u32,
    /// Last line, not before `line`.
    pub(crate) end: u32,
    /// Column of the first character on `line`, from 1; 0 when whole lines are meant.
    pub(crate) column: u32,
    /// Characters from `column` on; 0 when whole lines are meant.
    pub(crate) width: u32,
}

impl Span {
    /// The whole lines from `line` to `end`.
    pub(crate) fn lines(line: u32, end: u32) -> Span {
        Span {
            line,
            end: end.max(line),
            ..Span::default()
        }
    }

    /// The same place as whole lines.
    pub(crate) fn whole(self) -> Span {
        Span::lines(self.line, self.end)
    }
}

/// A word of an instruction as it stands in the file: quotes, escapes and variables untouched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Word {
    /// The text.
    pub(crate) raw: String,
    /// Where it stands; whole lines for a word that spans a continuation.
    pub(crate) span: Span,
}

impl Word {
    /// A word at a place.
    pub(crate) fn new(raw: impl Into<String>, span: Span) -> Word {
        Word {
            raw: raw.into(),
            span,
        }
    }
}

/// The lines around `span`, marked as docker marks them, between two rulers; the word itself is
/// underlined when the place has a column. Empty when the file has no such line.
///
/// `name` is the file's name as the heading shows it; `lines` is the whole file.
pub(crate) fn excerpt(name: &str, lines: &[String], span: Span) -> String {
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    if span.line == 0 || span.line > count {
        return String::new();
    }
    let first = span.line.saturating_sub(AROUND).max(1);
    let last = span.end.saturating_add(AROUND).min(count);
    let ruler = "--------------------\n";
    let mut text = format!("{name}:{}\n{ruler}", span.line);
    for number in first..=last {
        let line = lines[number as usize - 1].trim_end();
        let marked = (span.line..=span.end).contains(&number);
        let mark = if marked { ">>>" } else { "   " };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{number:4} | {mark} {line}");
        if number == span.line && span.column > 0 {
            let blanks: String = line
                .chars()
                .take(span.column as usize - 1)
                .map(|letter| if letter == '\t' { '\t' } else { ' ' })
                .collect();
            let marks = "^".repeat(span.width.max(1) as usize);
            let _ = writeln!(text, "     |     {blanks}{marks}");
        }
    }
    text + ruler
}
