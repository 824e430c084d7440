//! `network connect`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Result};
use crate::engine::Engine;
use crate::engine::network;
use crate::network::{Attachment, parse_hardware_address};
use crate::supervisor;

/// Connect a container to a network
#[derive(clap::Parser, Debug)]
pub(crate) struct Connect {
    /// Add network-scoped alias for the container
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,

    /// IPv4 address
    #[arg(long, value_name = "IP")]
    ip: Option<String>,

    /// IPv6 address
    #[arg(long, value_name = "IP")]
    ip6: Option<String>,

    /// MAC address
    #[arg(long, value_name = "MAC")]
    mac_address: Option<String>,

    /// Driver options for the network, such as com.docker.network.endpoint.ifname=NAME
    #[arg(long, value_name = "KEY=VALUE")]
    driver_opt: Vec<String>,

    /// Network by name or ID
    #[arg(value_name = "NETWORK")]
    network: String,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl Execute for Connect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let asked = self.asked()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        network::connect(&engine, &self.container, &asked)?;
        supervisor::serve_anew(&engine, &self.container)?;
        Ok(ExitStatus::Code(0))
    }
}

impl Connect {
    fn asked(&self) -> Result<Attachment> {
        let mut asked = Attachment::to(&self.network);
        for option in &self.driver_opt {
            asked.interface = Some(parse::network::driver_option(option)?);
        }
        for alias in &self.alias {
            asked.aliases.push(parse::network::alias(alias)?);
        }
        if let Some(text) = &self.ip {
            asked.ip = Some(parse::network::ip("--ip", text)?);
        }
        if let Some(text) = &self.ip6 {
            asked.ip6 = Some(parse::network::ip6("--ip6", text)?);
        }
        if let Some(text) = &self.mac_address {
            asked.mac = Some(parse_hardware_address(text)?);
        }
        Ok(asked)
    }
}
