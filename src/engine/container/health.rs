//! Health checks: what a container's check is, when the next one is due, and running one.
//!
//! Whoever keeps the container runs `healthcheck run` in a short-lived child when [`due`] says
//! so; the result is in the container's `health` file.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::asked::ImageFacts;
use super::ending;
use super::event;
use super::exec::{ExecRequest, Execution};
use super::failure::RunFailure;
use super::live::Live;
use crate::common::{Error, ExitStatus, Kind, Timestamp};
use crate::engine::Engine;
use crate::oci::{ContainerConfig, Healthcheck};
use crate::runtime::capture;
use crate::spec::config::{Config, HealthLog, HealthLogPlace, OnUnhealthy, Startup};
use crate::store::{
    ContainerDir, ContainerRecord, HealthRecord, HealthResult, HealthStatus, StateRecord,
};
use crate::sys::file;

/// Bytes of a check's output that are kept (moby's `maxOutputLen`).
pub(super) const MAX_OUTPUT: usize = 4096;

/// The same when as much as can be is asked for.
const MOST_OUTPUT: usize = 64 << 10;

/// Results that are kept, as in docker.
pub(super) const RESULTS: usize = 5;

/// The same when as many as can be are asked for.
const MOST_RESULTS: usize = 1000;

/// A check with docker's defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// Program and arguments.
    pub(crate) test: Vec<String>,
    /// Time between checks.
    pub(crate) interval: Duration,
    /// Time one check may take.
    pub(crate) timeout: Duration,
    /// Time after the start in which failures do not count.
    pub(crate) start_period: Duration,
    /// Time between checks in the start period.
    pub(crate) start_interval: Duration,
    /// Failures in a row that make the container unhealthy.
    pub(crate) retries: u32,
    /// What has to succeed before the first check.
    pub(crate) startup: Option<StartupCheck>,
}

/// A check that has to succeed before the other one begins, with podman's defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartupCheck {
    test: Vec<String>,
    interval: Duration,
    timeout: Duration,
    /// Failures in a row that restart the container; 0 is never.
    retries: u32,
    /// Successes in a row that are wanted.
    successes: u32,
}

impl Check {
    /// Whether the container is to be started anew, since it does not come up.
    pub(crate) fn gives_up(&self, record: &HealthRecord) -> bool {
        let failed = record.startup.failures;
        self.startup
            .as_ref()
            .is_some_and(|startup| startup.retries > 0 && failed >= startup.retries)
    }

    /// The check before the check, as long as that is to be run.
    fn starting(&self, record: Option<&HealthRecord>) -> Option<&StartupCheck> {
        let passed = record.is_some_and(|record| record.startup.passed);
        self.startup.as_ref().filter(|_| !passed)
    }
}

/// What one check has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probed {
    /// The record after it.
    pub(crate) record: HealthRecord,
    /// Its status is another one than before.
    pub(crate) changed: bool,
}

/// The image's check with the request's fields over it, field by field; `None` when neither has
/// one or it was turned off.
pub(super) fn merged(record: &ContainerRecord, config: &Config) -> Option<Healthcheck> {
    merge(ImageFacts::of(record).health, config)
}

fn merge(image: Option<Healthcheck>, config: &Config) -> Option<Healthcheck> {
    if config.lifecycle.health.disabled {
        return None;
    }
    let mut check = image.unwrap_or_default();
    check.replace_by(&config.lifecycle.health.check);
    let off = check.test.first().is_none_or(|kind| kind == "NONE");
    (!off).then_some(check)
}

/// Refuses what nothing would ever bring about.
///
/// # Errors
/// `Usage` for `--health-on-failure` where neither image nor request has a check.
pub(super) fn refuse_idle(image: &ContainerConfig, config: &Config) -> Result<(), Error> {
    let action = match config.lifecycle.health.on_unhealthy {
        OnUnhealthy::None => return Ok(()),
        OnUnhealthy::Kill => "kill",
        OnUnhealthy::Restart => "restart",
        OnUnhealthy::Stop => "stop",
    };
    if merge(image.healthcheck.clone(), config).is_some() {
        return Ok(());
    }
    let why = format!("cannot set on-failure action to {action} without a health check");
    Err(Error::new(Kind::Usage, why, "").hint("--health-cmd gives it one"))
}

/// The check of a container; `None` when it has none that can be run.
pub(crate) fn check(record: &ContainerRecord, config: &Config) -> Option<Check> {
    let merged = merged(record, config)?;
    Some(Check {
        test: command(&merged)?,
        startup: startup(&config.lifecycle.health.startup),
        interval: or(merged.interval, 30),
        timeout: or(merged.timeout, 30),
        start_period: or(merged.start_period, 0),
        start_interval: or(merged.start_interval, 5),
        retries: u32::try_from(merged.retries)
            .ok()
            .filter(|n| *n > 0)
            .unwrap_or(3),
    })
}

