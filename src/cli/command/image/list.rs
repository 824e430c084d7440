//! `images`.

use serde_json::{Value, json};

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::Row as ListRow;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, human, listing};
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Timestamp, human_size};
use crate::engine::Engine;
use crate::engine::image::list::{self, Request, Row};
use crate::reference::Reference;

/// List images
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    /// Show all images (every image is shown anyway)
    #[arg(short, long)]
    all: bool,

    /// Show digests
    #[arg(long)]
    digests: bool,

    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    #[command(flatten)]
    format: FormatArgs,

    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,

    /// Do not print the header row
    #[arg(short = 'n', long)]
    noheading: bool,

    /// Sort by created, id, repository, size or tag
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,

    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,

    /// Show only images of this name; patterns allowed
    #[arg(value_name = "REPOSITORY[:TAG]")]
    reference: Option<String>,
}

impl Execute for List {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let filters = filters(&self.filter)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let sort = self.sort.as_deref().map(Sort::parse).transpose()?;
        let mut found = list::list(
            &engine.store,
            &Request {
                reference: self.reference.clone(),
                filters,
                containers: format.is_json() || format.uses("Containers"),
            },
        )?;
        if let Some(sort) = sort {
            sort.sort(&mut found.rows);
        }
        let view = View {
            personality: session.personality,
            no_trunc: self.no_trunc,
            now: Timestamp::now(),
        };
        session.data(&match self.quiet {
            true => found.rows.iter().map(|row| view.id(row) + "\n").collect(),
            false => {
                let row = |row: &Row| (view.docker(row), view.podman(row));
                let rows: Vec<ListRow> = found.rows.iter().map(row).collect();
                let columns = Columns {
                    of: "image",
                    shown: match self.digests {
                        true => &["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"],
                        false => &["Repository", "Tag", "ID", "CreatedSince", "Size"],
                    },
                    headers: &[("ID", "IMAGE ID"), ("CreatedSince", "CREATED")],
                    heading: !self.noheading,
                };
                listing::list(session.personality, &format, &columns, &rows)?
            }
        })?;
        let damaged = !found.damaged.is_empty();
        for error in found.damaged {
            session.report(&error.into());
        }
        Ok(match damaged {
            true => session.personality.failure(),
            false => ExitStatus::Code(0),
        })
    }
}

/// podman's `--sort`.
#[derive(Debug, Clone, Copy)]
enum Sort {
    Created,
    Id,
    Repository,
    Size,
    Tag,
}

impl Sort {
    fn parse(text: &str) -> Result<Sort, Error> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "created" => Sort::Created,
            "id" => Sort::Id,
            "repository" => Sort::Repository,
            "size" => Sort::Size,
            "tag" => Sort::Tag,
            _ => {
                let fields = "use created, id, repository, size or tag";
                return Err(parse::bad("--sort", text, fields));
            }
        })
    }

    fn sort(self, rows: &mut [Row]) {
        rows.sort_by(|a, b| match self {
            // The newest first.
            Sort::Created => b.created.cmp(&a.created),
            Sort::Id => a.id.cmp(&b.id),
            Sort::Repository => a.record.name.cmp(&b.record.name),
            Sort::Size => a.size.cmp(&b.size),
            Sort::Tag => a.tag.cmp(&b.tag),
        });
    }
}

struct View {
    personality: Personality,
    no_trunc: bool,
    now: Timestamp,
}

const NONE: &str = "<none>";

impl View {
    fn id(&self, row: &Row) -> String {
        match self.no_trunc {
            true => row.id.to_string(),
            false => row.id.short(),
        }
    }

    fn repository(&self, row: &Row) -> String {
        let short = || row.repository.clone();
        let whole = || {
            let name = row.record.name.as_deref()?;
            Some(Reference::parse(name).ok()?.repository())
        };
        let name = match self.personality {
            Personality::Docker => short(),
            Personality::Podman => whole().or_else(short),
        };
        name.unwrap_or_else(|| NONE.to_owned())
    }

    fn age(&self, row: &Row) -> String {
        match row.created {
            Some(created) => human::ago(created, self.now),
            None => "N/A".to_owned(),
        }
    }

    /// docker's formatter context: every value a string.
    fn docker(&self, row: &Row) -> Value {
        json!({
            "Containers": row.containers.map_or("N/A".to_owned(), |count| count.to_string()),
            "CreatedAt": row.created.map_or("N/A".to_owned(), human::moment),
            "CreatedSince": self.age(row),
            "Digest": digest(row),
            "ID": self.id(row),
            "Repository": self.repository(row),
            "SharedSize": "N/A",
            "Size": human_size(row.size),
            "Tag": row.tag.as_deref().unwrap_or(NONE),
            "UniqueSize": "N/A",
        })
    }

    fn podman(&self, row: &Row) -> Value {
        let names: Vec<&String> = row.record.name.iter().collect();
        json!({
            "Id": row.id.hex(),
            "ParentId": "",
            "RepoTags": names,
            "RepoDigests": row.record.repo_digests,
            "Size": row.size,
            "SharedSize": 0,
            "VirtualSize": row.size,
            "Labels": row.record.labels,
            "Containers": row.containers.unwrap_or(0),
            "Names": names,
            "Digest": row.digest.unwrap_or(row.record.manifest),
            "History": names,
            "Created": row.created.map_or(0, Timestamp::seconds),
            "CreatedAt": row.created,
        })
    }
}

fn digest(row: &Row) -> String {
    row.digest
        .map_or_else(|| NONE.to_owned(), |digest| digest.to_string())
}
