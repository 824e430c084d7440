//! `container inspect`.

use serde_json::Value;

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::{Engine, container};

/// Display detailed information on one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Containers by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        show(session, &format, &self.containers, |name| {
            document(&engine, session.personality, name)
        })
    }
}

/// The document of one container, in the personality's spelling of its name.
pub(in crate::cli::command) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    name: &str,
) -> anyhow::Result<Value> {
    let mut document = container::inspect(engine, name)?;
    if personality == Personality::Podman
        && let Some(Value::String(name)) = document.get_mut("Name")
    {
        *name = name.trim_start_matches('/').to_owned();
    }
    Ok(document)
}
