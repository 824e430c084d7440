//! The terminal's side of `common::Ui`: warnings, notes and one progress line per layer.
//!
//! Nothing is asked of the terminal and no indicatif object is made before the first meter, so
//! that a run that pulls nothing pays nothing.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::error_report::say;
use crate::cli::voice::Voice;
use crate::common::{Meter, Silent, Timestamp, Ui, human_size};

/// Work shorter than this shows no progress lines.
const PATIENCE: Duration = Duration::from_millis(250);

/// What ketch says while it works, on stderr.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    quiet: bool,
    strict: bool,
    warned: Mutex<Vec<String>>,
    lines: OnceLock<Arc<Lines>>,
}

impl Progress {
    /// `quiet` drops progress and notes; `strict` records warnings as failures.
    pub(crate) fn new(quiet: bool, strict: bool) -> Progress {
        Progress {
            quiet,
            strict,
            ..Progress::default()
        }
    }

    /// Under `--strict`: the first thing that was asked for and not given.
    pub(crate) fn refused(&self) -> Option<String> {
        let warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.first().cloned()
    }

    fn line(&self, text: &str) {
        match self.lines.get() {
            Some(lines) => lines.say(text),
            None => say(text),
        }
    }
}

/// A line of podman's log, with its end; the moment in whole seconds.
fn podman_warning(line: &str, now: Timestamp) -> String {
    let moment = Timestamp(now.0 - now.0.rem_euclid(1_000_000_000));
    format!("time=\"{moment}\" level=warning msg={line:?}\n")
}

impl Ui for Progress {
    fn warn(&self, line: &str) {
        if self.strict {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            warned.push(line.to_owned());
            return;
        }
        self.line(&format!("ketch: warning: {line}\n"));
    }

    fn outlived(&self, line: &str) {
        if Voice::own() == Voice::Podman {
            self.line(&podman_warning(line, Timestamp::now()));
        }
    }

    fn is_strict(&self) -> bool {
        self.strict
    }

    fn withheld(&self) -> Vec<String> {
        let warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.clone()
    }

    fn note(&self, line: &str) {
        if !self.quiet {
            self.line(&format!("{line}\n"));
        }
    }

    fn meter(&self, label: &str, total: Option<u64>) -> Box<dyn Meter> {
        if self.quiet {
            return Box::new(Silent);
        }
        let lines = self.lines.get_or_init(|| Arc::new(Lines::new()));
        Lines::meter(lines, label, total)
    }
}

/// The lines on screen, or their absence when stderr is not a terminal.
#[derive(Debug)]
struct Lines {
    bars: Option<MultiProgress>,
    began: Instant,
    shown: AtomicBool,
}

impl Lines {
    fn new() -> Lines {
        let terminal = std::io::stderr().is_terminal();
        let hidden = || MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Lines {
            bars: terminal.then(hidden),
            began: Instant::now(),
            shown: AtomicBool::new(false),
        }
    }

    /// Prints above the bars without tearing them.
    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| say(text)),
            None => say(text),
        }
    }

    /// Turns drawing on once the work has lasted long enough.
    fn reveal(&self) {
        if let Some(bars) = &self.bars
            && !self.shown.load(Ordering::Relaxed)
            && self.began.elapsed() >= PATIENCE
            && !self.shown.swap(true, Ordering::Relaxed)
        {
            bars.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    fn meter(lines: &Arc<Lines>, label: &str, total: Option<u64>) -> Box<dyn Meter> {
        let Some(bars) = &lines.bars else {
            return Box::new(PlainMeter {
                label: label.to_owned(),
            });
        };
        let bar = bars.add(ProgressBar::no_length());
        bar.set_style(style(total.is_some()));
        bar.set_prefix(label.to_owned());
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_message("Waiting");
        Box::new(LineMeter {
            bar,
            lines: Arc::clone(lines),
        })
    }
}

fn style(sized: bool) -> ProgressStyle {
    let template = if sized {
        "{prefix}: {msg} {at}/{of} {speed}"
    } else {
        "{prefix}: {msg} {at} {speed}"
    };
    let write = |out: &mut dyn std::fmt::Write, bytes: u64, tail: &str| {
        let _ = write!(out, "{}{tail}", human_size(bytes));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key(
            "at",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                write(out, state.pos(), "");
            },
        )
        .with_key(
            "of",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                write(out, state.len().unwrap_or(0), "");
            },
        )
        .with_key(
            "speed",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                write(out, state.per_sec() as u64, "/s");
            },
        )
}

/// A line on a terminal.
struct LineMeter {
    bar: ProgressBar,
    lines: Arc<Lines>,
}

impl Meter for LineMeter {
    fn advance(&self, bytes: u64) {
        self.lines.reveal();
        self.bar.inc(bytes);
    }

    fn phase(&self, word: &'static str) {
        self.lines.reveal();
        self.bar.set_message(word);
    }

    fn done(&self, word: &str) {
        let finished = ProgressStyle::with_template("{prefix}: {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        self.bar.set_style(finished);
        self.bar.finish_with_message(word.to_owned());
    }
}

impl Drop for LineMeter {
    fn drop(&mut self) {
        if !self.bar.is_finished() {
            self.bar.finish_and_clear();
        }
    }
}

/// Without a terminal: one line at the end of each piece of work.
struct PlainMeter {
    label: String,
}

impl Meter for PlainMeter {
    fn advance(&self, _bytes: u64) {}
    fn phase(&self, _word: &'static str) {}

    fn done(&self, word: &str) {
        say(&format!("{}: {word}\n", self.label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_records_the_first_warning_and_quiet_makes_no_lines() {
        let strict = Progress::new(true, true);
        assert_eq!(strict.refused(), None);
        strict.warn("no cgroup");
        strict.warn("no overlay");
        assert_eq!(strict.refused().as_deref(), Some("no cgroup"));
        let _meter = strict.meter("layer", Some(1));
        assert!(strict.lines.get().is_none());
    }

    #[test]
    fn every_template_key_is_known() {
        for sized in [true, false] {
            let bar = ProgressBar::hidden();
            bar.set_style(style(sized));
            bar.inc(3);
        }
        ProgressStyle::with_template("{prefix}: {msg} {at}/{of} {speed}").unwrap();
    }
}
