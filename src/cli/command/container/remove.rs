//! `rm`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{Dependents, RemoveRequest, remove};

use super::select::Selection;

/// Remove one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,

    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,

    /// Do not fail when a container does not exist
    #[arg(short, long)]
    ignore: bool,

    /// Remove the containers that depend on the container, too
    #[arg(long)]
    depend: bool,

    /// With --force: seconds to wait before killing the container; -1 waits for ever
    #[arg(short = 't', long, visible_alias = "timeout", value_name = "SECONDS")]
    time: Option<String>,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("rm")?;
        let time = parse::number::seconds("--time", self.time.as_deref())?;
        if time.is_some() && !self.force {
            return Err(Error::usage("rm", "--time", "needs --force too").into());
        }
        let ignore = self.ignore || self.force || self.selection.is_listed();
        let dependents = match session.personality {
            // podman: all go, in the order that it takes.
            _ if self.depend => Dependents::Removed,
            Personality::Podman if self.selection.is_listed() => Dependents::Removed,
            Personality::Podman => Dependents::Keep,
            Personality::Docker => Dependents::Ignored,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = RemoveRequest {
            containers: self.selection.resolve(&engine, ignore, |_| true)?,
            force: self.force,
            time,
            volumes: self.volumes,
            dependents,
        };
        let mut status = ExitStatus::Code(0);
        for (name, done) in remove(&engine, &request) {
            let Err(error) = done else {
                session.data(&format!("{name}\n"))?;
                continue;
            };
            let kind = error_report::kind(&error);
            let needed = error_report::is_needed(&error);
            let excused = kind == Some(Kind::NotFound) && ignore;
            if excused && (self.ignore || session.personality == Personality::Podman) {
                continue;
            }
            session.report(&match (kind, session.personality) {
                // The one command of podman that says it in other words.
                (Some(Kind::NotFound), Personality::Podman) => {
                    Error::new(Kind::NotFound, "find container to remove", name).into()
                }
                _ => error,
            });
            // docker: what is not there is told, and no failure of `--force`.
            status = match kind {
                _ if excused => status,
                Some(Kind::NotFound) => session.personality.missing(),
                Some(Kind::Conflict) if !needed => session.personality.in_use(),
                _ => session.personality.failure(),
            };
        }
        Ok(status)
    }
}
