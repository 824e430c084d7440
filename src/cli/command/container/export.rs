//! `export`.

use std::path::PathBuf;

use crate::cli::command::Execute;
use crate::cli::output::file;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::export;

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
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let path = self.output.as_deref().map(|path| session.absolute(path));
        file::fill("export", path.as_deref(), |output| {
            export(&engine, &self.container, output)
        })?;
        Ok(ExitStatus::Code(0))
    }
}
