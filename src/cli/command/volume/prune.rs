//! `volume prune`.

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
use crate::engine::volume::prune;

/// Remove anonymous volumes that no container has
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    /// Remove all unused volumes, not just anonymous ones
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    prune: PruneArgs,

    #[command(flatten)]
    format: FormatArgs,
}

impl Execute for Prune {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        // docker's older word for --all.
        let (switches, filters): (Vec<_>, Vec<_>) = filters(&self.prune.filter)?
            .into_iter()
            .partition(|(key, _)| key == "all");
        let all = self.all
            || session.personality == Personality::Podman
            || switches
                .iter()
                .any(|(_, value)| value == "true" || value == "1");
        let what = match all {
            true => "WARNING! This will remove all volumes not used by at least one container.",
            false => {
                "WARNING! This will remove anonymous local volumes not used by at least one container."
            }
        };
        if !confirm(session, self.prune.force, "volume prune", what)? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let pruned = prune(&engine, all, &filters)?;
        let report = json!({
            "VolumesDeleted": pruned.volumes,
            "SpaceReclaimed": pruned.reclaimed,
        });
        let text = || match session.personality {
            Personality::Podman => lines(&pruned.volumes),
            Personality::Docker => format!(
                "{}Total reclaimed space: {}\n",
                section("Volumes", &pruned.volumes),
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
