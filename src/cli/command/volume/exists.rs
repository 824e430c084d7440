//! `volume exists`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Kind};
use crate::engine::Engine;

/// Check whether a volume exists: the exit code is 0 if it does, 1 if not
#[derive(clap::Parser, Debug)]
pub(crate) struct Exists {
    /// Volume by name
    #[arg(value_name = "VOLUME")]
    volume: String,
}

impl Execute for Exists {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        match engine.store.volumes().find(&self.volume) {
            Ok(_) => Ok(ExitStatus::Code(0)),
            Err(error) if error.kind() == Kind::NotFound => Ok(ExitStatus::Code(1)),
            Err(error) => Err(error.into()),
        }
    }
}
