//! `volume export` and `volume import`.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use crate::cli::command::Execute;
use crate::cli::output::file;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::volume::{export, import};

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
        let path = self.output.as_deref().map(|path| session.absolute(path));
        file::fill("volume export", path.as_deref(), |output| {
            export(&engine, &self.volume, output)
        })?;
        Ok(ExitStatus::Code(0))
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
