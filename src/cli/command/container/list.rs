//! `ps`.

mod view;

use std::collections::HashMap;
use std::io::stdout;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Format, listing};
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Digest, Error, ExitStatus, Timestamp};
use crate::engine::Engine;
use crate::engine::container::{ContainerSummary, ListRequest, exposed, image_sizes, list};
use crate::sys::watch::Watch;

use super::filter::Filters;
use super::port::shown;
use view::View;

/// List containers
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,

    /// Only display container IDs
    #[arg(short, long)]
    quiet: bool,

    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "NUMBER")]
    last: Option<i64>,

    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,

    /// Display total file sizes
    #[arg(short, long)]
    size: bool,

    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,

    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    #[command(flatten)]
    format: FormatArgs,

    /// Do not print the header row
    #[arg(long)]
    noheading: bool,

    /// Sort by command, created, id, image, names, runningfor, size or status
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,

    /// Display the pods of the containers (ketch has none)
    #[arg(short, long)]
    pod: bool,

    /// Display the namespaces of the containers
    #[arg(long, visible_alias = "namespace")]
    ns: bool,

    /// Containers of other programs in the store (ketch's store has none)
    #[arg(long)]
    external: bool,

    /// Look at the state of each container afresh (ketch always does)
    #[arg(long)]
    sync: bool,

    /// Show the list again every so many seconds
    #[arg(short, long, value_name = "SECONDS")]
    watch: Option<u64>,
}

impl Execute for List {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let pairs = filters(&self.filter)?;
        Filters::parse(&pairs)?;
        let sort = self.sort.as_deref().map(Sort::parse).transpose()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let filters = Filters::of(&engine, &pairs)?;
        loop {
            let text = self.text(session, &engine, &format, filters.clone(), sort)?;
            let Some(seconds) = self.watch.filter(|seconds| *seconds > 0) else {
                session.data(&text)?;
                return Ok(ExitStatus::Code(0));
            };
            // From the upper left corner of an empty screen.
            session.data(&format!("\x1b[2J\x1b[H{text}"))?;
            let deadline = Instant::now().checked_add(Duration::from_secs(seconds));
            if Watch::new().wait(&[], Some(stdout().as_fd()), deadline)? {
                return Ok(ExitStatus::Signal(libc::SIGPIPE as u8));
            }
        }
    }
}

impl List {
    fn text(
        &self,
        session: &Session,
        engine: &Engine<'_>,
        format: &Format,
        filters: Filters,
        sort: Option<Sort>,
    ) -> anyhow::Result<String> {
        let rows = self.rows(session, engine, format, filters, sort)?;
        let sizes = match self.shows_size(format) {
            true => image_sizes(engine)?,
            false => HashMap::new(),
        };
        let view = View {
            personality: session.personality,
            no_trunc: self.no_trunc,
            size: self.size,
            pod: self.pod,
            ns: self.ns,
            heading: !self.noheading,
            sizes,
            now: Timestamp::now(),
        };
        if self.quiet {
            return Ok(rows.iter().map(|row| view.id(row) + "\n").collect());
        }
        let ports = ExposedPorts::new(engine, format.is_json() || format.uses("ExposedPorts"));
        let podman = session.personality == Personality::Podman;
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| match podman {
                _ if matches!(format, Format::Text) => (view.shown(row), Value::Null),
                true => (view.docker(row), view.podman(row, &ports.of(row))),
                // Labels are all that docker's templates take of the other row.
                false => (view.docker(row), view.labels(row)),
            })
            .collect();
        Ok(listing::list(
            session.personality,
            format,
            &view.columns(),
            &rows,
        )?)
    }

    fn shows_size(&self, format: &Format) -> bool {
        self.size || format.uses("Size")
    }

    fn rows(
        &self,
        session: &Session,
        engine: &Engine<'_>,
        format: &Format,
        filters: Filters,
        sort: Option<Sort>,
    ) -> anyhow::Result<Vec<ContainerSummary>> {
        let last = match self.latest {
            true => Some(1),
            // docker: -1, its default, is no limit.
            false => self.last.and_then(|last| usize::try_from(last).ok()),
        };
        // docker: a filter on the state looks at containers of every state.
        let all = self.all || last.is_some() || filters.names_states();
        let request = ListRequest {
            all: all || filters.names_others(),
            size: self.shows_size(format),
        };
        let listed = list(engine, request)?;
        let filters = filters.resolve(&listed)?;
        let ports = ExposedPorts::new(engine, filters.needs_exposed());
        let mut rows: Vec<ContainerSummary> = listed
            .into_iter()
            .filter(|row| all || row.state.is_active())
            .filter(|row| filters.pass(row))
            .filter(|row| !filters.needs_exposed() || filters.pass_exposed(row, &ports.of(row)))
            .take(last.unwrap_or(usize::MAX))
            .collect();
        for row in &mut rows {
            row.ports = shown(session.personality, std::mem::take(&mut row.ports));
        }
        match (sort, session.personality) {
            (Some(sort), _) => sort.sort(&mut rows),
            // podman lists the oldest first.
            (None, Personality::Podman) => Sort::Created.sort(&mut rows),
            (None, Personality::Docker) => {}
        }
        Ok(rows)
    }
}

/// Ports of images, each image read once.
struct ExposedPorts<'e, 'a> {
    engine: &'e Engine<'a>,
    wanted: bool,
    known: std::cell::RefCell<HashMap<Digest, Vec<String>>>,
}

impl<'e, 'a> ExposedPorts<'e, 'a> {
    fn new(engine: &'e Engine<'a>, wanted: bool) -> ExposedPorts<'e, 'a> {
        ExposedPorts {
            engine,
            wanted,
            known: std::cell::RefCell::default(),
        }
    }

    fn of(&self, row: &ContainerSummary) -> Vec<String> {
        let Some(image) = row.image_id.filter(|_| self.wanted) else {
            return Vec::new();
        };
        let mut known = self.known.borrow_mut();
        let ports = known
            .entry(image)
            .or_insert_with(|| exposed(self.engine, &image));
        ports.clone()
    }
}

/// podman's `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Command,
    Created,
    Id,
    Image,
    Names,
    RunningFor,
    Size,
    Status,
}

impl Sort {
    fn parse(text: &str) -> Result<Sort, Error> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "command" => Sort::Command,
            "created" => Sort::Created,
            "id" => Sort::Id,
            "image" => Sort::Image,
            "names" => Sort::Names,
            "runningfor" => Sort::RunningFor,
            "size" => Sort::Size,
            "status" => Sort::Status,
            _ => {
                let fields = "command, created, id, image, names, runningfor, size or status";
                return Err(parse::bad("--sort", text, format!("use {fields}")));
            }
        })
    }

    fn sort(self, rows: &mut [ContainerSummary]) {
        rows.sort_by(|a, b| match self {
            Sort::Command => a.command.cmp(&b.command),
            Sort::Created => a.created.cmp(&b.created),
            Sort::Id => a.id.cmp(&b.id),
            Sort::Image => a.image.cmp(&b.image),
            Sort::Names => a.name.cmp(&b.name),
            Sort::RunningFor => a.started.cmp(&b.started),
            Sort::Size => a.size.cmp(&b.size),
            Sort::Status => a.state.word().cmp(b.state.word()),
        });
    }
}
