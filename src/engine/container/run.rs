//! `run`: from a request to a container that has ended.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::event;
use super::failure::RunFailure;
use super::image::{self};
use super::prepare::{self, Prepared};
use super::{RunOutcome, RunRequest};
use crate::cgroup::{self, Cgroup};
use crate::common::{Error, ExitStatus, Kind, Timestamp, strictly};
use crate::engine::Engine;
use crate::runtime::{self, Attendance, Join, Started};
use crate::spec::config::Config;
use crate::store::{ContainerDir, ContainerLock, ContainerRecord, ExitRecord, StateRecord};
use crate::sys::file;
use crate::sys::signal::Signals;

/// Laps of a stopwatch, for `--timing`.
pub(super) struct Timing {
    last: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Timing {
    fn start() -> Timing {
        Timing {
            last: Instant::now(),
            laps: Vec::new(),
        }
    }

    /// Ends the phase `name`.
    pub(super) fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.laps.push((name, now - self.last));
        self.last = now;
    }
}

/// Runs a container in the foreground until it ends.
///
/// # Errors
/// `RunFailure` with docker's exit code when the container could not be started.
pub(crate) fn run(engine: &Engine<'_>, request: &RunRequest) -> Result<RunOutcome> {
    let mut timing = Timing::start();
    crate::sys::process::forget_code();
    refuse_used_cidfile(request)?;
    let source = image::find(engine, request)?;
    timing.lap("image");
    let prepared = prepare::prepare(engine, request, &source)?;
    timing.lap("prepare");
    crate::sys::process::forget_code();
    let removing = request.remove;
    let outcome = launch(engine, request, &prepared, &mut timing);
    let finished = finish(engine, prepared, &outcome, removing);
    timing.lap("clean up");
    let status = match (outcome, finished) {
        (Ok(launched), Ok(_)) => launched.status,
        (Ok(_), Err(error)) | (Err(error), _) => return Err(error),
    };
    Ok(RunOutcome {
        status,
        timing: timing.laps,
    })
}

struct Launched {
    status: ExitStatus,
    started: Timestamp,
    oom: bool,
}

fn launch(
    engine: &Engine<'_>,
    request: &RunRequest,
    prepared: &Prepared,
    timing: &mut Timing,
) -> Result<Launched> {
    let config = &request.config;
    let cgroup = make_cgroup(engine, prepared, config)?;
    if let Some(line) = engine.ui.withheld().first() {
        return Err(strictly(line).into());
    }
    let signals = Signals::block()?;
    let join = Join {
        into: cgroup.clone_into_fd(),
        procs: cgroup.join_fds(),
    };
    let started = runtime::start(&prepared.plan, join)?;
    // Init builds the container now; the records are written meanwhile.
    let recorded = record(prepared, &started, &cgroup, request);
    let ready = started.ready(engine.ui);
    timing.lap("start");
    let running = match (ready, recorded) {
        (Ok(running), Ok(())) => running,
        (Err(failure), _) => return Err(RunFailure::of(failure).into()),
        (Ok(_), Err(error)) => {
            started.abandon();
            return Err(error);
        }
    };
    let began = Timestamp::now();
    event::started(engine, &prepared.record, began);
    let how = Attendance {
        sig_proxy: request.sig_proxy,
        interactive: config.process.stdio.interactive,
        timeout: config.timeout.map(Duration::from_secs),
        slippery: prepared.plan.is_slippery(),
    };
    let status = runtime::attend(&started, running, &signals, how)?;
    timing.lap("run");
    let oom = status != ExitStatus::Code(0) && cgroup.place().oom_killed();
    Ok(Launched {
        status,
        started: began,
        oom,
    })
}

fn make_cgroup(engine: &Engine<'_>, prepared: &Prepared, config: &Config) -> Result<Cgroup> {
    let limits = &config.resources.limits;
    let parent = config.resources.cgroup_parent.as_deref();
    if *limits == cgroup::Limits::default() && parent.is_none() && !engine.host.is_admin() {
        return Ok(Cgroup::default());
    }
    Ok(cgroup::prepare(
        prepared.record.id.as_str(),
        parent,
        limits,
        engine.host.cgroups(),
        engine.ui,
    )?)
}

