//! `system df`.

use serde_json::{Value, json};

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::listing::Row as ListRow;
use crate::cli::output::progress::Progress;
use crate::cli::output::table::Table;
use crate::cli::output::{Columns, Format, human, listing};
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp, Ui as _, human_size};
use crate::engine::Engine;
use crate::engine::system::df::{self, DiskUse, Row};

/// Show disk usage
#[derive(clap::Parser, Debug)]
pub(crate) struct Df {
    #[command(flatten)]
    format: FormatArgs,

    /// Show detailed information on space usage
    #[arg(short, long)]
    verbose: bool,
}

impl Execute for Df {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let used = df::df(&engine.store)?;
        session.data(&match format {
            Format::Text if self.verbose => verbose(&used),
            _ => {
                let row = |row: &Row| (docker(row), podman(row));
                let rows: Vec<ListRow> = used.rows.iter().map(row).collect();
                listing::list(session.personality, &format, &COLUMNS, &rows)?
            }
        })?;
        for damaged in &used.usage.damaged {
            progress.warn(&format!("{damaged}; see ketch system check"));
        }
        if used.usage.unreadable > 0 {
            progress.warn(&format!(
                "{} directories could not be counted: they belong to subordinate ids",
                used.usage.unreadable
            ));
        }
        Ok(ExitStatus::Code(0))
    }
}

/// docker: a share only in the rows where part of the space is in use.
fn reclaimable(row: &Row) -> String {
    let size = human_size(row.reclaimable);
    match row.reclaimable.saturating_mul(100).checked_div(row.size) {
        Some(share) if row.kind != "Build Cache" => format!("{size} ({share}%)"),
        _ => size,
    }
}

const COLUMNS: Columns<'_> = Columns {
    of: "row",
    shown: &["Type", "TotalCount", "Active", "Size", "Reclaimable"],
    headers: &[("TotalCount", "TOTAL")],
    heading: true,
};

fn docker(row: &Row) -> Value {
    json!({
        "Type": row.kind,
        "TotalCount": row.total.to_string(),
        "Active": row.active.to_string(),
        "Size": human_size(row.size),
        "Reclaimable": reclaimable(row),
    })
}

fn podman(row: &Row) -> Value {
    json!({
        "Type": row.kind,
        "Total": row.total,
        "Active": row.active,
        "RawSize": row.size,
        "RawReclaimable": row.reclaimable,
        "TotalCount": row.total,
        "Size": human_size(row.size),
        "Reclaimable": reclaimable(row),
    })
}

fn verbose(used: &DiskUse) -> String {
    let now = Timestamp::now();
    let mut images = Table::new(&[
        "REPOSITORY",
        "IMAGE ID",
        "CREATED",
        "SIZE",
        "SHARED SIZE",
        "UNIQUE SIZE",
        "CONTAINERS",
    ]);
    for image in &used.usage.images {
        for record in &image.records {
            images.row([
                record.name.clone().unwrap_or_else(|| "<none>".to_owned()),
                record.config.short(),
                record
                    .created
                    .map_or("N/A".to_owned(), |created| human::ago(created, now)),
                human_size(image.size),
                human_size(image.shared),
                human_size(image.size.saturating_sub(image.shared)),
                image.containers.to_string(),
            ]);
        }
    }
    let mut containers = Table::new(&[
        "CONTAINER ID",
        "IMAGE",
        "SIZE",
        "CREATED",
        "RUNNING",
        "NAMES",
    ]);
    for container in &used.usage.containers {
        containers.row([
            container.record.id.short().to_owned(),
            container.record.image.clone(),
            human_size(container.size),
            human::ago(container.record.created, now),
            container.alive.to_string(),
            container.record.name.clone(),
        ]);
    }
    format!(
        "Images space usage:\n\n{}\nContainers space usage:\n\n{}\nUnfinished and to be deleted: {}\n",
        images.render(),
        containers.render(),
        human_size(used.usage.temporary)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_row() {
        let row = |kind, size, reclaimable| Row {
            kind,
            total: 1,
            active: 0,
            size,
            reclaimable,
        };
        assert_eq!(reclaimable(&row("Images", 2000, 1000)), "1kB (50%)");
        assert_eq!(reclaimable(&row("Images", 0, 0)), "0B");
        assert_eq!(reclaimable(&row("Build Cache", 2000, 2000)), "2kB");
    }
}
