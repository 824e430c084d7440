//! `network inspect`.

use serde_json::Value;

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::network;

/// Display detailed information on one or more networks
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Verbose output for diagnostics
    #[arg(short, long)]
    verbose: bool,

    /// Networks by name or ID
    #[arg(required = true, value_name = "NETWORK")]
    networks: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        show(session, &format, &self.networks, |name| {
            document(&engine, session.personality, name)
        })
    }
}

/// The document of one network.
pub(in crate::cli::command) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    name: &str,
) -> anyhow::Result<Value> {
    let found = network::inspect(engine, name)?;
    Ok(match personality {
        Personality::Docker => network::docker(&found),
        Personality::Podman => network::podman(found.record(), Some(&found)),
    })
}
