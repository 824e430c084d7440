//! `volume rm`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::container::{self, RemoveRequest};
use crate::engine::{Engine, volume};

/// Remove one or more volumes
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Do not fail if a volume does not exist; with podman's habits, remove its containers too
    #[arg(short, long)]
    force: bool,

    /// With podman's habits: remove all volumes
    #[arg(short, long)]
    all: bool,

    /// Names of volumes
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut names = self.volumes;
        if self.all {
            let all = engine.store.volumes().list()?;
            names = all.into_iter().map(|record| record.name).collect();
        } else if names.is_empty() {
            return Err(Error::usage("volume rm", "", "requires at least 1 argument").into());
        }
        let mut status = ExitStatus::Code(0);
        for name in &names {
            if self.force && session.personality == Personality::Podman {
                let request = RemoveRequest {
                    containers: volume::users(&engine)?.remove(name).unwrap_or_default(),
                    force: true,
                    ..RemoveRequest::default()
                };
                for (_, done) in container::remove(&engine, &request) {
                    done?;
                }
            }
            let Err(error) = volume::remove(&engine, name) else {
                session.data(&format!("{name}\n"))?;
                continue;
            };
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
        Ok(status)
    }
}
