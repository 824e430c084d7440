//! `wait`.

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{Condition, ContainerState, WaitRequest, wait};

use super::select::Selection;

/// Block until one or more containers stop, then print their exit codes
#[derive(clap::Parser, Debug)]
#[command(mut_arg("filter", |arg| arg.short('f')))]
pub(crate) struct Wait {
    /// Condition to wait for: stopped, exited, running, paused, created, healthy, unhealthy or
    /// removing
    #[arg(long, value_name = "CONDITION")]
    condition: Vec<String>,

    /// Time between two looks; there are none, the wait ends at once
    #[arg(short, long, value_name = "DURATION")]
    interval: Option<String>,

    /// Do not fail when a container does not exist, its code is -1
    #[arg(long)]
    ignore: bool,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Wait {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("wait")?;
        if let Some(text) = &self.interval {
            check_interval(text)?;
        }
        let conditions = self.condition.iter().flat_map(|text| text.split(','));
        let conditions = conditions.map(condition).collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let containers = self.selection.resolve(&engine, self.ignore, |_| true)?;
        let request = WaitRequest {
            containers,
            conditions,
        };
        let mut status = ExitStatus::Code(0);
        wait(&engine, &request, &mut |_, outcome| {
            match outcome {
                Ok(code) => session.data(&format!("{code}\n"))?,
                Err(error) if self.ignore && error_report::kind(&error) == Some(Kind::NotFound) => {
                    session.data("-1\n")?;
                }
                Err(error) => {
                    session.report(&error);
                    status = session.personality.failure();
                }
            }
            Ok(())
        })?;
        Ok(status)
    }
}

fn condition(text: &str) -> Result<Condition, Error> {
    Ok(match text {
        "not-running" => Condition::NotRunning,
        "stopped" | "exited" => Condition::Ended,
        "removed" | "removing" => Condition::Removed,
        "running" => Condition::State(ContainerState::Running),
        "paused" => Condition::State(ContainerState::Paused),
        "created" | "configured" => Condition::State(ContainerState::Created),
        "initialized" => Condition::State(ContainerState::Initialized),
        "healthy" => Condition::Health("healthy"),
        "unhealthy" => Condition::Health("unhealthy"),
        _ => {
            let why = "use stopped, exited, running, paused, created, healthy, unhealthy or \
                       removing";
            return Err(parse::bad("--condition", text, why));
        }
    })
}

/// podman: a number of milliseconds, or a duration such as `250ms`.
fn check_interval(text: &str) -> Result<(), Error> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
    let unit = text.get(digits.len()..).unwrap_or_default();
    let known = ["", "ns", "us", "µs", "ms", "s", "m", "h"].contains(&unit);
    match digits.parse::<f64>() {
        Ok(number) if known && number.is_finite() && number >= 0.0 => Ok(()),
        _ => Err(parse::bad(
            "--interval",
            text,
            "use a duration such as 250ms",
        )),
    }
}
