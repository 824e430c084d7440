//! Where outputs go: files, standard output, notes.

use std::fs::File;
use std::path::Path;

use anyhow::Result;

use crate::common::Error;
use crate::sys::file::write_atomic;
use crate::sys::tty;

/// The file that an output goes to; `-` is standard output.
///
/// # Errors
/// What making the file gave.
pub(super) fn file(path: &Path) -> Result<File> {
    if path == Path::new("-") {
        let out = tty::standard_output().try_clone_to_owned();
        return Ok(out
            .map_err(|error| Error::io("open", "standard output", error))?
            .into());
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent)
            .map_err(|error| Error::io("make directory", parent, error))?;
    }
    Ok(File::create(path).map_err(|error| Error::io("make", path, error))?)
}

/// Writes a small file that others read: whole or not at all.
///
/// # Errors
/// What writing gave.
pub(super) fn note(path: &Path, text: &[u8]) -> Result<()> {
    Ok(write_atomic(path, text)?)
}
