//! `volume ls`.

use serde_json::json;

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, json as form, listing};
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::volume;
use crate::store::VolumeRecord;

/// List volumes
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgs,

    /// Provide filter values, such as dangling=true, driver=, label=, name=, anonymous=, until=
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
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let users = volume::users(&engine)?;
        // A bad filter is one without volumes, too.
        volume::passes(&VolumeRecord::new(""), false, &filters)?;
        let mut names = String::new();
        let mut rows = Vec::new();
        for record in engine.store.volumes().list()? {
            let used = users.get(&record.name).map_or(0, Vec::len);
            if !volume::passes(&record, used > 0, &filters)? {
                continue;
            }
            names.push_str(&format!("{}\n", record.name));
            rows.push(row(&engine, &record, used));
        }
        let columns = Columns {
            of: "volume",
            shown: &["Driver", "Name"],
            headers: &[("Name", "VOLUME NAME")],
            heading: !self.noheading,
        };
        session.data(&match self.quiet {
            true => names,
            false => listing::list(session.personality, &format, &columns, &rows)?,
        })?;
        Ok(ExitStatus::Code(0))
    }
}

fn row(engine: &Engine<'_>, record: &VolumeRecord, used: usize) -> Row {
    let podman = volume::inspect_podman(engine, record, used);
    let docker = json!({
        "Availability": "N/A",
        "Driver": record.driver,
        "Group": "N/A",
        "Labels": form::joined(&record.labels),
        "Links": "N/A",
        "Mountpoint": podman["Mountpoint"],
        "Name": record.name,
        "Scope": "local",
        "Size": "N/A",
        "Status": "N/A",
    });
    (docker, podman)
}
