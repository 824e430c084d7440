//! `network prune`.

use serde_json::json;

use crate::cli::args::{FormatArgs, PruneArgs, filters};
use crate::cli::command::Execute;
use crate::cli::command::image::prune::confirm;
use crate::cli::output::deleted::{lines, section};
use crate::cli::output::document;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::network;

/// Remove all networks that no container asks for
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    #[command(flatten)]
    prune: PruneArgs,

    #[command(flatten)]
    format: FormatArgs,
}

impl Execute for Prune {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let filters = filters(&self.prune.filter)?;
        if !confirm(
            session,
            self.prune.force,
            "network prune",
            "WARNING! This will remove all custom networks not used by at least one container.",
        )? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let names = network::prune(&engine, &filters)?;
        let report = json!({"NetworksDeleted": names});
        let text = || match session.personality {
            Personality::Docker => section("Networks", &names),
            Personality::Podman => lines(&names),
        };
        session.data(&document(
            session.personality,
            &format,
            "report",
            &report,
            text,
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}
