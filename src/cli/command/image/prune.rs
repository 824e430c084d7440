//! `image prune`.

use crate::cli::args::{FormatArgs, PruneArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::output::{document, terminal};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind, human_size};
use crate::engine::Engine;
use crate::engine::container::sweep;
use crate::engine::image::prune::{self, Request};
use crate::engine::image::remove::Event;

/// Remove unused images
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    /// Remove all unused images, not just dangling ones
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
        let filters = filters(&self.prune.filter)?;
        let what = match self.all {
            true => {
                "WARNING! This will remove all images without at least one container associated to them."
            }
            false => "WARNING! This will remove all dangling images.",
        };
        if !confirm(session, self.prune.force, "image prune", what)? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        engine.apply_blob_policy()?;
        let removal = prune::prune(
            &engine.store,
            &Request {
                all: self.all,
                filters,
            },
        )?;
        if !removal.left.is_empty() {
            // Files of subordinate ids go when the store is swept as their owner.
            sweep(&engine);
        }
        let report = report(&removal.events, removal.reclaimed);
        let text = || match session.personality {
            Personality::Podman => ids(&removal.events),
            Personality::Docker => format!(
                "{}Total reclaimed space: {}\n",
                section(&removal.events),
                human_size(removal.reclaimed)
            ),
        };
        session.data(&document(
            session.personality,
            &format,
            "report",
            &report,
            text,
        )?)?;
        for (_, error) in &removal.failures {
            session.report(error);
        }
        Ok(match removal.failures.is_empty() {
            true => ExitStatus::Code(0),
            false => session.personality.failure(),
        })
    }
}

/// Asks unless forced; false for podman's caller who does not want it.
///
/// # Errors
/// docker: `Interrupted` when the answer is not yes.
pub(in crate::cli::command) fn confirm(
    session: &Session,
    force: bool,
    command: &str,
    warning: &str,
) -> anyhow::Result<bool> {
    let question = format!("{warning}\nAre you sure you want to continue?");
    match force || terminal::confirm(&question) {
        true => Ok(true),
        false if session.personality == Personality::Podman => Ok(false),
        false => Err(Error::new(Kind::Interrupted, command, "")
            .because("cancelled".to_owned())
            .hint("--force asks no question")
            .into()),
    }
}

/// docker's section of what was deleted; nothing when nothing was.
pub(in crate::cli::command) fn section(events: &[Event]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let lines: String = events
        .iter()
        .map(|event| match event {
            Event::Untagged(name) => format!("untagged: {name}\n"),
            Event::Deleted(digest) => format!("deleted: {digest}\n"),
        })
        .collect();
    format!("Deleted Images:\n{lines}\n")
}

/// podman's lines: the ids alone.
pub(in crate::cli::command) fn ids(events: &[Event]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Deleted(digest) => Some(format!("{}\n", digest.hex())),
            Event::Untagged(_) => None,
        })
        .collect()
}

/// The keys of docker's API answer.
pub(in crate::cli::command) fn report(events: &[Event], reclaimed: u64) -> serde_json::Value {
    let deleted: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Untagged(name) => serde_json::json!({ "Untagged": name }),
            Event::Deleted(digest) => serde_json::json!({ "Deleted": digest }),
        })
        .collect();
    serde_json::json!({ "ImagesDeleted": deleted, "SpaceReclaimed": reclaimed })
}
