//! `kill` and `stop`.

use std::os::fd::AsFd as _;
use std::time::Duration;

use anyhow::Result;

use super::ending::{self, Wish};
use super::list::{self, Status};
use super::{ContainerState, event, pause};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::store::{ContainerEntry, ContainerRecord};
use crate::sys::{process, signal};

/// Longest wait for the end that a signal was most likely sent for, so that a look right after it
/// finds what came of it. docker's own answer takes its client longer than this most often.
const REACTION: Duration = Duration::from_millis(50);

/// docker's time between the stop signal and the kill.
const GRACE: i64 = 10;

/// `stop`.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopRequest {
    /// Names, ids or unique id prefixes.
    pub(crate) containers: Vec<String>,
    /// `-s`, over what the container and its image say.
    pub(crate) signal: Option<i32>,
    /// `-t` in seconds, over what the container says; negative is without a limit.
    pub(crate) time: Option<i64>,
}

/// Sends a signal to the first process of each container; one result for each name, in order.
/// After a KILL their ends are written down when this returns.
///
/// # Errors
/// `Conflict`, in docker's words, for a container that does not run.
pub(crate) fn kill(
    engine: &Engine<'_>,
    containers: &[String],
    signal: i32,
) -> Vec<(String, Result<()>)> {
    let mut wishes = Vec::new();
    let mut told = Vec::new();
    let one = |name: &String| {
        let entry = engine.store.containers().find(name)?.entry()?;
        let status = list::status(&entry)?;
        let Some(payload) = running(&status) else {
            return Err(not_running(name, &entry, &status));
        };
        if signal == libc::SIGKILL {
            wishes.push(Wish {
                dir: entry.dir,
                record: Some(entry.record),
                signal,
                grace: None,
                starting: false,
            });
            return Ok(true);
        }
        let wanted = matches!(signal, libc::SIGTERM) || signal == stop_signal(engine, &entry);
        if wanted {
            entry.dir.mark_stopped()?;
        }
        if process::has_ended(payload.as_fd()) {
            return Err(not_running(name, &entry, &status));
        }
        // Before the signal, so that no end it causes is told first.
        event::note(
            engine,
            &entry.record,
            "kill",
            &[("signal", signal.to_string())],
        );
        match process::signal_pidfd(&payload, signal) {
            Err(nix::errno::Errno::ESRCH) => return Err(not_running(name, &entry, &status)),
            other => other.map_err(|errno| Error::errno("signal container", name, errno))?,
        }
        if wanted {
            pause::resume(&entry.dir);
        }
        if matches!(
            signal,
            libc::SIGINT | libc::SIGTERM | libc::SIGQUIT | libc::SIGABRT
        ) {
            told.push((payload, entry.dir));
        }
        Ok(false)
    };
    let first: Vec<Result<bool>> = containers.iter().map(one).collect();
    ending::observe(&told, REACTION);
    let mut ends = ending::end(engine, wishes).into_iter();
    let second = first.into_iter().map(|done| match done {
        Ok(true) => ends.next().unwrap_or(Ok(())),
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    });
    containers.iter().cloned().zip(second).collect()
}

fn running(status: &Status) -> Option<std::os::fd::OwnedFd> {
    let state = status.running.as_ref()?;
    status.state.has_process().then(|| ending::hold(state))?
}

fn not_running(name: &str, entry: &ContainerEntry, status: &Status) -> anyhow::Error {
    let id = &entry.record.id;
    let why = match status.state {
        ContainerState::Restarting => format!("container {id} is restarting"),
        _ => format!("container {id} is not running"),
    };
    Error::new(Kind::Conflict, "cannot kill container:", name)
        .because(why)
        .into()
}

/// Stops containers, all at once: the stop signal, the grace, the kill. One result for each name,
/// in order; one that does not run is fine.
pub(crate) fn stop(engine: &Engine<'_>, request: &StopRequest) -> Vec<(String, Result<()>)> {
    let mut wishes = Vec::new();
    let one = |name: &String| {
        let entry = engine.store.containers().find(name)?.entry()?;
        let status = list::status(&entry)?;
        let orphan = status.running.as_ref().and_then(ending::hold).is_some();
        if !status.state.is_active() && !orphan {
            return Ok(false);
        }
        wishes.push(wish(engine, entry, request.signal, request.time));
        Ok(true)
    };
    let first: Vec<Result<bool>> = request.containers.iter().map(one).collect();
    let records: Vec<Option<ContainerRecord>> =
        wishes.iter().map(|wish| wish.record.clone()).collect();
    let mut ends = ending::end(engine, wishes).into_iter().zip(records);
    let second = first.into_iter().map(|done| {
        if !done? {
            return Ok(());
        }
        let Some((ended, record)) = ends.next() else {
            return Ok(());
        };
        if let (Ok(()), Some(record)) = (&ended, &record) {
            event::note(engine, record, "stop", &[]);
        }
        ended
    });
    request.containers.iter().cloned().zip(second).collect()
}

/// The wish to stop a container, with what the user, the container, its image and docker say of
/// signal and time, in this order.
pub(super) fn wish(
    engine: &Engine<'_>,
    entry: ContainerEntry,
    signal: Option<i32>,
    time: Option<i64>,
) -> Wish {
    let asked = list::config(&entry).lifecycle.stop_timeout;
    let seconds = time.or(asked).unwrap_or(GRACE);
    Wish {
        signal: match (signal, seconds) {
            // docker: no time for anything else.
            (None, 0) => libc::SIGKILL,
            (Some(signal), _) => signal,
            (None, _) => stop_signal(engine, &entry),
        },
        grace: u64::try_from(seconds).ok().map(Duration::from_secs),
        dir: entry.dir,
        record: Some(entry.record),
        starting: false,
    }
}

/// `--stop-signal`, else the image's, else TERM.
fn stop_signal(engine: &Engine<'_>, entry: &ContainerEntry) -> i32 {
    let asked = list::config(entry).process.stop_signal;
    let of_image = || {
        let config = super::base::image_config(engine, &entry.record).ok()?;
        config.config.stop_signal
    };
    let text = asked.or_else(of_image).unwrap_or_default();
    signal::parse(&text).unwrap_or(libc::SIGTERM)
}
