//! `logs`: the output that containers left, and what they go on writing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::list;
use crate::common::{ContainerId, Error, Kind, Timestamp};
use crate::engine::Engine;
use crate::logs::{Entry, LogDriver, ReadOptions, Reader};
use crate::store::ContainerDir;
use crate::sys::process;
use crate::sys::watch::Watch;

/// `logs`.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogsRequest {
    /// Names, ids or unique id prefixes.
    pub(crate) containers: Vec<String>,
    /// Goes on until the containers have ended.
    pub(crate) follow: bool,
    /// Which entries.
    pub(crate) options: ReadOptions,
}

/// Takes what the logs hold.
pub(crate) trait LogSink {
    /// The next container of the request, before any entry.
    fn container(&mut self, id: &ContainerId, name: &str);
    /// An entry of the container with this place in the request.
    fn entry(&mut self, index: usize, entry: &Entry<'_>) -> Result<()>;
    /// Nothing more for now.
    fn pause(&mut self) -> Result<()>;
    /// Where the entries go, to notice when nobody wants them any more.
    fn output(&self) -> BorrowedFd<'_>;
}

/// One container whose log is read.
struct Source {
    dir: ContainerDir,
    reader: Reader,
    /// The process that writes the log, while there is one.
    keeper: Option<OwnedFd>,
    alive: bool,
}

/// Reads the logs of containers, each to its end; with `follow`, all of them until they ended.
///
/// # Errors
/// `NotFound` for an unknown container; `Unsupported` for a driver that keeps nothing readable.
pub(crate) fn logs(
    engine: &Engine<'_>,
    request: &LogsRequest,
    sink: &mut dyn LogSink,
) -> Result<()> {
    let mut watch = Watch::new();
    let mut sources = Vec::new();
    for name in &request.containers {
        sources.push(Source::open(engine, name, request, &mut watch, sink)?);
    }
    let deadline = request.options.until.map(instant);
    loop {
        // Asked before the last reading: what is written until its end is read then.
        let mut waiting = false;
        for (index, source) in sources.iter_mut().enumerate() {
            let alive = source.alive && source.is_alive()?;
            let mut take = |entry: &Entry<'_>| sink.entry(index, entry).map(|()| true);
            source.reader.drain(&mut take)?;
            source.alive = alive && !source.reader.is_finished();
            waiting |= source.alive;
        }
        sink.pause()?;
        let over = deadline.is_some_and(|deadline| deadline <= Instant::now());
        if !waiting || over {
            return Ok(());
        }
        let keepers = sources.iter().filter(|source| source.alive);
        let keepers: Vec<BorrowedFd<'_>> = keepers
            .filter_map(|source| Some(source.keeper.as_ref()?.as_fd()))
            .collect();
        if watch.wait(&keepers, Some(sink.output()), deadline)? {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
    }
}

impl Source {
    fn open(
        engine: &Engine<'_>,
        name: &str,
        request: &LogsRequest,
        watch: &mut Watch,
        sink: &mut dyn LogSink,
    ) -> Result<Source> {
        let entry = engine.store.containers().find(name)?.entry()?;
        let logging = list::config(&entry).lifecycle.log;
        let driver = logging.driver.unwrap_or(LogDriver::JsonFile);
        if !driver.is_file() {
            return Err(unreadable(driver, &entry.record.id, name).into());
        }
        let path = logging.file(entry.dir.path());
        let alive = request.follow && entry.alive;
        if alive {
            // Before the first look at the file: no change falls in between.
            watch.add(entry.dir.path())?;
            if let Some(dir) = path.parent().filter(|dir| *dir != entry.dir.path()) {
                watch.add(dir)?;
            }
        }
        sink.container(&entry.record.id, &entry.record.name);
        Ok(Source {
            reader: Reader::open(&path, driver, request.options)?,
            dir: entry.dir,
            keeper: None,
            alive,
        })
    }

    /// Whether something may still be written. Cheap while the keeper is known to live.
    fn is_alive(&mut self) -> Result<bool> {
        if let Some(keeper) = &self.keeper
            && !process::has_ended(keeper.as_fd())
        {
            return Ok(true);
        }
        // Another process may go on with the container, so that its lock decides.
        self.keeper = match self.dir.state() {
            Ok(Some(state)) => process::pidfd_open(state.supervisor).ok(),
            _ => None,
        };
        Ok(self.dir.is_alive()?)
    }
}

fn instant(until: Timestamp) -> Instant {
    let left = u64::try_from(until.0 - Timestamp::now().0).unwrap_or(0);
    Instant::now() + Duration::from_nanos(left)
}

/// docker's words for a log that cannot be read, and where it is.
fn unreadable(driver: LogDriver, id: &ContainerId, name: &str) -> Error {
    let error = Error::new(Kind::Unsupported, "read logs of", name).because(format!(
        "configured logging driver does not support reading ({})",
        driver.name()
    ));
    match driver {
        LogDriver::Journald => error.hint(format!("journalctl CONTAINER_ID_FULL={id} shows them")),
        _ => error.hint("make the container with --log-driver json-file"),
    }
}
