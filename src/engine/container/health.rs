//! Health checks: what a container's check is, when the next one is due, and running one.
//!
//! Whoever keeps the container runs `healthcheck run` in a short-lived child when [`due`] says
//! so; the result is in the container's `health` file.

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
use crate::oci::Healthcheck;
use crate::runtime::capture;
use crate::spec::config::Config;
use crate::store::{
    ContainerDir, ContainerRecord, HealthRecord, HealthResult, HealthStatus, StateRecord,
};

/// Bytes of a check's output that are kept (moby's `maxOutputLen`).
const MAX_OUTPUT: usize = 4096;

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
    if config.lifecycle.health.disabled {
        return None;
    }
    let mut check = ImageFacts::of(record).health.unwrap_or_default();
    let asked = &config.lifecycle.health.check;
    if !asked.test.is_empty() {
        check.test.clone_from(&asked.test);
    }
    for (field, value) in [
        (&mut check.interval, asked.interval),
        (&mut check.timeout, asked.timeout),
        (&mut check.start_period, asked.start_period),
        (&mut check.start_interval, asked.start_interval),
        (&mut check.retries, asked.retries),
    ] {
        if value > 0 {
            *field = value;
        }
    }
    let off = check.test.first().is_none_or(|kind| kind == "NONE");
    (!off).then_some(check)
}

/// The check of a container; `None` when it has none that can be run.
pub(crate) fn check(record: &ContainerRecord, config: &Config) -> Option<Check> {
    let merged = merged(record, config)?;
    let (kind, words) = merged.test.split_first()?;
    let test = match kind.as_str() {
        "CMD" => words.to_vec(),
        "CMD-SHELL" => ["/bin/sh", "-c", words.first()?]
            .map(str::to_owned)
            .to_vec(),
        // docker: an unknown kind is no check.
        _ => return None,
    };
    let or = |nanoseconds: i64, default: u64| match u64::try_from(nanoseconds) {
        Ok(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds),
        _ => Duration::from_secs(default),
    };
    (!test.is_empty()).then(|| Check {
        test,
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

/// When the next check of the run is due. `record` is what [`ContainerDir::health`] gave; a
/// record of an earlier run counts as none.
pub(crate) fn due(check: &Check, state: &StateRecord, record: Option<&HealthRecord>) -> Timestamp {
    let own = record.filter(|record| record.run == state.start_time);
    let last = own
        .and_then(|record| record.log.last())
        .map(|result| result.end);
    let starting = own.is_none_or(|record| record.status == HealthStatus::Starting);
    let from = last.unwrap_or(state.started);
    let early = state.started.age(from) < check.start_period;
    let wait = match starting && early {
        true => check.start_interval,
        false => check.interval,
    };
    Timestamp(
        from.0
            .saturating_add(wait.as_nanos().try_into().unwrap_or(i128::MAX)),
    )
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
    let request = ExecRequest {
        words: check.test.clone(),
        ..ExecRequest::default()
    };
    let (dir, state) = (live.dir.clone(), live.state.clone());
    let record = live.record.clone();
    let start = Timestamp::now();
    let outcome = run(engine, live, &request, check.timeout);
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
    let mut health = HealthRecord::of_run(dir.health()?, state.start_time);
    let before = health.status;
    health.add(result, early, check.retries);
    dir.set_health(&health)?;
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
) -> Result<(i32, String)> {
    let execution = Execution::prepare(engine, live, request)?;
    let (reader, writer) = std::io::pipe().map_err(|error| Error::io("make", "a pipe", error))?;
    let started = execution.start(Some(std::os::fd::AsFd::as_fd(&writer)));
    drop(writer);
    let (started, running) = match started {
        Ok(started) => started,
        Err(error) if is_over(&error) => return Err(error),
        // docker: a check that cannot be started is one that failed.
        Err(error) => return Ok((-1, cut(format!("{error:#}").into_bytes()))),
    };
    let captured = capture(&started, running, reader, MAX_OUTPUT + 1, timeout)?;
    execution.ended(captured.status);
    if captured.timed_out {
        let mut text = format!("Health check exceeded timeout ({})", go_duration(timeout));
        if !captured.output.is_empty() {
            text.push_str(": ");
        }
        let mut bytes = text.into_bytes();
        bytes.extend(captured.output);
        return Ok((-1, cut(bytes)));
    }
    let code = match captured.status {
        ExitStatus::Code(code) => i32::from(code),
        signal @ ExitStatus::Signal(_) => i32::from(signal.code()),
    };
    Ok((code, cut(captured.output)))
}

/// Whether a process could not be started because the container has ended meanwhile.
fn is_over(error: &anyhow::Error) -> bool {
    let kind = match error.downcast_ref::<RunFailure>() {
        Some(failure) => Some(failure.error.kind()),
        None => error.downcast_ref::<Error>().map(Error::kind),
    };
    kind == Some(Kind::Conflict)
}

/// At most [`MAX_OUTPUT`] bytes of text, docker's dots at the end of a longer one.
fn cut(mut bytes: Vec<u8>) -> String {
    let long = bytes.len() > MAX_OUTPUT;
    if long {
        bytes.truncate(MAX_OUTPUT - 3);
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    while text.len() > MAX_OUTPUT - if long { 3 } else { 0 } {
        text.pop();
    }
    if long {
        text.push_str("...");
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