fn startup(asked: &Startup) -> Option<StartupCheck> {
    Some(StartupCheck {
        test: command(&asked.check)?,
        interval: or(asked.check.interval, 30),
        timeout: or(asked.check.timeout, 30),
        retries: u32::try_from(asked.check.retries).unwrap_or(0),
        successes: asked.successes.max(1),
    })
}

/// Program and arguments of a check.
fn command(check: &Healthcheck) -> Option<Vec<String>> {
    let (kind, words) = check.test.split_first()?;
    let test = match kind.as_str() {
        "CMD" => words.to_vec(),
        "CMD-SHELL" => ["/bin/sh", "-c", words.first()?]
            .map(str::to_owned)
            .to_vec(),
        // docker: an unknown kind is no check.
        _ => return None,
    };
    (!test.is_empty()).then_some(test)
}

/// A time in nanoseconds, or the default in seconds.
fn or(nanoseconds: i64, default: u64) -> Duration {
    match u64::try_from(nanoseconds) {
        Ok(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds),
        _ => Duration::from_secs(default),
    }
}

/// When the next check of the run is due, and how long after the last one that is. `record` is what [`ContainerDir::health`] gave; a
/// record of an earlier run counts as none.
pub(crate) fn due(
    check: &Check,
    state: &StateRecord,
    record: Option<&HealthRecord>,
) -> (Timestamp, Duration) {
    let own = record.filter(|record| record.run == state.start_time);
    let last = own
        .and_then(|record| record.log.last())
        .map(|result| result.end);
    let starting = own.is_none_or(|record| record.status == HealthStatus::Starting);
    let from = last.unwrap_or(state.started);
    let early = state.started.age(from) < check.start_period;
    let wait = match check.starting(own) {
        Some(startup) => startup.interval,
        None if starting && early => check.start_interval,
        None => check.interval,
    };
    let nanoseconds = wait.as_nanos().try_into().unwrap_or(i128::MAX);
    (Timestamp(from.0.saturating_add(nanoseconds)), wait)
}

/// How a running container is.
pub(super) fn current(
    record: &ContainerRecord,
    config: &Config,
    dir: &ContainerDir,
    run: Option<u64>,
) -> Option<HealthRecord> {
    check(record, config)?;
    let last = dir.health().ok().flatten();
    match run {
        Some(run) => Some(HealthRecord::of_run(last, run)),
        None => last,
    }
}

/// docker's `State.Health`.
pub(super) fn inspect(record: &HealthRecord) -> Value {
    json!({
        "Status": record.status,
        "FailingStreak": record.failing_streak,
        "Log": record.log,
    })
}

/// Runs the check of the container in `dir` once and records what came of it.
///
/// # Errors
/// `NotFound` when it has no check; `Conflict` when it does not run. A check that fails, cannot
/// be started or takes too long is a result and no error.
pub(crate) fn probe(engine: &Engine<'_>, dir: ContainerDir) -> Result<Probed> {
    let live = Live::of(dir)?;
    let Some(check) = check(&live.record, &live.config) else {
        return Err(Error::new(Kind::NotFound, "check", &live.record.name)
            .because("container has no defined healthcheck".to_owned())
            .into());
    };
    let (dir, state) = (live.dir.clone(), live.state.clone());
    let (record, log) = (
        live.record.clone(),
        live.config.lifecycle.health.log.clone(),
    );
    let mut health = HealthRecord::of_run(dir.health()?, state.start_time);
    let starting = check.starting(Some(&health)).cloned();
    let (words, timeout) = match &starting {
        Some(startup) => (&startup.test, startup.timeout),
        None => (&check.test, check.timeout),
    };
    let request = ExecRequest {
        words: words.clone(),
        ..ExecRequest::default()
    };
    let most = result_size(&log);
    let start = Timestamp::now();
    let outcome = run(engine, live, &request, timeout, most);
    // Whatever the check came to: one that was cut off by the container's end says nothing.
    if ending::hold(&state).is_none() {
        return Err(Error::new(Kind::Conflict, "check", &record.name)
            .because("container is not running".to_owned())
            .into());
    }
    let (code, output) = outcome?;
    let result = HealthResult {
        start,
        end: Timestamp::now(),
        exit_code: code,
        output,
    };
    let early = state.started.age(start) < check.start_period;
    let before = health.status;
    match &starting {
        Some(startup) => {
            health.startup.add(code, startup.successes);
            health.log.push(result);
        }
        None => health.add(result, early, check.retries),
    }
    health.keep(kept(&log));
    dir.set_health(&health)?;
    pass_on(engine, &record, &log, &health)?;
    let changed = health.status != before;
    if changed {
        event::note(
            engine,
            &record,
            &format!("health_status: {}", health.status.word()),
            &[],
        );
    }
    Ok(Probed {
        record: health,
        changed,
    })
}

