//! `untag`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::image::tag;

/// Take names away from an image, which stays: the given ones, or all
#[derive(clap::Parser, Debug)]
pub(crate) struct Untag {
    /// Image by name, ID or digest
    #[arg(value_name = "IMAGE")]
    image: String,

    /// Names to take away
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Execute for Untag {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        tag::untag(&engine.store, &self.image, &self.names)?;
        Ok(ExitStatus::Code(0))
    }
}
