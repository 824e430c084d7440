//! `network ls`.

use serde_json::json;

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::{self, Row};
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, json as form};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::network;

/// List networks
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgs,

    /// Provide filter values: driver, id, label, name, scope, type, dangling or until
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Do not truncate the output
    #[arg(long)]
    no_trunc: bool,

    /// Only display network IDs, with podman's habits names
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
        let is_docker = session.personality == Personality::Docker;
        let found = network::list(&engine, &filters, is_docker)?;
        let rows: Vec<Row> = found
            .iter()
            .map(|found| self.row(found, is_docker))
            .collect();
        let text = match (self.quiet, is_docker) {
            (true, true) => rows.iter().map(|(row, _)| line(&row["ID"])).collect(),
            (true, false) => rows.iter().map(|(_, row)| line(&row["name"])).collect(),
            (false, _) => {
                let columns = Columns {
                    of: "network",
                    shown: match is_docker {
                        true => &["ID", "Name", "Driver", "Scope"],
                        false => &["ID", "Name", "Driver"],
                    },
                    headers: &[("ID", "NETWORK ID")],
                    heading: !self.noheading,
                };
                listing::list(session.personality, &format, &columns, &rows)?
            }
        };
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}

fn line(word: &serde_json::Value) -> String {
    format!("{}\n", word.as_str().unwrap_or_default())
}

impl List {
    fn row(&self, found: &network::Row, is_docker: bool) -> Row {
        let record = &found.record;
        let has = |is_ipv4| {
            let mut pools = record.subnets.iter();
            pools
                .any(|pool| pool.subnet.is_ipv4() == is_ipv4)
                .to_string()
        };
        let podman = network::podman(record, None);
        let docker = json!({
            "ID": if self.no_trunc { &record.id } else { record.short_id() },
            "Name": if is_docker { json!(record.name) } else { podman["name"].clone() },
            "Driver": found.driver,
            "Scope": "local",
            "IPv4": has(true),
            "IPv6": has(false),
            "Internal": record.internal.to_string(),
            "Labels": form::joined(&record.labels),
            "CreatedAt": record.created.to_string(),
        });
        (docker, podman)
    }
}
