//! `volume inspect`.

use serde_json::{Value, json};

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::store::VolumeRecord;

/// Display detailed information on one or more volumes
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Names of volumes
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        show(session, &format, &self.volumes, |name| {
            let record = engine.store.volumes().find(name)?;
            Ok(document(&engine, session.personality, &record))
        })
    }
}

/// The document of one volume.
pub(super) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    record: &VolumeRecord,
) -> Value {
    let mut value = json!({
        "CreatedAt": record.created.to_string(),
        "Driver": record.driver,
        "Labels": record.labels,
        "Mountpoint": engine.store.volumes().data(&record.name),
        "Name": record.name,
        "Options": record.options,
        "Scope": "local",
    });
    if personality == Personality::Podman {
        value["Anonymous"] = json!(record.anonymous);
        value["MountCount"] = json!(0);
        value["NeedsCopyUp"] = json!(false);
        value["NeedsChown"] = json!(false);
    }
    value
}
