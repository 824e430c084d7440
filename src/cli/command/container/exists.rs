//! `container exists`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Kind};
use crate::engine::Engine;

/// Check whether a container exists: the exit code is 0 if it does, 1 if not
#[derive(clap::Parser, Debug)]
pub(crate) struct Exists {
    /// Look at containers of other tools in the same storage, too; there never are any
    #[arg(short, long)]
    external: bool,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl Execute for Exists {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        match engine.store.containers().find(&self.container) {
            Ok(_) => Ok(ExitStatus::Code(0)),
            Err(error) if error.kind() == Kind::NotFound => Ok(ExitStatus::Code(1)),
            // podman: neither yes nor no.
            Err(error) => {
                session.report(&error.into());
                Ok(ExitStatus::ENGINE)
            }
        }
    }
}