/// Writes what other commands need to know of a running container.
fn record(
    prepared: &Prepared,
    started: &Started,
    cgroup: &Cgroup,
    request: &RunRequest,
) -> Result<()> {
    let state =
        StateRecord::of_process(started.child.pid).context("the container ended at once")?;
    write_json(&prepared.dir, "config.json", &prepared.spec)?;
    if !cgroup.place().is_none() {
        write_json(&prepared.dir, "cgroup.json", cgroup.place())?;
    }
    // Last: it says that the container runs, and that the others can be read.
    prepared.dir.set_state(&state)?;
    if let Some(path) = &request.cidfile {
        let mut out = file::create_new(path).map_err(|error| cidfile_error(path, error))?;
        std::io::Write::write_all(&mut out, prepared.record.id.as_str().as_bytes())
            .map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}

fn write_json(dir: &ContainerDir, name: &str, value: &impl serde::Serialize) -> Result<()> {
    let path = dir.path().join(name);
    Ok(file::write_unseen(&path, &serde_json::to_vec(value)?)?)
}

fn refuse_used_cidfile(request: &RunRequest) -> Result<()> {
    match &request.cidfile {
        Some(path) if path.symlink_metadata().is_ok() => {
            Err(cidfile_error(path, std::io::Error::from_raw_os_error(libc::EEXIST)).into())
        }
        _ => Ok(()),
    }
}

fn cidfile_error(path: &PathBuf, error: std::io::Error) -> Error {
    Error::io("make --cidfile", path, error)
        .hint("make sure the other container isn't running and remove the file")
}

/// Records the end, or removes the container.
fn finish(
    engine: &Engine<'_>,
    prepared: Prepared,
    outcome: &Result<Launched>,
    removing: bool,
) -> Result<crate::common::ContainerId> {
    let Prepared {
        record, dir, lock, ..
    } = prepared;
    let end = end(outcome, removing);
    if removing {
        let removed = remove(engine, &dir, lock, &record);
        event::ended(engine, &record, end);
        return removed.map(|()| record.id);
    }
    let exit = match outcome {
        Ok(launched) => ExitRecord {
            status: launched.status,
            started: Some(launched.started),
            finished: Timestamp::now(),
            oom: launched.oom,
            restarts: 0,
            restarting: false,
            error: String::new(),
        },
        Err(error) => ExitRecord {
            status: error
                .downcast_ref::<RunFailure>()
                .map_or(ExitStatus::ENGINE, |failure| failure.status),
            started: None,
            finished: Timestamp::now(),
            oom: false,
            restarts: 0,
            restarting: false,
            error: format!("{error:#}"),
        },
    };
    dir.set_exit(&exit)?;
    event::ended(engine, &record, end);
    Ok(record.id)
}

fn end(outcome: &Result<Launched>, removed: bool) -> event::Ended {
    match outcome {
        Ok(launched) => event::Ended {
            status: launched.status,
            started: Some(launched.started),
            oom: launched.oom,
            removed,
        },
        Err(error) => event::Ended {
            status: error
                .downcast_ref::<RunFailure>()
                .map_or(ExitStatus::ENGINE, |failure| failure.status),
            started: None,
            oom: false,
            removed,
        },
    }
}

fn remove(
    engine: &Engine<'_>,
    dir: &ContainerDir,
    lock: ContainerLock,
    record: &ContainerRecord,
) -> Result<()> {
    let removed = super::remove::delete_ended(engine, dir, lock, record);
    removed.map_err(|error| match error.downcast_ref::<Error>() {
        Some(known) if known.kind() == Kind::NotFound => {
            error.context("the container was removed meanwhile")
        }
        _ => error,
    })
}
