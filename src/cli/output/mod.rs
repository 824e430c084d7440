//! What reaches stdout and stderr: lists in every form, documents, human words, progress.

pub(crate) mod build;
pub(crate) mod deleted;
mod document;
pub(crate) mod file;
mod format;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod terminal;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

pub(crate) use document::document;
pub(crate) use format::Format;
pub(crate) use listing::Columns;

use crate::sys::exec;

/// Writes data to stdout at once, in one call where the kernel allows.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Sends stdout into a file from here on, also that of containers that use it.
///
/// # Errors
/// The file cannot be made or written.
pub(crate) fn send_to(file: &Path) -> anyhow::Result<()> {
    let failed = |error| crate::common::Error::io("write output to", file, error);
    let opened = File::create(file).map_err(failed)?;
    exec::dup_onto(opened.as_raw_fd(), libc::STDOUT_FILENO)
        .map_err(|errno| failed(errno.into()))?;
    Ok(())
}

/// Writes what a library left in stdout's buffer; nobody else does at the end of the process.
pub(crate) fn finish() {
    let _ = io::stdout().flush();
}
