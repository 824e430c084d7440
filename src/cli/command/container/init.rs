//! `container init`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::ContainerState;
use crate::supervisor;

use super::select::{Selection, conclude};

/// Initialize one or more containers
///
/// Everything of the container is made: its namespaces, mounts, network and cgroup, and a first
/// process that waits for `start` to become the payload. What would keep the container from
/// starting is said here.
#[derive(clap::Parser, Debug)]
pub(crate) struct Init {
    #[command(flatten)]
    selection: Selection,
}

impl Execute for Init {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("container init")?;
        let listed = self.selection.is_listed();
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let fits =
            |state: ContainerState| !state.is_active() && state != ContainerState::Initialized;
        let names = self.selection.resolve(&engine, false, fits)?;
        let one = |name: String| {
            let done = supervisor::initialize(&engine, &name);
            (name, done)
        };
        conclude(session, names.into_iter().map(one).collect(), listed)
    }
}
