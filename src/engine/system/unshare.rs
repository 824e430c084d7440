//! `unshare`: a program in the user namespace of the store, where every id that a container can
//! have is there.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Result;

use crate::common::{Error, ExitStatus, Kind, Mode};
use crate::engine::container::RunFailure;
use crate::engine::{Engine, identity};

/// Becomes the program `words` as user 0 of a user namespace with the mode's map, in a mount
/// namespace of its own: what containers left of other ids can be looked at, given and removed
/// there, and mounts are seen by whoever is inside. ketch itself works on the same store in it.
///
/// # Errors
/// Always: it does not come back else. `Usage` for root, who needs none of this; `RunFailure`
/// with 127 or 126 for a program that is not there or cannot be executed.
pub(crate) fn unshare(engine: &Engine<'_>, words: &[OsString]) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Error::usage("unshare", "", "name a program").into());
    };
    if engine.mode == Mode::Root {
        let why = "root has every id of its containers already: run the program as it is";
        return Err(Error::usage("unshare", "", why).into());
    }
    identity::enter(engine)?;
    let error = Command::new(program)
        .args(arguments)
        .env("KETCH_ROOT", engine.store.root())
        .exec();
    Err(failure(program, error).into())
}

fn failure(program: &OsString, error: io::Error) -> RunFailure {
    let status = match error.kind() {
        ErrorKind::NotFound => ExitStatus::NOT_FOUND,
        _ => ExitStatus::NOT_EXECUTABLE,
    };
    let kind = match error.kind() {
        ErrorKind::NotFound => Kind::NotFound,
        _ => Kind::Denied,
    };
    let error = Error::new(kind, "exec", program.to_string_lossy()).because(error);
    RunFailure { status, error }
}