/// Results that are kept.
fn kept(log: &HealthLog) -> usize {
    match log.count {
        None => RESULTS,
        Some(0) => MOST_RESULTS,
        Some(count) => count as usize,
    }
}

/// Bytes of each result that are kept.
fn result_size(log: &HealthLog) -> usize {
    match log.size {
        None => MAX_OUTPUT,
        Some(0) => MOST_OUTPUT,
        Some(size) => size as usize,
    }
}

/// `--health-log-destination`: results that go somewhere else as well.
fn pass_on(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    log: &HealthLog,
    health: &HealthRecord,
) -> Result<()> {
    match &log.destination {
        None | Some(HealthLogPlace::Local) => {}
        Some(HealthLogPlace::Events) => {
            if let Some(result) = health.log.last() {
                let attributes = [
                    ("health_exit_code", result.exit_code.to_string()),
                    ("health_log", result.output.clone()),
                ];
                event::note(engine, record, "health_log", &attributes);
            }
        }
        Some(HealthLogPlace::Directory(directory)) => {
            let path = Path::new(directory).join(format!("{}-healthcheck.log", record.id));
            file::write_atomic(&path, &serde_json::to_vec(&inspect(health))?)?;
        }
    }
    Ok(())
}

/// `healthcheck run`: [`probe`] of a container by name.
///
/// # Errors
/// As [`probe`]; `NotFound` for an unknown name.
pub(crate) fn probe_by_hand(engine: &Engine<'_>, name: &str) -> Result<Probed> {
    probe(engine, engine.store.containers().find(name)?)
}

/// Runs the check's process; its code and the beginning of its output.
fn run(
    engine: &Engine<'_>,
    live: Live,
    request: &ExecRequest,
    timeout: Duration,
    most: usize,
) -> Result<(i32, String)> {
    let execution = Execution::prepare(engine, live, request)?;
    let (reader, writer) = std::io::pipe().map_err(|error| Error::io("make", "a pipe", error))?;
    let started = execution.start(Some(std::os::fd::AsFd::as_fd(&writer)));
    drop(writer);
    let (started, running) = match started {
        Ok(started) => started,
        Err(error) if is_over(&error) => return Err(error),
        // docker: a check that cannot be started is one that failed.
        Err(error) => return Ok((-1, cut(format!("{error:#}").into_bytes(), most))),
    };
    let captured = capture(&started, running, reader, most + 1, timeout)?;
    execution.ended(captured.status);
    if captured.timed_out {
        let mut text = format!("Health check exceeded timeout ({})", go_duration(timeout));
        if !captured.output.is_empty() {
            text.push_str(": ");
        }
        let mut bytes = text.into_bytes();
        bytes.extend(captured.output);
        return Ok((-1, cut(bytes, most)));
    }
    let code = match captured.status {
        ExitStatus::Code(code) => i32::from(code),
        signal @ ExitStatus::Signal(_) => i32::from(signal.code()),
    };
    Ok((code, cut(captured.output, most)))
}

/// Whether a process could not be started because the container has ended meanwhile.
fn is_over(error: &anyhow::Error) -> bool {
    let kind = match error.downcast_ref::<RunFailure>() {
        Some(failure) => Some(failure.error.kind()),
        None => error.downcast_ref::<Error>().map(Error::kind),
    };
    kind == Some(Kind::Conflict)
}

/// At most `most` bytes of text, docker's dots at the end of a longer one.
fn cut(mut bytes: Vec<u8>, most: usize) -> String {
    let long = bytes.len() > most;
    let room = if long { most.saturating_sub(3) } else { most };
    bytes.truncate(room);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    while text.len() > room {
        text.pop();
    }
    if long {
        text.push_str(&"..."[..most.min(3)]);
    }
    text
}

/// A duration in Go's words: `30s`, `1m30s`, `500ms`.
fn go_duration(duration: Duration) -> String {
    let (seconds, rest) = (duration.as_secs(), duration.subsec_millis());
    if seconds == 0 {
        return format!("{rest}ms");
    }
    let fraction = match rest {
        0 => String::new(),
        _ => format!(".{rest:03}").trim_end_matches('0').to_owned(),
    };
    let (hours, minutes, left) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{left}{fraction}s"),
        (0, _) => format!("{minutes}m{left}{fraction}s"),
        _ => format!("{hours}h{minutes}m{left}{fraction}s"),
    }
}

#[cfg(test)]
mod tests;
