//! `network disconnect`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::network;

/// Disconnect a container from a network
#[derive(clap::Parser, Debug)]
pub(crate) struct Disconnect {
    /// Succeed for a container that is gone or not on the network
    #[arg(short, long)]
    force: bool,

    /// Network by name or ID
    #[arg(value_name = "NETWORK")]
    network: String,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl Execute for Disconnect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        match network::disconnect(&engine, &self.container, &self.network, self.force) {
            Err(error) if self.force && error_report::kind(&error) == Some(Kind::NotFound) => {
                Ok(ExitStatus::Code(0))
            }
            other => other.map(|()| ExitStatus::Code(0)),
        }
    }
}
