//! What a person or a program sees of a build while it goes on: on a terminal, as plain lines, as
//! JSON, or not at all.
//!
//! The build is one thread and tells each event at once; nothing here makes another one.

mod ledger;
mod plain;
mod raw;
#[cfg(test)]
mod tests;
mod tty;

use std::cell::RefCell;
use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use crate::build::progress::{Event, Progress};
use crate::cli::error_report::say;

use plain::Plain;
use raw::Raw;
use tty::Terminal;

/// How a build is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// On a terminal: steps at work below, finished ones above.
    Tty,
    /// Line by line, as docker's `--progress=plain`.
    Plain,
    /// One JSON object a line, as docker's `--progress=rawjson`.
    RawJson,
    /// Not at all.
    Quiet,
}

impl Style {
    /// Reads `--progress`; `auto` is a terminal's form where there is one.
    pub(crate) fn parse(text: &str) -> Option<Style> {
        Some(match text {
            "auto" | "" if stderr().is_terminal() => Style::Tty,
            "auto" | "" | "plain" => Style::Plain,
            "tty" => Style::Tty,
            "rawjson" => Style::RawJson,
            "quiet" | "none" => Style::Quiet,
            _ => return None,
        })
    }
}

/// One form of showing.
trait Show {
    /// Takes an event that came at `now`; returns what is to be written.
    fn event(&mut self, event: &Event<'_>, now: Moment) -> String;
    /// The build has ended.
    fn end(&mut self, now: Moment, failed: bool) -> String;
}

/// A point in time: since the build began, and as a clock shows it.
#[derive(Debug, Clone, Copy)]
struct Moment {
    since: Duration,
    clock: Duration,
}

/// Shows a build on stderr.
pub(crate) struct Shown {
    show: RefCell<Option<Box<dyn Show>>>,
    style: Style,
    began: Instant,
    clock: Duration,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("style", &self.style).finish()
    }
}

impl Shown {
    /// Begins.
    pub(crate) fn new(style: Style) -> Shown {
        let show: Option<Box<dyn Show>> = match style {
            Style::Tty => Some(Box::new(Terminal::new())),
            Style::Plain => Some(Box::new(Plain::new())),
            Style::RawJson => Some(Box::new(Raw::default())),
            Style::Quiet => None,
        };
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Shown {
            show: RefCell::new(show),
            style,
            began: Instant::now(),
            clock: clock.unwrap_or_default(),
        }
    }

    /// Ends: what was left open on a terminal is closed.
    pub(crate) fn end(&self, failed: bool) {
        let now = self.now();
        if let Some(show) = self.show.borrow_mut().as_mut() {
            say(&show.end(now, failed));
        }
    }

    fn now(&self) -> Moment {
        let since = self.began.elapsed();
        Moment {
            since,
            clock: self.clock + since,
        }
    }
}

impl Progress for Shown {
    fn event(&self, event: &Event<'_>) {
        let now = self.now();
        if let Some(show) = self.show.borrow_mut().as_mut() {
            let text = show.event(event, now);
            if !text.is_empty() {
                say(&text);
            }
        }
    }
}
