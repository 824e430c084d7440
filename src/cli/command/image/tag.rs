//! `tag`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::image::tag;

/// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
#[derive(clap::Parser, Debug)]
pub(crate) struct Tag {
    /// Image by name, ID or digest
    #[arg(value_name = "SOURCE_IMAGE")]
    source: String,

    /// New names
    #[arg(required = true, value_name = "TARGET_IMAGE")]
    targets: Vec<String>,
}

impl Execute for Tag {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        for target in &self.targets {
            tag::tag(&engine.store, &self.source, target)?;
        }
        Ok(ExitStatus::Code(0))
    }
}
