//! `--output`: a file for data that is no text.

use std::fs::File;
use std::io::{IsTerminal, stdout};
use std::os::fd::AsFd;
use std::path::Path;

use crate::common::Error;
use crate::sys::file;

/// Has `write` fill the file `path` (absolute), else standard output. A regular file appears when
/// it is whole; a device or pipe is written to as it is.
///
/// # Errors
/// `Usage` for standard output that is a terminal; what opening and writing gave.
pub(crate) fn fill(
    command: &str,
    path: Option<&Path>,
    write: impl FnOnce(File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(path) = path else {
        if stdout().is_terminal() {
            let why = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
            return Err(Error::usage(command, "", why).into());
        }
        return write(File::from(stdout().as_fd().try_clone_to_owned()?));
    };
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let output = File::options().write(true).open(path);
        return write(output.map_err(|error| Error::io("open", path, error))?);
    }
    // A link keeps leading to its file.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let temporary = target.with_file_name(file::random_name(".ketch-output-")?);
    let output = file::create_new(&temporary)
        .map_err(|error| Error::io("create file in the directory of", path, error))?;
    let done = write(output).and_then(|()| Ok(file::rename(&temporary, &target)?));
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}

/// Has `write` fill the directory `path` (absolute). One that is not there yet appears when it is
/// whole.
///
/// # Errors
/// `Usage` for a file in its place; what making and writing gave.
pub(crate) fn fill_directory(
    command: &str,
    path: &Path,
    write: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match path.metadata() {
        Ok(facts) if facts.is_dir() => return write(path),
        Ok(_) => {
            let shown = path.display().to_string();
            return Err(Error::usage(command, shown, "already exists as a regular file").into());
        }
        Err(_) => {}
    }
    let temporary = path.with_file_name(file::random_name(".ketch-output-")?);
    let made = std::fs::create_dir(&temporary);
    made.map_err(|error| Error::io("create directory in that of", path, error))?;
    let done = write(&temporary).and_then(|()| Ok(file::rename(&temporary, path)?));
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    done
}
