//! On a terminal: finished steps scroll up as one line each, those at work stand below with their
//! last lines of output and are drawn anew.

use std::time::Duration;

use crate::build::progress::{Event, Vertex};

use super::ledger::{self, Ledger, Step};
use super::{Moment, Show};

/// Shortest time between two drawings that only output asks for.
const PACE: Duration = Duration::from_millis(80);
/// Lines of output shown below a step at work.
const TAIL: usize = 6;

/// The form for a person.
pub(super) struct Terminal {
    ledger: Ledger,
    /// Steps at work, in the order of their beginnings.
    active: Vec<Vertex>,
    failed: Option<Vertex>,
    /// Lines of the last drawing, which the next one overwrites.
    drawn: usize,
    last: Option<Duration>,
    size: fn() -> Option<(u16, u16)>,
}

impl Terminal {
    pub(super) fn new() -> Terminal {
        Terminal::sized(|| crate::sys::tty::own_window_size().map(|size| (size.columns, size.rows)))
    }

    /// For a terminal of this many columns and lines.
    pub(super) fn sized(size: fn() -> Option<(u16, u16)>) -> Terminal {
        Terminal {
            ledger: Ledger::default(),
            active: Vec::new(),
            failed: None,
            drawn: 0,
            last: None,
            size,
        }
    }

    /// Columns and lines that may be used.
    fn room(&self) -> (usize, usize) {
        let (columns, lines) = (self.size)()
            .filter(|(columns, lines)| *columns > 0 && *lines > 0)
            .unwrap_or((80, 24));
        // A letter in the last column would make some terminals begin a new line.
        (usize::from(columns).max(20) - 1, usize::from(lines).max(4))
    }

    /// Takes the last drawing away, writes lines that stay, draws what is at work.
    fn draw(&mut self, stays: &[String], now: Duration) -> String {
        let (width, height) = self.room();
        let mut out = String::new();
        if self.drawn > 0 {
            out.push_str(&format!("\u{1b}[{}A\u{1b}[J", self.drawn));
        }
        for line in stays {
            out.push_str(line);
            out.push('\n');
        }
        let lines = self.lines(now, width, height);
        self.drawn = lines.len();
        for line in &lines {
            out.push_str(line);
            out.push('\n');
        }
        self.last = Some(now);
        out
    }

    /// What is at work, for a terminal of this size.
    fn lines(&self, now: Duration, width: usize, height: usize) -> Vec<String> {
        if self.active.is_empty() {
            return Vec::new();
        }
        let (ended, all) = self.ledger.counts();
        let seconds = now.as_secs_f64();
        let mut lines = vec![cut(
            &format!("[+] Building {seconds:.1}s ({ended}/{all})"),
            width,
        )];
        let room = height.saturating_sub(2);
        let tail = (room / self.active.len()).saturating_sub(1).min(TAIL);
        for vertex in &self.active {
            let Some(step) = self.ledger.steps.get(vertex) else {
                continue;
            };
            lines.push(heading(step, "", now, width));
            let skipped = step.lines.len().saturating_sub(tail);
            for line in step.lines.iter().skip(skipped) {
                lines.push(cut(&format!(" => => # {}", line.text), width));
            }
        }
        lines.truncate(height.saturating_sub(1));
        lines
    }

    /// Why a step was not in the cache.
    fn missed(&mut self, event: &Event<'_>, now: Moment) -> String {
        let Event::Missed { text, inputs } = event else {
            return String::new();
        };
        let (width, _) = self.room();
        let line = format!(" => {}", ledger::reasons(text, inputs));
        self.draw(&[cut(&line, width)], now.since)
    }
}

impl Show for Terminal {
    fn event(&mut self, event: &Event<'_>, now: Moment) -> String {
        self.ledger.note(event, now.since);
        let Some(vertex) = ledger::subject(event) else {
            return self.missed(event, now);
        };
        let word = match event {
            Event::Named { .. } | Event::Missed { .. } | Event::Part { .. } => {
                return String::new();
            }
            Event::Started { .. } => {
                if !self.active.contains(&vertex) {
                    self.active.push(vertex);
                }
                return self.draw(&[], now.since);
            }
            Event::Output { .. } => {
                let due = self.last.is_none_or(|last| now.since >= last + PACE);
                return match due {
                    true => self.draw(&[], now.since),
                    false => String::new(),
                };
            }
            Event::Cached { .. } => "CACHED ",
            Event::Done { .. } => "",
            Event::Failed { .. } => {
                self.failed = Some(vertex);
                "ERROR "
            }
            Event::Canceled { .. } => "CANCELED ",
        };
        self.active.retain(|active| *active != vertex);
        let (width, _) = self.room();
        let step = self.ledger.steps.get(&vertex);
        let line = step.map(|step| heading(step, word, now.since, width));
        self.draw(&Vec::from_iter(line), now.since)
    }

    fn end(&mut self, now: Moment, failed: bool) -> String {
        self.active.clear();
        let (ended, all) = self.ledger.counts();
        let seconds = now.since.as_secs_f64();
        let word = if failed { "" } else { " FINISHED" };
        let line = format!("[+] Building {seconds:.1}s ({ended}/{all}){word}");
        let mut out = self.draw(&[line], now.since);
        let step = self
            .failed
            .and_then(|vertex| self.ledger.steps.get(&vertex));
        if let Some(step) = step.filter(|_| failed) {
            out.push_str(&ledger::repeat(step));
        }
        out
    }
}

/// ` => CACHED [2/3] RUN make      1.2s`.
fn heading(step: &Step, word: &str, now: Duration, width: usize) -> String {
    let began = step.began.unwrap_or(now);
    let took = step.ended.unwrap_or(now).saturating_sub(began);
    let time = format!("{:.1}s", took.as_secs_f64());
    let room = width.saturating_sub(time.len() + 1);
    let text = cut(&format!(" => {word}{}", step.name), room);
    let blanks = width.saturating_sub(text.chars().count() + time.len());
    format!("{text}{}{time}", " ".repeat(blanks))
}

/// The text within a width, with a mark where it is cut.
fn cut(text: &str, width: usize) -> String {
    let text = text.replace('\t', "    ");
    if text.chars().count() <= width {
        return text;
    }
    let mut short: String = text.chars().take(width.saturating_sub(3)).collect();
    short.push_str("...");
    short
}
