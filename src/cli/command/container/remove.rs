//! `rm`.

use crate::cli::args::filters;
use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{ListRequest, RemoveRequest, list, remove};

use super::filter::Filters;

/// Remove one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,

    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,

    /// Remove all containers
    #[arg(short, long)]
    all: bool,

    /// Do not fail when a container does not exist
    #[arg(short, long)]
    ignore: bool,

    /// Remove the containers that fit
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let filters = Filters::parse(&filters(&self.filter)?)?;
        let listed = self.all || !self.filter.is_empty();
        if listed != self.containers.is_empty() {
            return Err(Error::usage("rm", "", "name containers, or use --all or --filter").into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let containers = match listed {
            true => {
                let all = list(
                    &engine,
                    ListRequest {
                        all: true,
                        size: false,
                    },
                )?;
                let filters = filters.resolve(&all)?;
                let wanted = all.iter().filter(|row| filters.pass(row));
                wanted.map(|row| row.id.to_string()).collect()
            }
            false => self.containers,
        };
        let request = RemoveRequest {
            containers,
            force: self.force,
        };
        let mut status = ExitStatus::Code(0);
        for (name, done) in remove(&engine, &request) {
            let Err(error) = done else {
                session.data(&format!("{name}\n"))?;
                continue;
            };
            let kind = error_report::kind(&error);
            if kind == Some(Kind::NotFound) && self.ignore {
                continue;
            }
            session.report(&error);
            status = match kind {
                Some(Kind::NotFound) => session.personality.missing(),
                Some(Kind::Conflict) => session.personality.in_use(),
                _ => session.personality.failure(),
            };
        }
        Ok(status)
    }
}
