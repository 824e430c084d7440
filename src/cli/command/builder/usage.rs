//! `buildx du`.

use serde_json::{Value, json};

use crate::cli::command::Execute;
use crate::cli::output::human;
use crate::cli::output::progress::Progress;
use crate::cli::output::table::Table;
use crate::cli::parse::bad;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp, human_size};
use crate::engine::Engine;
use crate::engine::system::build_cache::{self, Entry};

/// Disk usage of the build cache
#[derive(clap::Parser, Debug)]
pub(crate) struct Usage {
    /// Provide filter values: id=ID, type=TYPE or until=DURATION
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Format output: table or json
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Provide a more verbose output
    #[arg(long)]
    verbose: bool,
}

impl Execute for Usage {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let json = match self.format.as_deref() {
            None | Some("" | "table") => false,
            Some("json") => true,
            Some(other) => return Err(bad("--format", other, "use table or json").into()),
        };
        let now = Timestamp::now();
        let mut filters: Vec<Filter> = Vec::new();
        for text in &self.filter {
            filters.push(filter(text, now)?);
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut entries = build_cache::list(&engine)?;
        entries.retain(|entry| filters.iter().all(|fits| fits(entry)));
        session.data(&if json {
            entries
                .iter()
                .map(|entry| format!("{}\n", document(entry)))
                .collect()
        } else if self.verbose {
            entries.iter().map(long).collect::<String>() + &totals(&entries)
        } else {
            table(&entries, now)
        })?;
        Ok(ExitStatus::Code(0))
    }
}

/// Whether an entry is shown.
type Filter = Box<dyn Fn(&Entry) -> bool>;

fn filter(text: &str, now: Timestamp) -> anyhow::Result<Filter> {
    match text.split_once('=') {
        Some(("id", id)) => {
            let id = id.to_owned();
            Ok(Box::new(move |entry| entry.key.hex().starts_with(&id)))
        }
        Some(("until", age)) => {
            let age = crate::common::parse_duration(age)?;
            Ok(Box::new(move |entry| entry.used.age(now) >= age))
        }
        Some(("type", kind)) => {
            let kind = kind.to_owned();
            Ok(Box::new(move |entry| entry.kind == kind))
        }
        _ => Err(bad("--filter", text, "use id=ID, type=TYPE or until=DURATION").into()),
    }
}

fn table(entries: &[Entry], now: Timestamp) -> String {
    let mut table = Table::new(&["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"]);
    for entry in entries {
        let age = human::ago(entry.used, now);
        table.row([
            entry.key.hex(),
            (!entry.shared).to_string(),
            human_size(entry.size),
            age,
        ]);
    }
    table.render() + &totals(entries)
}

/// buildx: what images share, what is the cache's alone, what could go, and all.
fn totals(entries: &[Entry]) -> String {
    let sum = |shared: Option<bool>| {
        let counted = entries
            .iter()
            .filter(|entry| shared.is_none_or(|s| s == entry.shared));
        human_size(counted.map(|entry| entry.size).sum())
    };
    format!(
        "Shared:\t\t{}\nPrivate:\t{}\nReclaimable:\t{}\nTotal:\t\t{}\n",
        sum(Some(true)),
        sum(Some(false)),
        sum(Some(false)),
        sum(None)
    )
}

fn long(entry: &Entry) -> String {
    format!(
        "ID:\t\t{}\nCreated at:\t{}\nMutable:\tfalse\nReclaimable:\t{}\nShared:\t\t{}\n\
         Size:\t\t{}\nDescription:\t{}\nLast used:\t{}\nType:\t\t{}\n\n",
        entry.key.hex(),
        entry.created,
        !entry.shared,
        entry.shared,
        human_size(entry.size),
        entry.text,
        entry.used,
        entry.kind
    )
}

fn document(entry: &Entry) -> Value {
    json!({
        "ID": entry.key.hex(),
        "Mutable": false,
        "Reclaimable": !entry.shared,
        "Shared": entry.shared,
        "Size": human_size(entry.size),
        "Description": entry.text,
        "CreatedAt": entry.created.to_string(),
        "LastUsedAt": entry.used.to_string(),
        "Type": entry.kind,
    })
}
