//! `volume ls`.

use serde_json::json;

use super::inspect::document;
use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::{self, Row};
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, json as form};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::{Engine, volume};
use crate::store::VolumeRecord;

/// List volumes
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgs,

    /// Provide filter values: name, label, driver or dangling
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Only display volume names
    #[arg(short, long)]
    quiet: bool,

    /// Do not print headers
    #[arg(short, long)]
    noheading: bool,
}

impl Execute for List {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let filters = filters(&self.filter)?;
        volume::check_filters(&filters)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let users = volume::users(&engine)?;
        let mut found = engine.store.volumes().list()?;
        found.retain(|record| volume::matches(record, users.contains_key(&record.name), &filters));
        let text = match self.quiet {
            true => found
                .iter()
                .map(|record| format!("{}\n", record.name))
                .collect(),
            false => {
                let rows: Vec<Row> = found.iter().map(|record| row(&engine, record)).collect();
                let columns = Columns {
                    of: "volume",
                    shown: &["Driver", "Name"],
                    headers: &[("Name", "VOLUME NAME")],
                    heading: !self.noheading,
                };
                listing::list(session.personality, &format, &columns, &rows)?
            }
        };
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}

fn row(engine: &Engine<'_>, record: &VolumeRecord) -> Row {
    let docker = json!({
        "Availability": "N/A",
        "Driver": record.driver,
        "Group": "N/A",
        "Labels": form::joined(&record.labels),
        "Links": "N/A",
        "Mountpoint": engine.store.volumes().data(&record.name),
        "Name": record.name,
        "Scope": "local",
        "Size": "N/A",
        "Status": "N/A",
    });
    (docker, document(engine, Personality::Podman, record))
}
