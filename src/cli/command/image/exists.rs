//! `image exists`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::image::lookup;

/// Check whether an image is here: the exit code is 0 if it is, 1 if not
#[derive(clap::Parser, Debug)]
pub(crate) struct Exists {
    /// Image by name, ID or digest
    #[arg(value_name = "IMAGE")]
    image: String,
}

impl Execute for Exists {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let found = lookup(&engine.store, &self.image)?;
        Ok(ExitStatus::Code(u8::from(found.is_none())))
    }
}
