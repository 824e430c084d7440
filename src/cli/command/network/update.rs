//! `network update`.

use super::create::addresses;
use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::network;

/// Change the name servers of a network; its running containers use them at once
#[derive(clap::Parser, Debug)]
pub(crate) struct Update {
    /// Add a server that containers ask for names outside
    #[arg(
        long,
        value_name = "IP",
        value_delimiter = ',',
        required_unless_present = "dns_drop"
    )]
    dns_add: Vec<String>,

    /// Remove such a server
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    dns_drop: Vec<String>,

    /// Network by name or ID
    #[arg(value_name = "NETWORK")]
    network: String,
}

impl Execute for Update {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let add = addresses("--dns-add", &self.dns_add)?;
        let drop = addresses("--dns-drop", &self.dns_drop)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        network::update(&engine, &self.network, &add, &drop)?;
        Ok(ExitStatus::Code(0))
    }
}
