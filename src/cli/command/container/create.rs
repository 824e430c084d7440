//! `create`.

use crate::cli::command::Execute;
use crate::cli::session::Session;
use crate::common::{ExitStatus, strictly};
use crate::engine::Engine;
use crate::engine::container;

use super::creation::Creation;

/// Create a new container
#[derive(clap::Parser, Debug, Default)]
#[command(
    disable_help_flag = true,
    override_usage = "ketch create [OPTIONS] IMAGE [COMMAND] [ARG...]"
)]
pub(crate) struct Create {
    #[command(flatten)]
    creation: Creation,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let request = self.creation.request(session)?;
        let progress = self.creation.progress();
        self.creation.tell_of_noops(&progress);
        let engine = Engine::open(&session.environment, &progress)?;
        let id = container::create(&engine, &request)?;
        if let Some(line) = progress.refused() {
            container::forget(&engine, &id)?;
            return Err(strictly(line).into());
        }
        session.data(&format!("{id}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}
