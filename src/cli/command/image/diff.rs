//! `image diff`.

use crate::cli::command::{Execute, container};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;

/// Inspect changes that the last layer of an image makes to those below it
#[derive(clap::Parser, Debug)]
pub(crate) struct Diff {
    /// Change the output format (json)
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Image by name, ID or digest
    #[arg(value_name = "IMAGE")]
    image: String,
}

impl Execute for Diff {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.as_deref();
        container::diff::show(session, &self.image, format, Personality::Podman)
    }
}
