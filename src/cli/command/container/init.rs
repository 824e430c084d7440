//! `container init`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{ContainerState, initialize};

use super::select::{Selection, conclude};

/// Make everything ready for the next start of one or more containers
///
/// Whatever would keep a start from succeeding is said: a missing image, a missing bind source,
/// a seccomp profile that cannot be read. There is no process before the start, and the
/// container's state stays what it is.
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
        let fits = |state: ContainerState| !state.is_active();
        let names = self.selection.resolve(&engine, false, fits)?;
        let one = |name: String| {
            let done = initialize(&engine, &name);
            (name, done)
        };
        conclude(session, names.into_iter().map(one).collect(), listed)
    }
}
