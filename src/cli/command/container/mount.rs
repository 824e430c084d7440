//! `container mount` and `container unmount`.

use serde_json::{Value, json};

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Format, json as text};
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{ListRequest, Mounted, list, mount, mounted, unmount};

/// Mount a container's root filesystem, or list those that are
///
/// Prints where. Only root can: without it a mount is seen by nobody else.
#[derive(clap::Parser, Debug)]
pub(crate) struct Mount {
    /// Mount all containers
    #[arg(short, long)]
    all: bool,

    /// Print the mounted containers in this format (json)
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Do not truncate output
    #[arg(long, visible_alias = "no-trunc")]
    notruncate: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Unmount a container's root filesystem
#[derive(clap::Parser, Debug)]
pub(crate) struct Unmount {
    /// Unmount all containers
    #[arg(short, long)]
    all: bool,

    /// Unmount whatever uses the mount
    #[arg(short, long)]
    force: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Execute for Mount {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = Format::parse(self.format.as_deref())?;
        if !matches!(format, Format::Json | Format::Text) {
            return Err(Error::usage("mount", "", "the only format is json").into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.all && !self.containers.is_empty() {
            return Err(Error::usage("mount", "", "name containers, or use --all").into());
        }
        if self.containers.is_empty() && !self.all {
            let found = mounted(&engine)?;
            session.data(&shown(&found, &format, self.notruncate))?;
            return Ok(ExitStatus::Code(0));
        }
        let names = match self.all {
            true => everything(&engine)?,
            false => self.containers,
        };
        let mut status = ExitStatus::Code(0);
        for (_, done) in mount(&engine, &names) {
            match done {
                Ok(path) => session.data(&format!("{}\n", path.display()))?,
                Err(error) => {
                    session.report(&error);
                    status = session.personality.failure();
                }
            }
        }
        Ok(status)
    }
}

impl Execute for Unmount {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.all != self.containers.is_empty() {
            return Err(Error::usage("unmount", "", "name containers, or use --all").into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let names = match self.all {
            true => mounted(&engine)?
                .into_iter()
                .map(|found| found.id)
                .collect(),
            false => self.containers,
        };
        let mut status = ExitStatus::Code(0);
        for (_, done) in unmount(&engine, &names) {
            match done {
                Ok(id) => session.data(&format!("{id}\n"))?,
                Err(error) => {
                    session.report(&error);
                    status = session.personality.failure();
                }
            }
        }
        Ok(status)
    }
}

fn everything(engine: &Engine<'_>) -> anyhow::Result<Vec<String>> {
    let request = ListRequest {
        all: true,
        size: false,
    };
    let rows = list(engine, request)?;
    Ok(rows.into_iter().map(|row| row.id.to_string()).collect())
}

fn shown(found: &[Mounted], format: &Format, whole: bool) -> String {
    if matches!(format, Format::Json) {
        let rows: Vec<Value> = found
            .iter()
            .map(|found| {
                json!({
                    "id": found.id,
                    "Names": [found.name],
                    "mountpoint": found.path.display().to_string(),
                })
            })
            .collect();
        return format!("{}\n", text::pretty(&rows.into()));
    }
    found
        .iter()
        .map(|found| {
            let length = if whole { 64 } else { 12 };
            let id: String = found.id.chars().take(length).collect();
            format!("{id} {}\n", found.path.display())
        })
        .collect()
}
