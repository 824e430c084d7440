//! `history`.

use serde_json::{Value, json};

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, human, listing};
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp, human_size};
use crate::engine::Engine;
use crate::engine::image::history::{self, Step};

/// Show the history of an image
#[derive(clap::Parser, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    format: FormatArgs,

    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    human: Option<bool>,

    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,

    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,

    /// Image by name, ID or digest
    image: String,
}

impl Execute for History {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let steps = history::history(&engine.store, &self.image)?;
        let view = View {
            human: self.human.unwrap_or(true),
            no_trunc: self.no_trunc,
            now: Timestamp::now(),
        };
        if self.quiet {
            let ids: String = steps.iter().map(|step| view.id(step) + "\n").collect();
            session.data(&ids)?;
            return Ok(ExitStatus::Code(0));
        }
        let rows: Vec<Row> = steps
            .iter()
            .map(|step| (view.docker(step), podman(step)))
            .collect();
        session.data(&listing::list(
            session.personality,
            &format,
            &COLUMNS,
            &rows,
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}

const COLUMNS: Columns<'_> = Columns {
    of: "step",
    shown: &["ID", "CreatedSince", "CreatedBy", "Size", "Comment"],
    headers: &[("ID", "IMAGE"), ("CreatedSince", "CREATED")],
    heading: true,
};

struct View {
    human: bool,
    no_trunc: bool,
    now: Timestamp,
}

impl View {
    fn id(&self, step: &Step) -> String {
        match (step.id, self.no_trunc) {
            (Some(id), true) => id.to_string(),
            (Some(id), false) => id.short(),
            (None, _) => "<missing>".to_owned(),
        }
    }

    fn created(&self, step: &Step) -> String {
        match step.created {
            Some(created) if self.human => human::ago(created, self.now),
            Some(created) => created.to_string(),
            None => "N/A".to_owned(),
        }
    }

    fn created_by(&self, step: &Step) -> String {
        let plain: String = step.created_by.replace('\t', " ");
        match self.no_trunc {
            true => plain,
            false => human::ellipsis(&plain, 45),
        }
    }

    fn size(&self, step: &Step) -> String {
        match self.human {
            true => human_size(step.size),
            false => step.size.to_string(),
        }
    }

    fn docker(&self, step: &Step) -> Value {
        json!({
            "Comment": step.comment,
            "CreatedAt": step.created.map(|created| created.to_string()).unwrap_or_default(),
            "CreatedBy": self.created_by(step),
            "Created": self.created(step),
            "CreatedSince": self.created(step),
            "ID": self.id(step),
            "Size": self.size(step),
        })
    }
}

fn podman(step: &Step) -> Value {
    json!({
        "id": step.id.map_or_else(|| "<missing>".to_owned(), |id| id.hex()),
        "created": step.created,
        "createdBy": step.created_by,
        "size": step.size,
        "comment": step.comment,
        "tags": step.tags,
    })
}
