//! `volume exists`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;

/// Check whether a volume exists: the exit code is 0 if it does, 1 if not
#[derive(clap::Parser, Debug)]
pub(crate) struct Exists {
    /// Name of the volume
    #[arg(value_name = "VOLUME")]
    volume: String,
}

impl Execute for Exists {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let found = engine.store.volumes().named(&self.volume)?;
        Ok(ExitStatus::Code(u8::from(found.is_none())))
    }
}
