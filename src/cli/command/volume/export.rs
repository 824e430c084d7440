//! `volume export` and `volume import`.

use std::fs::File;
use std::io::{IsTerminal, Read, stdin, stdout};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::volume::{export, import};
use crate::sys::file;

/// Export the content of a volume as a tar archive
#[derive(clap::Parser, Debug)]
pub(crate) struct Export {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Volume by name
    #[arg(value_name = "VOLUME")]
    volume: String,
}

impl Execute for Export {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let Some(path) = &self.output else {
            if stdout().is_terminal() {
                let why = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
                return Err(Error::usage("volume export", "", why).into());
            }
            let output = stdout().as_fd().try_clone_to_owned()?;
            export(&engine, &self.volume, File::from(output))?;
            return Ok(ExitStatus::Code(0));
        };
        let path = session.absolute(path);
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            let output = File::options().write(true).open(&path);
            let output = output.map_err(|error| Error::io("open", &path, error))?;
            export(&engine, &self.volume, output)?;
            return Ok(ExitStatus::Code(0));
        }
        // A regular file appears when it is whole.
        let temporary = path.with_file_name(file::random_name(".ketch-export-")?);
        let output = file::create_new(&temporary)
            .map_err(|error| Error::io("create file in the directory of", &path, error))?;
        let done = export(&engine, &self.volume, output)
            .and_then(|()| Ok(file::rename(&temporary, &path)?));
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        done.map(|()| ExitStatus::Code(0))
    }
}

/// Import the content of a tar archive into a volume
#[derive(clap::Parser, Debug)]
pub(crate) struct Import {
    /// Volume by name
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// Archive, compressed or not; - is standard input
    #[arg(value_name = "FILE", default_value = "-", value_hint = clap::ValueHint::AnyPath)]
    source: String,
}

impl Execute for Import {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut input: Box<dyn Read + Send> = match self.source.as_str() {
            "-" => Box::new(stdin()),
            source => {
                let path = session.absolute(Path::new(source));
                let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
                Box::new(file)
            }
        };
        import(&engine, &self.volume, &mut input)?;
        Ok(ExitStatus::Code(0))
    }
}
