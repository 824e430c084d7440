//! `volume prune`.

use serde_json::json;

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::command::image::prune::confirm;
use crate::cli::output::document;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ExitStatus, human_size};

use crate::engine::{Engine, volume};

/// Remove volumes that no container mounts
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    /// Remove all unused volumes, not just anonymous ones; podman's habits mean all anyway
    #[arg(short, long)]
    all: bool,

    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,

    /// Provide filter values, such as label=KEY
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    #[command(flatten)]
    format: FormatArgs,
}

impl Execute for Prune {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let filters = filters(&self.filter)?;
        volume::check_filters(&filters)?;
        let is_podman = session.personality == Personality::Podman;
        let all = self.all
            || is_podman
            || filters
                .iter()
                .any(|(key, value)| key == "all" && value == "true");
        let what = if all { "all" } else { "anonymous" };
        confirm(
            self.force,
            "volume prune",
            &format!(
                "WARNING! This will remove {what} local volumes not used by at least one container."
            ),
        )?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let removed = volume::prune(&engine, all, |record| {
            volume::matches(record, false, &filters)
        })?;
        let names: Vec<&String> = removed.iter().map(|(name, _)| name).collect();
        let freed: u64 = removed.iter().map(|(_, size)| size).sum();
        let report = json!({"VolumesDeleted": names, "SpaceReclaimed": freed});
        let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
        let text = || match (is_podman, names.is_empty()) {
            (true, _) => lines.clone(),
            (false, true) => format!("Total reclaimed space: {}\n", human_size(freed)),
            (false, false) => format!(
                "Deleted Volumes:\n{lines}\nTotal reclaimed space: {}\n",
                human_size(freed)
            ),
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
