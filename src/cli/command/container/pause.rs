//! `pause` and `unpause`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{ContainerState, pause, unpause};

use super::select::{Selection, conclude};

/// Pause all processes within one or more containers
#[derive(clap::Parser, Debug)]
#[command(mut_arg("filter", |arg| arg.short('f')))]
pub(crate) struct Pause {
    #[command(flatten)]
    selection: Selection,
}

impl Execute for Pause {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("pause")?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let running = |state| state == ContainerState::Running;
        let names = self.selection.resolve(&engine, false, running)?;
        conclude(session, pause(&engine, &names), false)
    }
}

/// Unpause all processes within one or more containers
#[derive(clap::Parser, Debug)]
#[command(mut_arg("filter", |arg| arg.short('f')))]
pub(crate) struct Unpause {
    #[command(flatten)]
    selection: Selection,
}

impl Execute for Unpause {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("unpause")?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let paused = |state| state == ContainerState::Paused;
        let names = self.selection.resolve(&engine, false, paused)?;
        conclude(session, unpause(&engine, &names), false)
    }
}
