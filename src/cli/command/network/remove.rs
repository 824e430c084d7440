//! `network rm`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::network::{self, Guard};

/// Remove one or more networks
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Do not fail if a network does not exist; with podman's habits, remove its containers too
    #[arg(short, long)]
    force: bool,

    /// With --force under podman's name: seconds before what is on a network is killed
    #[arg(short, long, value_name = "SECONDS", allow_hyphen_values = true)]
    time: Option<String>,

    /// Networks by name or ID
    #[arg(required = true, value_name = "NETWORK")]
    networks: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let time = parse::number::seconds("--time", self.time.as_deref())?;
        if time.is_some() && !self.force {
            let why = "it is for --force, which ends what is on a network";
            return Err(Error::usage("use --time", "", why).into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let guard = match (session.personality, self.force) {
            (Personality::Docker, _) => Guard::Running,
            (Personality::Podman, false) => Guard::Any,
            (Personality::Podman, true) => Guard::Nobody { time },
        };
        let mut status = ExitStatus::Code(0);
        for name in &self.networks {
            let Err(error) = network::remove(&engine, name, guard) else {
                session.data(&format!("{name}\n"))?;
                continue;
            };
            let kind = error_report::kind(&error);
            if kind == Some(Kind::NotFound) && self.force {
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
