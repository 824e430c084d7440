//! What reaches stdout and stderr: lists in every form, documents, human words, progress.

pub(crate) mod build;
pub(crate) mod deleted;
mod document;
mod format;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod terminal;

use std::io::{self, Write};

pub(crate) use document::document;
pub(crate) use format::Format;
pub(crate) use listing::Columns;

/// Writes data to stdout at once, in one call where the kernel allows.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes what a library left in stdout's buffer; nobody else does at the end of the process.
pub(crate) fn finish() {
    let _ = io::stdout().flush();
}
