//! What lower layers may say to a user; implemented by `cli`, which alone prints.

use super::{Error, Kind};

/// Receives one-line notices and progress.
pub(crate) trait Ui: Sync {
    /// A downgrade or surprise the user must know of: one line, lower case, no period, ending
    /// with what would fix it. Under `--strict` the caller turns it into an error instead.
    fn warn(&self, line: &str);

    /// Whether a line given to `warn` ends the command before its payload starts.
    fn is_strict(&self) -> bool {
        false
    }

    /// The lines given to `warn` that were kept back because of that. Work in another process
    /// hands them on to the `Ui` of its caller.
    fn withheld(&self) -> Vec<String> {
        Vec::new()
    }

    /// A container was killed because its stop signal had not ended it in time; `line` says so.
    /// docker is silent about it, podman is not.
    fn outlived(&self, _line: &str) {}

    /// Progress talk ("resuming download of …"); dropped with `--quiet`.
    fn note(&self, line: &str);

    /// Starts the progress line of one piece of work; `total` in bytes when known.
    fn meter(&self, label: &str, total: Option<u64>) -> Box<dyn Meter>;
}

/// The error that a warning is under `--strict`.
pub(crate) fn strictly(line: impl Into<String>) -> Error {
    Error::new(Kind::Unsupported, "run with --strict", "").because(line.into())
}

/// One progress line. Dropping it without `done` removes the line.
pub(crate) trait Meter: Send + Sync {
    /// Adds `bytes` to the position.
    fn advance(&self, bytes: u64);
    /// Replaces the phase word ("Downloading", "Unpacking").
    fn phase(&self, word: &'static str);
    /// Ends the line with a word ("Pull complete", "Already exists").
    fn done(&self, word: &str);
}

/// A `Ui` that says nothing: for tests and for inner steps whose talk nobody wants.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silent;

impl Ui for Silent {
    fn warn(&self, _line: &str) {}
    fn note(&self, _line: &str) {}
    fn meter(&self, _label: &str, _total: Option<u64>) -> Box<dyn Meter> {
        Box::new(Silent)
    }
}

impl Meter for Silent {
    fn advance(&self, _bytes: u64) {}
    fn phase(&self, _word: &'static str) {}
    fn done(&self, _word: &str) {}
}
