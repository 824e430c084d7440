//! `buildx version`.

use crate::cli::command::Execute;
use crate::cli::session::Session;
use crate::common::ExitStatus;

/// The release of docker's buildx whose flags are taken; tools compare it.
const BUILDX: &str = "v0.20.0";

/// Show builder version information
#[derive(clap::Parser, Debug)]
pub(crate) struct Version {}

impl Execute for Version {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        // buildx: package, version, revision.
        let own = env!("CARGO_PKG_VERSION");
        session.data(&format!("github.com/docker/buildx {BUILDX} ketch-{own}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}
