//! `run --rm` in the foreground, without a terminal: the container's streams are the caller's own
//! and nobody stands between them. Every other run has a supervisor.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::RunRequest;
use super::carry;
use super::create::Prepared;
use super::event::{self, Ended};
use super::failure::RunFailure;
use super::launch::{self, End, launch};
use super::notify;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::runtime::{self, Attendance};
use crate::sys::signal::Signals;

/// Laps of a stopwatch, for `--timing`.
pub(crate) struct Timing {
    last: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Timing {
    /// Begins now.
    pub(crate) fn start() -> Timing {
        Timing {
            last: Instant::now(),
            laps: Vec::new(),
        }
    }

    /// Ends the phase `name`.
    pub(crate) fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.laps.push((name, now - self.last));
        self.last = now;
    }

    /// Phases in order and how long each took.
    pub(crate) fn laps(&self) -> &[(&'static str, Duration)] {
        &self.laps
    }
}

/// Runs a prepared container in the foreground until it ends, and removes it.
///
/// # Errors
/// `RunFailure` with docker's exit code when the container could not be started.
pub(crate) fn run(
    engine: &Engine<'_>,
    request: &RunRequest,
    prepared: Prepared,
    timing: &mut Timing,
) -> Result<ExitStatus> {
    let mut outcome = attended(engine, request, &prepared, timing);
    if let Ok(ended) = &outcome
        && let Err(error) = carry::out(engine, &prepared.record, &prepared.dir, ended.status)
    {
        outcome = Err(error);
    }
    let finished = finish(engine, prepared, &outcome);
    timing.lap("clean up");
    let status = outcome?.status;
    finished.map(|()| status)
}

fn attended(
    engine: &Engine<'_>,
    request: &RunRequest,
    prepared: &Prepared,
    timing: &mut Timing,
) -> Result<Ended> {
    let config = &request.config;
    let signals = Signals::block()?;
    let live = launch(engine, prepared, [None; 3], 0)?;
    event::started(engine, &prepared.record, live.began);
    notify::started(engine, config.lifecycle.notify, std::process::id);
    timing.lap("start");
    let how = Attendance {
        sig_proxy: request.sig_proxy,
        interactive: config.process.stdio.interactive,
        timeout: config.timeout.map(Duration::from_secs),
        slippery: prepared.planned.plan.is_slippery(),
    };
    let status = runtime::attend(&live.started, live.running, &signals, how)?;
    timing.lap("run");
    Ok(Ended {
        status,
        started: Some(live.began),
        oom: status != ExitStatus::Code(0) && live.cgroup.place().oom_killed(),
        removed: true,
    })
}

/// Removes the container.
fn finish(engine: &Engine<'_>, prepared: Prepared, outcome: &Result<Ended>) -> Result<()> {
    let Prepared {
        record, dir, lock, ..
    } = prepared;
    if dir.is_kept() {
        let end = End::failed(&anyhow::anyhow!("its results could not be copied out"));
        return launch::record_end(engine, &record, &dir, &end, (0, false));
    }
    let removed = super::remove::delete_ended(engine, &dir, lock, &record);
    let end = match outcome {
        Ok(end) => *end,
        Err(error) => Ended {
            status: error
                .downcast_ref::<RunFailure>()
                .map_or(ExitStatus::ENGINE, |failure| failure.status),
            started: None,
            oom: false,
            removed: true,
        },
    };
    event::ended(engine, &record, end);
    super::remove::remove_image(engine, &record);
    removed.map_err(|error| match error.downcast_ref::<Error>() {
        Some(known) if known.kind() == Kind::NotFound => {
            error.context("the container was removed meanwhile")
        }
        _ => error,
    })
}
