//! `secret rm`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;

/// Remove one or more secrets; containers that have them keep their copies
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Remove all secrets
    #[arg(short, long)]
    all: bool,

    /// Do not fail when a secret does not exist
    #[arg(short, long)]
    ignore: bool,

    /// Secrets by name or ID
    #[arg(value_name = "SECRET")]
    secrets: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.all != self.secrets.is_empty() {
            let why = "requires at least 1 argument: name secrets, or use --all";
            return Err(Error::usage("secret rm", "", why).into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let secrets = engine.store.secrets();
        let wanted = match self.all {
            true => secrets
                .list()?
                .into_iter()
                .map(|secret| secret.name)
                .collect(),
            false => self.secrets,
        };
        let mut status = ExitStatus::Code(0);
        for name in &wanted {
            match secrets.remove(name) {
                Ok(id) => session.data(&format!("{id}\n"))?,
                Err(error) if self.ignore && error.kind() == Kind::NotFound => {}
                Err(error) => {
                    session.report(&error.into());
                    status = session.personality.failure();
                }
            }
        }
        Ok(status)
    }
}
