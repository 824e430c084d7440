//! `system prune`.

use serde_json::json;

use crate::cli::args::{FormatArgs, PruneArgs, filters};
use crate::cli::command::Execute;
use crate::cli::command::image::prune as images;
use crate::cli::output::deleted::section;
use crate::cli::output::document;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, human_size};
use crate::engine::Engine;
use crate::engine::container::sweep;
use crate::engine::system::prune::{self, Request};

/// Remove unused data
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    prune: PruneArgs,

    /// Prune anonymous volumes, too
    #[arg(long)]
    volumes: bool,

    #[command(flatten)]
    format: FormatArgs,
}

impl Execute for Prune {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let filters = filters(&self.prune.filter)?;
        let timed = |filter: &String| filter.starts_with("until=");
        if self.volumes && self.prune.filter.iter().any(timed) {
            // docker's words; a volume has no time of use to compare with.
            let why = "the \"until\" filter is not supported with \"--volumes\"";
            return Err(Error::usage("prune", "", why).into());
        }
        let what = match self.all {
            true => "all images without at least one container associated to them",
            false => "all dangling images",
        };
        let more = match self.volumes {
            true => "  - all anonymous volumes not used by at least one container\n",
            false => "",
        };
        let warning = format!(
            "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used \
                 by at least one container\n{more}  - {what}\n  - unused build cache\n"
        );
        if !images::confirm(session, self.prune.force, "system prune", &warning)? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = Request {
            all: self.all,
            volumes: self.volumes,
            filters,
        };
        engine.apply_blob_policy()?;
        let pruned = prune::prune(&engine, &request)?;
        if !pruned.left.is_empty() {
            // Files of subordinate ids go when the store is swept as their owner.
            sweep(&engine);
        }
        let mut report = images::report(&pruned.images, pruned.reclaimed);
        report["ContainersDeleted"] = json!(pruned.containers);
        report["NetworksDeleted"] = json!(pruned.networks);
        report["VolumesDeleted"] = json!(pruned.volumes);
        let text = || {
            format!(
                "{}{}{}{}Total reclaimed space: {}\n",
                section("Containers", &pruned.containers),
                section("Networks", &pruned.networks),
                section("Volumes", &pruned.volumes),
                images::section(&pruned.images),
                human_size(pruned.reclaimed)
            )
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
