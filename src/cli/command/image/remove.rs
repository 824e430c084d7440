//! `rmi`.

use std::collections::BTreeSet;

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Kind, Result};
use crate::engine::Engine;
use crate::engine::container::sweep;
use crate::engine::image::remove::{self, Event, Request};

use super::whole;

/// Remove one or more images
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Force removal of the image
    #[arg(short, long)]
    force: bool,

    /// Remove all images
    #[arg(short, long, conflicts_with = "images")]
    all: bool,

    /// Do not delete untagged layers and blobs now
    #[arg(long)]
    no_prune: bool,

    /// Do not fail when an image does not exist
    #[arg(short, long)]
    ignore: bool,

    /// Images by name, ID or digest
    #[arg(required_unless_present = "all", value_name = "IMAGE")]
    images: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let images = match self.all {
            true => every(&engine)?,
            false => self.images,
        };
        let request = Request {
            images,
            force: self.force,
            no_prune: self.no_prune,
        };
        let removal = remove::remove(&engine.store, &request)?;
        if !removal.left.is_empty() {
            // Files of subordinate ids go when the store is swept as their owner.
            sweep(&engine);
        }
        session.data(&lines(session.personality, &removal.events))?;
        let mut status = ExitStatus::Code(0);
        for (_, error) in &removal.failures {
            let missing = error_report::kind(error) == Some(Kind::NotFound);
            if missing && (self.ignore || self.force && session.personality == Personality::Podman)
            {
                continue;
            }
            session.report(error);
            status = match error_report::kind(error) {
                // docker: `rmi -f nosuch` complains and succeeds.
                Some(Kind::NotFound) if self.force => status,
                Some(Kind::NotFound) => session.personality.missing(),
                Some(Kind::Conflict) => session.personality.in_use(),
                _ => session.personality.failure(),
            };
        }
        Ok(status)
    }
}

/// The id of each image, once.
fn every(engine: &Engine<'_>) -> Result<Vec<String>> {
    let records = engine.store.images().records()?;
    let ids: BTreeSet<String> = records.iter().map(|one| one.config.to_string()).collect();
    Ok(ids.into_iter().collect())
}

/// docker's lines; podman's have whole names and bare numbers.
fn lines(personality: Personality, events: &[Event]) -> String {
    let line = |event: &Event| match (event, personality) {
        (Event::Untagged(name), _) => format!("Untagged: {}\n", whole(personality, name)),
        (Event::Deleted(digest), Personality::Docker) => format!("Deleted: {digest}\n"),
        (Event::Deleted(digest), Personality::Podman) => format!("Deleted: {}\n", digest.hex()),
    };
    events.iter().map(line).collect()
}
