//! `start`.

use std::collections::HashMap;

use crate::cli::args::filters;
use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ContainerId, Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{ContainerSummary, ListRequest, list};
use crate::supervisor::{self, DetachKeys, Viewer, Wanted};

use super::filter::Filters;

/// Start one or more stopped containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Start {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,

    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,

    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,

    /// Proxy received signals to the process
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    sig_proxy: Option<bool>,

    /// Start all containers
    #[arg(long)]
    all: bool,

    /// Start the containers that fit
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Whole ids of containers by name or part of an id, each with what it was called by.
fn ids(engine: &Engine<'_>, names: Vec<String>) -> anyhow::Result<HashMap<ContainerId, String>> {
    let one = |name: String| {
        let record = engine.store.containers().find(&name)?.entry()?.record;
        Ok((record.id, name))
    };
    names.into_iter().map(one).collect()
}

impl Execute for Start {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let named = !self.containers.is_empty();
        let every = self.all || self.latest;
        let chosen = every || !self.filter.is_empty();
        if named == every && (named || !chosen) {
            let why = match named {
                true => "either start all containers or the container(s) provided in the arguments",
                false => "name containers, or use --all, --filter or --latest",
            };
            return Err(Error::usage("start", "", why).into());
        }
        let filters = Filters::parse(&filters(&self.filter)?)?;
        let viewing = self.attach || self.interactive;
        if viewing && (self.containers.len() > 1 || self.all || !self.filter.is_empty()) {
            let why = "you cannot start and attach multiple containers at once";
            return Err(Error::usage("start", "", why).into());
        }
        let viewer = Viewer {
            wanted: Wanted {
                stdin: self.interactive,
                stdout: true,
                stderr: true,
            },
            sig_proxy: self.sig_proxy.unwrap_or(true),
            keys: DetachKeys::of_flag(self.detach_keys.as_deref())?,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let containers = match chosen {
            true => {
                let (all, size) = (true, false);
                let rows = list(&engine, ListRequest { all, size })?;
                let filters = filters.resolve(&rows)?;
                let named = named.then(|| ids(&engine, self.containers)).transpose()?;
                // What runs was started already.
                let fits = |row: &&ContainerSummary| match &named {
                    Some(ids) => ids.contains_key(&row.id),
                    None => self.latest || !row.state.is_active(),
                };
                let rows = rows.iter().filter(fits).filter(|row| filters.pass(row));
                let most = if self.latest { 1 } else { usize::MAX };
                let called = |row: &ContainerSummary| match &named {
                    Some(ids) => ids[&row.id].clone(),
                    None => row.id.to_string(),
                };
                rows.take(most).map(called).collect()
            }
            false => self.containers,
        };
        let mut status = ExitStatus::Code(0);
        for name in &containers {
            if viewing {
                let ended = supervisor::start(&engine, name, Some(viewer.clone()))?;
                return Ok(ended.unwrap_or(ExitStatus::Code(0)));
            }
            match supervisor::start(&engine, name, None) {
                Ok(_) => session.data(&format!("{name}\n"))?,
                Err(error) => {
                    session.report(&error);
                    status = session.personality.failure();
                }
            }
        }
        Ok(status)
    }
}
