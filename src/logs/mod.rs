//! A container's log: lines kept as docker's json-file or Kubernetes' k8s-file with rotation, or
//! handed to the systemd journal; and the reader that `logs` follows them with.
//!
//! ```text
//! payload's bytes → Writer → entries (16 KiB at most) → File (rotation) → container.log, .1, .2 …
//!                                                     → Journal
//! container.log.2, .1, container.log → Reader (tail, since, until, follow) → Entry
//! ```
//!
//! One process at a time writes a log: the one that holds the container's lock. A file is never
//! rewritten: rotation renames it and begins a new one, so that who reads an open one finds its
//! end and then its successor.
#![forbid(unsafe_code)]

mod encode;
mod entry;
mod file;
mod journald;
mod options;
mod reader;
mod tail;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use entry::Entry;
pub(crate) use options::{LogDriver, Logging, Origin, Target};
pub(crate) use reader::{ReadOptions, Reader};
pub(crate) use writer::Writer;

/// Which of a payload's outputs bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Its name in every log format.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}
