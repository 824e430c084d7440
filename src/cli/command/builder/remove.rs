//! `buildx rm` and `buildx stop`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::builder;

/// Remove builder instances; the build cache stays
#[derive(clap::Parser, Debug)]
pub(crate) struct Remove {
    /// Remove all inactive builders; none is inactive
    #[arg(long)]
    all_inactive: bool,

    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,

    /// Keep the daemon running; there is none
    #[arg(long)]
    keep_daemon: bool,

    /// Keep the build cache, which is always kept
    #[arg(long)]
    keep_state: bool,

    /// Name of a builder; the one in use without one
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,

    /// Names of builders
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Execute for Remove {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.all_inactive {
            return Ok(ExitStatus::Code(0));
        }
        let mut names: Vec<Option<&str>> = self.names.iter().map(|name| Some(&**name)).collect();
        if names.is_empty() {
            names.push(self.builder.as_deref());
        }
        let mut status = ExitStatus::Code(0);
        for name in names {
            match builder::remove(&engine, name) {
                Ok(name) => session.data(&format!("{name} removed\n"))?,
                Err(error) => {
                    session.report(&error);
                    status = ExitStatus::Code(1);
                }
            }
        }
        Ok(status)
    }
}

/// Stop a builder instance, which runs nothing between builds
#[derive(clap::Parser, Debug)]
pub(crate) struct Stop {
    /// Name of a builder; the one in use without one
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,

    /// Name of the builder
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Execute for Stop {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        builder::find(&engine, self.name.or(self.builder).as_deref())?;
        Ok(ExitStatus::Code(0))
    }
}
