//! `ps`.

use serde_json::{Value, json};

use crate::cli::args::{FormatArgs, filters};
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, Format, human, json as form, listing};
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp, human_size};
use crate::engine::Engine;
use crate::engine::container::{ContainerState, ContainerSummary, ListRequest, list};

use super::filter::Filters;

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
    last: Option<usize>,

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
}

impl Execute for List {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let filters = Filters::parse(&filters(&self.filter)?)?;
        let last = match self.latest {
            true => Some(1),
            false => self.last,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = ListRequest {
            // docker: a filter on the state looks at containers of every state.
            all: self.all || last.is_some() || filters.names_states(),
            size: self.size,
        };
        let all = list(&engine, request)?;
        let filters = filters.resolve(&all)?;
        let rows: Vec<ContainerSummary> = all
            .into_iter()
            .filter(|row| filters.pass(row))
            .take(last.unwrap_or(usize::MAX))
            .collect();
        let view = View {
            no_trunc: self.no_trunc,
            size: self.size,
            now: Timestamp::now(),
        };
        session.data(&match self.quiet {
            true => rows.iter().map(|row| view.id(row) + "\n").collect(),
            false => {
                // The plain table shows half of docker's row and nothing of podman's.
                let both = |row| match format {
                    Format::Text => (view.shown(row), Value::Null),
                    _ => (view.docker(row), view.podman(row)),
                };
                let rows: Vec<Row> = rows.iter().map(both).collect();
                listing::list(session.personality, &format, &view.columns(), &rows)?
            }
        })?;
        Ok(ExitStatus::Code(0))
    }
}

struct View {
    no_trunc: bool,
    size: bool,
    now: Timestamp,
}

impl View {
    fn id(&self, row: &ContainerSummary) -> String {
        match self.no_trunc {
            true => row.id.to_string(),
            false => row.id.short().to_owned(),
        }
    }

    /// docker quotes the command and cuts the quoted text to twenty characters.
    fn command(&self, row: &ContainerSummary) -> String {
        let line = row.command.join(" ");
        let line = match self.no_trunc {
            true => line,
            false => human::ellipsis(&line, 20),
        };
        format!("\"{line}\"")
    }

    fn status(&self, row: &ContainerSummary) -> String {
        human::status(row.state, row.started, row.finished, row.exit, self.now)
    }

    fn mounts(&self, row: &ContainerSummary) -> String {
        let cut = |mount: &String| match self.no_trunc {
            true => mount.clone(),
            false => human::ellipsis(mount, 15),
        };
        row.mounts.iter().map(cut).collect::<Vec<_>>().join(",")
    }

    fn columns(&self) -> Columns<'static> {
        Columns {
            of: "container",
            shown: match self.size {
                true => &[
                    "ID",
                    "Image",
                    "Command",
                    "RunningFor",
                    "Status",
                    "Ports",
                    "Names",
                    "Size",
                ],
                false => &[
                    "ID",
                    "Image",
                    "Command",
                    "RunningFor",
                    "Status",
                    "Ports",
                    "Names",
                ],
            },
            headers: &[("ID", "CONTAINER ID"), ("RunningFor", "CREATED")],
            heading: true,
        }
    }

    /// docker's formatter context, as far as the plain table shows it.
    fn shown(&self, row: &ContainerSummary) -> Value {
        json!({
            "Command": self.command(row),
            "ID": self.id(row),
            "Image": row.image,
            "Names": row.name,
            "Ports": "",
            "RunningFor": human::ago(row.created, self.now),
            "Size": size(row),
            "Status": self.status(row),
        })
    }

    /// docker's formatter context: every value a string.
    fn docker(&self, row: &ContainerSummary) -> Value {
        let mut all = self.shown(row);
        let rest = json!({
            "CreatedAt": human::moment(row.created),
            "HealthStatus": "",
            "Labels": form::joined(&row.labels),
            "LocalVolumes": "0",
            "Mounts": self.mounts(row),
            "Networks": row.networks.join(","),
            "Platform": Value::Null,
            "State": row.state.word(),
        });
        if let (Value::Object(all), Value::Object(rest)) = (&mut all, rest) {
            all.extend(rest);
        }
        all
    }

    fn podman(&self, row: &ContainerSummary) -> Value {
        let exited = row.state == ContainerState::Exited;
        json!({
            "AutoRemove": false,
            "Command": row.command,
            "Created": row.created.seconds(),
            "CreatedAt": human::ago(row.created, self.now),
            "Exited": exited,
            "ExitedAt": row.finished.map_or(-62_135_596_800, Timestamp::seconds),
            "ExitCode": row.exit.map_or(0, ExitStatus::code),
            "Id": row.id,
            "Image": row.image,
            "ImageID": row.image_id.map(|id| id.hex()).unwrap_or_default(),
            "IsInfra": false,
            "Labels": row.labels,
            "Mounts": row.mounts,
            "Names": [row.name],
            "Namespaces": {},
            "Networks": row.networks,
            "Pid": row.pid.unwrap_or(0),
            "Pod": "",
            "PodName": "",
            "Ports": [],
            "Size": row.size,
            "StartedAt": row.started.map_or(0, Timestamp::seconds),
            "State": row.state.word(),
            "Status": self.status(row),
        })
    }
}

fn size(row: &ContainerSummary) -> String {
    human_size(row.size.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::container::filter::tests::row;
    use crate::cli::output::Format;
    use crate::cli::personality::Personality;

    #[test]
    fn columns_are_dockers() {
        let view = View {
            no_trunc: false,
            size: false,
            now: Timestamp(420_000_000_000),
        };
        let one = row("web", ContainerState::Running);
        let rows = [(view.docker(&one), view.podman(&one))];
        let text =
            listing::list(Personality::Docker, &Format::Text, &view.columns(), &rows).unwrap();
        assert_eq!(
            text,
            "CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS         PORTS     NAMES\n\
             abababababab   debian    \"sleep infinity-and-…\"   7 minutes ago   Up 7 minutes             web\n"
        );
        let json = view.docker(&row("web", ContainerState::Running));
        assert_eq!(json["State"], "running");
        assert_eq!(json["Labels"], "tier=front");
        assert!(
            json.as_object()
                .unwrap()
                .values()
                .all(|v| v.is_string() || v.is_null())
        );
        assert_eq!(
            view.podman(&row("web", ContainerState::Running))["Names"][0],
            "web"
        );
    }
}
