//! `volume rm`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{self, RemoveRequest};
use crate::engine::volume;

/// Remove one or more volumes that no container has
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Remove all volumes
    #[arg(short, long)]
    all: bool,

    /// Do not fail when a volume does not exist; podman's habit: remove its containers first
    #[arg(short, long)]
    force: bool,

    /// With --force under podman's name: seconds before what uses a volume is killed
    #[arg(short, long, value_name = "SECONDS", allow_hyphen_values = true)]
    time: Option<String>,

    /// Volumes by name
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.all != self.volumes.is_empty() {
            let why = "requires at least 1 argument: name volumes, or use --all";
            return Err(Error::usage("volume rm", "", why).into());
        }
        let time = parse::number::seconds("--time", self.time.as_deref())?;
        if time.is_some() && !self.force {
            let why = "it is for --force, which ends what uses a volume";
            return Err(Error::usage("use --time", "", why).into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let wanted = match self.all {
            true => {
                let all = engine.store.volumes().list()?;
                all.into_iter().map(|record| record.name).collect()
            }
            false => self.volumes,
        };
        let mut status = ExitStatus::Code(0);
        for name in &wanted {
            if self.force && session.personality == Personality::Podman {
                remove_users(&engine, name, time)?;
            }
            match volume::remove(&engine, name) {
                Ok(()) => session.data(&format!("{name}\n"))?,
                Err(error) => {
                    let kind = error_report::kind(&error);
                    if kind == Some(Kind::NotFound) && self.force {
                        continue;
                    }
                    session.report(&error);
                    status = match kind {
                        Some(Kind::NotFound) => session.personality.missing(),
                        Some(Kind::Conflict) => session.personality.in_use(),
                        _ => session.personality.failure(),
                    };
                }
            }
        }
        Ok(status)
    }
}

/// podman's `-f`: containers that have the volume go first. What is left of them shows when the
/// volume is removed.
fn remove_users(engine: &Engine<'_>, wanted: &str, time: Option<i64>) -> anyhow::Result<()> {
    let Ok(record) = engine.store.volumes().find(wanted) else {
        return Ok(());
    };
    let request = RemoveRequest {
        containers: volume::users_of(engine, &record.name)?,
        force: true,
        time,
        ..RemoveRequest::default()
    };
    container::clear(engine, &request)
}
