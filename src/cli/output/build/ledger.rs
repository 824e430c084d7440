//! What is known of each step so far: its name, its times, the end of what it wrote.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::build::progress::{Event, Vertex};

/// Output that is kept of one step for the case that it fails, in bytes.
const KEPT: usize = 256 << 10;
/// Longest line that is shown; the rest goes to the next one.
const LONGEST: usize = 8 << 10;

/// A line of a step's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// When it came, since the step began.
    pub(super) at: Duration,
    /// Its text, safe for a terminal.
    pub(super) text: String,
}

/// One step.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// How it is shown.
    pub(super) name: String,
    /// Its number as a person sees it, from 1, in the order of the beginnings.
    pub(super) number: usize,
    /// When it began, since the build did.
    pub(super) began: Option<Duration>,
    /// When it ended.
    pub(super) ended: Option<Duration>,
    /// Its last lines.
    pub(super) lines: VecDeque<Line>,
    /// Bytes in `lines`.
    kept: usize,
    /// Whether older lines were let go.
    pub(super) cut: bool,
    /// Text without a line end yet: of standard output, of standard error.
    open: [String; 2],
}

impl Step {
    /// Takes output; returns the lines that it completed.
    fn write(&mut self, error: bool, bytes: &[u8], now: Duration) -> Vec<Line> {
        let at = now.saturating_sub(self.began.unwrap_or(now));
        let open = &mut self.open[usize::from(error)];
        open.push_str(&String::from_utf8_lossy(bytes));
        let mut lines = Vec::new();
        while let Some(end) = line_end(open) {
            let rest = open.split_off(end);
            let line = std::mem::replace(open, rest);
            lines.push(Line {
                at,
                text: clean(&line),
            });
        }
        self.keep(&lines);
        lines
    }

    /// The text that never got a line end.
    fn flush(&mut self, now: Duration) -> Vec<Line> {
        let at = now.saturating_sub(self.began.unwrap_or(now));
        let open = std::mem::take(&mut self.open);
        let texts = open.iter().filter(|text| !text.is_empty());
        let lines: Vec<Line> = texts
            .map(|text| Line {
                at,
                text: clean(text),
            })
            .collect();
        self.keep(&lines);
        lines
    }

    fn keep(&mut self, lines: &[Line]) {
        for line in lines {
            self.kept += line.text.len() + 1;
            self.lines.push_back(line.clone());
        }
        while self.kept > KEPT {
            let Some(line) = self.lines.pop_front() else {
                return;
            };
            self.kept -= line.text.len() + 1;
            self.cut = true;
        }
    }
}

/// The length of the first line with its end.
fn line_end(text: &str) -> Option<usize> {
    match text.find('\n') {
        Some(end) if end < LONGEST => Some(end + 1),
        _ if text.len() > LONGEST => {
            let mut end = LONGEST;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Some(end)
        }
        found => found.map(|end| end + 1),
    }
}

/// A line as a terminal may show it: of what was overwritten by carriage returns the last part,
/// colours and other commands to the terminal taken out.
fn clean(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut text = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => skip_command(&mut letters),
            '\t' => text.push('\t'),
            letter if letter.is_control() => {}
            letter => text.push(letter),
        }
    }
    text
}

/// Skips what follows an escape: a control sequence up to its last letter, a text for the
/// terminal up to its bell, or one letter.
fn skip_command(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => {
            letters.find(|letter| ('\u{40}'..='\u{7e}').contains(letter));
        }
        Some(']') => {
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' || (letter == '\u{1b}' && letters.peek() == Some(&'\\')) {
                    break;
                }
            }
            letters.next_if_eq(&'\\');
        }
        _ => {}
    }
}

/// All steps.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The steps by the build's own numbers.
    pub(super) steps: BTreeMap<Vertex, Step>,
    numbers: usize,
}

impl Ledger {
    /// Notes an event; returns lines of output that are complete now.
    pub(super) fn note(&mut self, event: &Event<'_>, now: Duration) -> Vec<Line> {
        let Some(vertex) = subject(event) else {
            return Vec::new();
        };
        let step = self.steps.entry(vertex).or_default();
        // A number is given when there is something to show.
        if step.number == 0 && !matches!(event, Event::Named { .. }) {
            self.numbers += 1;
            step.number = self.numbers;
        }
        match event {
            Event::Named { name, .. } => step.name = clean(name),
            Event::Started { .. } => {
                step.began.get_or_insert(now);
            }
            Event::Missed { .. } | Event::Part { .. } => {}
            Event::Output { error, bytes, .. } => return step.write(*error, bytes, now),
            Event::Cached { .. }
            | Event::Done { .. }
            | Event::Failed { .. }
            | Event::Canceled { .. } => {
                step.began.get_or_insert(now);
                step.ended.get_or_insert(now);
                return step.flush(now);
            }
        }
        Vec::new()
    }

    /// Steps that ended, and all.
    pub(super) fn counts(&self) -> (usize, usize) {
        let ended = self.steps.values().filter(|step| step.ended.is_some());
        (ended.count(), self.steps.len())
    }
}

/// The step an event is about; why one is not in the cache is told before it has a number.
pub(super) fn subject(event: &Event<'_>) -> Option<Vertex> {
    match event {
        Event::Named { vertex, .. }
        | Event::Started { vertex }
        | Event::Cached { vertex }
        | Event::Part { vertex, .. }
        | Event::Output { vertex, .. }
        | Event::Done { vertex }
        | Event::Failed { vertex, .. }
        | Event::Canceled { vertex } => Some(*vertex),
        Event::Missed { .. } => None,
    }
}

/// The lines of a step that failed, between two rulers, as docker repeats them at the end.
pub(super) fn repeat(step: &Step) -> String {
    let mut text = format!("------\n > {}:\n", step.name);
    if step.cut {
        text.push_str("(earlier lines are left out)\n");
    }
    for line in &step.lines {
        text.push_str(&format!("{:.3} {}\n", line.at.as_secs_f64(), line.text));
    }
    text + "------\n"
}

/// Which inputs made a step run again.
pub(super) fn reasons(text: &str, inputs: &[String]) -> String {
    let what = match inputs {
        [] => "its result is gone".to_owned(),
        inputs => clean(&inputs.join(", ")),
    };
    format!("{}: not in the cache: {what}", clean(text))
}
