//! `export`.

use std::fs::File;
use std::io::{IsTerminal, stdout};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::export;
use crate::sys::file;

/// Export a container's filesystem as a tar archive
#[derive(clap::Parser, Debug)]
pub(crate) struct Export {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl Execute for Export {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.output.is_none() && stdout().is_terminal() {
            return Err(Error::usage(
                "export",
                "",
                "cowardly refusing to save to a terminal. Use the -o flag or redirect",
            )
            .into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        match &self.output {
            Some(path) => to_file(&engine, &self.container, &session.absolute(path))?,
            None => {
                let output = stdout().as_fd().try_clone_to_owned()?;
                export(&engine, &self.container, File::from(output))?;
            }
        }
        Ok(ExitStatus::Code(0))
    }
}

/// A regular file appears when it is whole; a device or pipe is written to as it is.
fn to_file(engine: &Engine<'_>, container: &str, path: &Path) -> anyhow::Result<()> {
    let special = path.metadata().is_ok_and(|found| !found.is_file());
    if special {
        let output = File::options()
            .write(true)
            .open(path)
            .map_err(|error| Error::io("open", path, error))?;
        return export(engine, container, output);
    }
    // A link keeps leading to its file.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = file::random_name(".ketch-export-")?;
    let temporary = target.with_file_name(name);
    let output = file::create_new(&temporary)
        .map_err(|error| Error::io("create file in the directory of", path, error))?;
    let done =
        export(engine, container, output).and_then(|()| Ok(file::rename(&temporary, &target)?));
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}
