//! `buildx use`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::builder;

/// Set the builder instance in use
#[derive(clap::Parser, Debug)]
pub(crate) struct Use {
    /// Set it as the default of the current context; there is one
    #[arg(long)]
    default: bool,

    /// Keep it when contexts change
    #[arg(long)]
    global: bool,

    /// Name of the builder
    #[arg(value_name = "NAME")]
    name: String,
}

impl Execute for Use {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        builder::choose(&engine, &self.name)?;
        Ok(ExitStatus::Code(0))
    }
}
