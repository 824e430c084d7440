//! `network reload`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::network;

/// Add the firewall's rules of running containers again, after a reload of the firewall
#[derive(clap::Parser, Debug)]
pub(crate) struct Reload {
    /// Reload the networks of all running containers
    #[arg(short, long, conflicts_with = "containers")]
    all: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER", required_unless_present = "all")]
    containers: Vec<String>,
}

impl Execute for Reload {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let named = (!self.all).then_some(self.containers.as_slice());
        for id in network::reload(&engine, named)? {
            session.data(&format!("{id}\n"))?;
        }
        Ok(ExitStatus::Code(0))
    }
}
