//! `secret ls`.

use serde_json::json;

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, human, json as form, listing};
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Result, Timestamp};
use crate::engine::Engine;
use crate::store::SecretRecord;

/// List secrets
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgs,

    /// Provide filter values: name=TEXT or id=PREFIX
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Only display IDs
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
        for (key, value) in &filters {
            if key != "name" && key != "id" {
                let text = format!("{key}={value}");
                return Err(parse::bad("--filter", &text, "use name or id").into());
            }
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut secrets = engine.store.secrets().list()?;
        secrets.retain(|secret| passes(secret, &filters));
        let text = match self.quiet {
            true => secrets
                .iter()
                .map(|secret| format!("{}\n", secret.id))
                .collect(),
            false => {
                let now = Timestamp::now();
                let rows: Vec<Row> = secrets.iter().map(|secret| row(secret, now)).collect();
                self.table(session, &format, &rows)?
            }
        };
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}

impl List {
    fn table(
        &self,
        session: &Session,
        format: &crate::cli::output::Format,
        rows: &[Row],
    ) -> Result<String> {
        let columns = Columns {
            of: "secret",
            shown: &["ID", "Name", "Driver", "CreatedAt", "UpdatedAt"],
            headers: &[("CreatedAt", "CREATED"), ("UpdatedAt", "UPDATED")],
            heading: !self.noheading,
        };
        listing::list(session.personality, format, &columns, rows)
    }
}

/// Values of one key are alternatives, keys are not.
fn passes(secret: &SecretRecord, filters: &[(String, String)]) -> bool {
    let of = |key: &str| {
        let values: Vec<&str> = filters
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
            .collect();
        values
    };
    let (names, ids) = (of("name"), of("id"));
    let named = names.iter().any(|name| secret.name.contains(name));
    let known = ids.iter().any(|id| secret.id.starts_with(id));
    (names.is_empty() || named) && (ids.is_empty() || known)
}

fn row(secret: &SecretRecord, now: Timestamp) -> Row {
    let docker = json!({
        "ID": secret.id,
        "Name": secret.name,
        "Driver": "file",
        "CreatedAt": human::ago(secret.created, now),
        "UpdatedAt": human::ago(secret.updated, now),
        "Labels": form::joined(&secret.labels),
    });
    let podman = json!({
        "ID": secret.id,
        "Name": secret.name,
        "Driver": "file",
        "CreatedAt": human::ago(secret.created, now),
        "UpdatedAt": human::ago(secret.updated, now),
        "Labels": secret.labels,
    });
    (docker, podman)
}
