//! `volume inspect`.

use serde_json::Value;

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::volume;

/// Display detailed information on one or more volumes
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Inspect all volumes
    #[arg(short, long)]
    all: bool,

    /// Volumes by name
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.all != self.volumes.is_empty() {
            let why = "requires at least 1 argument: name volumes, or use --all";
            return Err(Error::usage("volume inspect", "", why).into());
        }
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let names = match self.all {
            true => {
                let all = engine.store.volumes().list()?;
                all.into_iter().map(|record| record.name).collect()
            }
            false => self.volumes,
        };
        show(session, &format, &names, |name| {
            document(&engine, session.personality, name)
        })
    }
}

/// The document of one volume.
pub(in crate::cli::command) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    name: &str,
) -> anyhow::Result<Value> {
    let record = engine.store.volumes().find(name)?;
    Ok(match personality {
        Personality::Docker => volume::inspect(engine, &record),
        Personality::Podman => {
            let users = volume::users_of(engine, &record.name)?.len();
            volume::inspect_podman(engine, &record, users)
        }
    })
}
