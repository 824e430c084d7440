//! What lower layers may say to a user; implemented by `cli`, which alone prints.

/// Receives one-line notices and progress.
pub(crate) trait Ui: Sync {
    /// A downgrade or surprise the user must know of: one line, lower case, no period, ending
    /// with what would fix it. Under `--strict` the caller turns it into an error instead.
    fn warn(&self, line: &str);

    /// Progress talk ("resuming download of …"); dropped with `--quiet`.
    fn note(&self, line: &str);

    /// Starts the progress line of one piece of work; `total` in bytes when known.
    fn meter(&self, label: &str, total: Option<u64>) -> Box<dyn Meter>;
}

/// One progress line. Dropping it without `done` removes the line.
pub(crate) trait Meter: Send + Sync {
    /// Adds `bytes` to the position.
    fn advance(&self, bytes: u64);
    /// Replaces the phase word ("Downloading", "Unpacking").
    fn phase(&self, word: &'static str);
    /// Ends the line with a word ("Pull complete", "Already exists").
    fn done(&self, word: &'static str);
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
    fn done(&self, _word: &'static str) {}
}
