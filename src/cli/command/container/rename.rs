//! `rename`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::rename;

/// Rename a container
#[derive(clap::Parser, Debug)]
pub(crate) struct Rename {
    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,

    /// Its new name
    #[arg(value_name = "NEW_NAME")]
    name: String,
}

impl Execute for Rename {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        rename(&engine, &self.container, &self.name)?;
        Ok(ExitStatus::Code(0))
    }
}
