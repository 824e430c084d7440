//! Which containers a command is about: those named, or all, the latest, those of files, those
//! that fit a filter.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::args::filters;
use crate::cli::error_report;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{ContainerState, ContainerSummary, ListRequest, list};
use crate::sys::file;

use super::filter::Filters;

/// Longest file with an id, in bytes.
const MAX_ID_FILE: usize = 4096;

/// The containers of a command that takes several.
#[derive(clap::Args, Debug, Clone, Default)]
pub(super) struct Selection {
    /// Act on all containers
    #[arg(short, long)]
    all: bool,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Read the container ID from the file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    cidfile: Vec<PathBuf>,

    /// Act on the containers that fit
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Selection {
    /// Checks everything that needs no look at containers.
    ///
    /// # Errors
    /// `Usage` when nothing is named, or two ways at once.
    pub(super) fn check(&self, command: &str) -> Result<(), Error> {
        let named = !self.containers.is_empty() || !self.cidfile.is_empty();
        let ways = [named, self.all, self.latest, !self.filter.is_empty()];
        // podman: --all and --filter go together.
        let count = ways.iter().filter(|way| **way).count();
        let both = self.all && !self.filter.is_empty();
        let why = match count {
            0 => {
                "requires at least 1 argument: name containers, or use --all, --latest, --cidfile \
                 or --filter"
            }
            1 => return filters(&self.filter).and_then(|pairs| Filters::parse(&pairs).map(drop)),
            2 if both => return Ok(()),
            _ => "names, --all, --latest and --filter cannot be used together",
        };
        Err(Error::usage(command, "", why))
    }

    /// As if `--all` had been given.
    pub(super) fn choose_all(&mut self) {
        self.all = true;
    }

    /// The containers come from a list: one that is gone since is no failure.
    pub(super) fn is_listed(&self) -> bool {
        self.all || !self.filter.is_empty()
    }

    /// Names and ids, in order. `fits` says in which states the command is for a container that
    /// was not named; `ignore` passes over files that are not there.
    pub(super) fn resolve(
        self,
        engine: &Engine<'_>,
        ignore: bool,
        fits: impl Fn(ContainerState) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let mut names = self.containers;
        for path in &self.cidfile {
            match file::read_bounded(path, MAX_ID_FILE) {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes);
                    names.push(text.lines().next().unwrap_or_default().trim().to_owned());
                }
                Err(error) if ignore && error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error).context("reading CIDFile"),
            }
        }
        if !self.all && !self.latest && self.filter.is_empty() {
            return Ok(names);
        }
        let all = rows(engine)?;
        if self.latest {
            let latest = all.first().map(|row| row.id.to_string());
            let missing = || Error::new(Kind::NotFound, "find the latest container", "");
            return Ok(vec![
                latest.ok_or_else(|| missing().because("there is none"))?,
            ]);
        }
        let filters = Filters::of(engine, &filters(&self.filter)?)?.resolve(&all)?;
        let wanted = all
            .iter()
            .filter(|row| fits(row.state) && filters.pass(row));
        Ok(wanted.map(|row| row.id.to_string()).collect())
    }
}

/// Every container, the newest first.
fn rows(engine: &Engine<'_>) -> anyhow::Result<Vec<ContainerSummary>> {
    let request = ListRequest {
        all: true,
        size: false,
    };
    list(engine, request)
}

/// Prints the name of each container that the command did its work on, reports the others, and
/// returns the command's status. With `ignore`, one that is not there is no failure.
pub(super) fn conclude(
    session: &Session,
    results: Vec<(String, anyhow::Result<()>)>,
    ignore: bool,
) -> anyhow::Result<ExitStatus> {
    let mut status = ExitStatus::Code(0);
    for (name, done) in results {
        match done {
            Ok(()) => session.data(&format!("{name}\n"))?,
            Err(error) if ignore && error_report::kind(&error) == Some(Kind::NotFound) => {}
            Err(error) => {
                session.report(&error);
                status = session.personality.failure();
            }
        }
    }
    Ok(status)
}
