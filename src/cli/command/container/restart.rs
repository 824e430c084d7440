//! `restart`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{ContainerState, StopRequest};
use crate::supervisor;
use crate::sys::signal;

use super::select::{Selection, conclude};

/// Restart one or more containers
#[derive(clap::Parser, Debug)]
#[command(mut_arg("filter", |arg| arg.short('f')))]
pub(crate) struct Restart {
    /// Signal to send to the container
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<String>,

    /// Seconds to wait before killing the container; -1 waits for ever
    #[arg(short = 't', long, visible_alias = "time", value_name = "SECONDS")]
    timeout: Option<String>,

    /// Act on all containers that run
    #[arg(long)]
    running: bool,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Restart {
    fn execute(mut self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.running {
            self.selection.choose_all();
        }
        self.selection.check("restart")?;
        let signal = self.signal.as_deref().map(signal::parse).transpose()?;
        let time = parse::number::seconds("--timeout", self.timeout.as_deref())?;
        let listed = self.selection.is_listed();
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let fits = |state: ContainerState| !self.running || state == ContainerState::Running;
        let request = StopRequest {
            containers: self.selection.resolve(&engine, false, fits)?,
            signal,
            time,
        };
        conclude(session, supervisor::restart(&engine, &request), listed)
    }
}
