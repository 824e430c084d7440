//! `network exists`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::network;

/// Check whether a network exists: the exit code is 0 if it does, 1 if not
#[derive(clap::Parser, Debug)]
pub(crate) struct Exists {
    /// Network by name or ID
    #[arg(value_name = "NETWORK")]
    network: String,
}

impl Execute for Exists {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        match network::find(&engine, &self.network) {
            Ok(_) => Ok(ExitStatus::Code(0)),
            Err(error) if error_report::kind(&error) == Some(Kind::NotFound) => {
                Ok(ExitStatus::Code(1))
            }
            Err(error) => Err(error),
        }
    }
}
