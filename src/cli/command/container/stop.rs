//! `stop`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{ContainerState, StopRequest, stop};
use crate::sys::signal;

use super::select::{Selection, conclude};

/// Stop one or more running containers
#[derive(clap::Parser, Debug)]
#[command(mut_arg("filter", |arg| arg.short('f')))]
pub(crate) struct Stop {
    /// Signal to send to the container
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<String>,

    /// Seconds to wait before killing the container; -1 waits for ever
    #[arg(short = 't', long, visible_alias = "time", value_name = "SECONDS")]
    timeout: Option<String>,

    /// Do not fail when a container does not exist
    #[arg(short, long)]
    ignore: bool,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Stop {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("stop")?;
        let signal = self.signal.as_deref().map(signal::parse).transpose()?;
        let time = parse::number::seconds("--timeout", self.timeout.as_deref())?;
        let ignore = self.ignore || self.selection.is_listed();
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = StopRequest {
            containers: self
                .selection
                .resolve(&engine, self.ignore, ContainerState::is_active)?,
            signal,
            time,
        };
        conclude(session, stop(&engine, &request), ignore)
    }
}
