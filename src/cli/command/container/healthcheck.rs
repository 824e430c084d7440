//! `healthcheck run`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::probe_by_hand;
use crate::store::HealthStatus;

/// Run the health check of a container
#[derive(clap::Parser, Debug)]
pub(crate) struct Run {
    /// Succeed whatever the result of the check
    #[arg(long)]
    ignore_result: bool,

    /// Container by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

impl Execute for Run {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let probed = probe_by_hand(&engine, &self.container)?;
        let failed = probed
            .record
            .log
            .last()
            .is_none_or(|result| result.exit_code != 0);
        if !failed {
            return Ok(ExitStatus::Code(0));
        }
        // podman's word for one whose failures do not count yet, too.
        let word = match probed.record.status {
            HealthStatus::Healthy => HealthStatus::Unhealthy.word(),
            status => status.word(),
        };
        session.data(&format!("{word}\n"))?;
        Ok(ExitStatus::Code(u8::from(!self.ignore_result)))
    }
}
