//! `container prune`.

use serde_json::json;

use crate::cli::args::{FormatArgs, PruneArgs, filters};
use crate::cli::command::Execute;
use crate::cli::command::image::prune::confirm;
use crate::cli::output::deleted::{lines, section};
use crate::cli::output::document;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ExitStatus, human_size};
use crate::engine::Engine;
use crate::engine::system::prune;

/// Remove all stopped containers
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
            "container prune",
            "WARNING! This will remove all stopped containers.",
        )? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let pruned = prune::prune_containers(&engine, &filters)?;
        let report = json!({
            "ContainersDeleted": pruned.containers,
            "SpaceReclaimed": pruned.reclaimed,
        });
        let text = || match session.personality {
            Personality::Podman => lines(&pruned.containers),
            Personality::Docker => format!(
                "{}Total reclaimed space: {}\n",
                section("Containers", &pruned.containers),
                human_size(pruned.reclaimed)
            ),
        };
        session.data(&document(
            session.personality,
            &format,
            "report",
            &report,
            text,
        )?)?;
        for (_, error) in &pruned.failures {
            session.report(error);
        }
        Ok(match pruned.failures.is_empty() {
            true => ExitStatus::Code(0),
            false => session.personality.failure(),
        })
    }
}
