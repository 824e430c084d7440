//! `builder prune` and `buildx prune`.

use crate::cli::args::PruneArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::prune::confirm;
use crate::cli::output::human;
use crate::cli::output::progress::Progress;
use crate::cli::output::table::Table;
use crate::cli::parse::{self, bad};
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp, human_size, parse_duration};
use crate::engine::Engine;
use crate::engine::container::sweep;
use crate::engine::system::build_cache::{self, Request};

/// Remove build cache
#[derive(clap::Parser, Debug)]
pub(crate) struct Prune {
    /// Remove all build cache, also what images have as well
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    prune: PruneArgs,

    /// Amount of disk space to keep for cache
    #[arg(long, aliases = ["max-used-space", "reserved-space"], value_name = "BYTES")]
    keep_storage: Option<String>,

    /// Provide a more verbose output
    #[arg(long)]
    verbose: bool,
}

impl Execute for Prune {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut request = Request {
            all: self.all,
            ..Request::default()
        };
        for text in &self.prune.filter {
            match text.split_once('=') {
                Some(("until" | "unused-for", age)) => {
                    request.unused_for = Some(parse_duration(age)?);
                }
                Some(("type", kind)) => request.kind = Some(kind.to_owned()),
                _ => {
                    let why = "use until=DURATION or type=TYPE";
                    return Err(bad("--filter", text, why).into());
                }
            }
        }
        if let Some(text) = &self.keep_storage {
            request.keep = Some(parse::number::size("--keep-storage", text)?);
        }
        let what = match self.all {
            true => "WARNING! This will remove all build cache.",
            false => "WARNING! This will remove all dangling build cache.",
        };
        if !confirm(session, self.prune.force, "builder prune", what)? {
            return Ok(ExitStatus::Code(0));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        engine.apply_blob_policy()?;
        let pruned = build_cache::prune(&engine, &request)?;
        if !pruned.left.is_empty() {
            // Files of subordinate ids go when the store is swept as their owner.
            sweep(&engine);
        }
        let now = Timestamp::now();
        let mut table = Table::new(&["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"]);
        for entry in &pruned.entries {
            let age = human::ago(entry.used, now);
            table.row([
                entry.key.hex(),
                "true".to_owned(),
                human_size(entry.size),
                age,
            ]);
        }
        let listed = match pruned.entries.is_empty() {
            true => String::new(),
            false => table.render(),
        };
        session.data(&format!(
            "{listed}Total:\t{}\n",
            human_size(pruned.reclaimed)
        ))?;
        Ok(ExitStatus::Code(0))
    }
}
