//! `kill`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{ContainerState, kill};
use crate::sys::signal;

use super::select::{Selection, conclude};

/// Kill one or more running containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Kill {
    /// Signal to send to the container
    #[arg(
        short,
        long,
        allow_hyphen_values = true,
        value_name = "SIGNAL",
        default_value = "KILL"
    )]
    signal: String,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Kill {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("kill")?;
        let signal = match session.personality {
            // As kill(1) has it.
            Personality::Podman => signal::parse(self.signal.trim_start_matches('-'))?,
            Personality::Docker => signal::parse(&self.signal)?,
        };
        let listed = self.selection.is_listed();
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let names = self
            .selection
            .resolve(&engine, false, ContainerState::has_process)?;
        conclude(session, kill(&engine, &names, signal), listed)
    }
}
