//! `buildx inspect`.

use crate::cli::command::Execute;
use crate::cli::session::Session;
use crate::common::ExitStatus;

use super::NAME;

/// Inspect current builder instance
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    /// Ensure builder has booted before inspecting, which it always has
    #[arg(long)]
    bootstrap: bool,

    /// Name of the builder
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        super::check_name("NAME", self.name.as_deref())?;
        let version = env!("CARGO_PKG_VERSION");
        let platforms = super::platforms();
        session.data(&format!(
            "Name:   {NAME}\nDriver: docker\n\nNodes:\nName:             {NAME}\n\
             Endpoint:         {NAME}\nStatus:           running\nBuildKit version: {version}\n\
             Platforms:        {platforms}\n"
        ))?;
        Ok(ExitStatus::Code(0))
    }
}
