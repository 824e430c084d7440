//! `events`: what the journal holds, and what is added to it.

mod filter;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::common::Timestamp;
use crate::engine::Engine;
use crate::store::Event;
use crate::sys::watch::Watch;

pub(crate) use filter::{EventFilters, podman_word};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Events of this moment and later; without it and `until` only those to come.
    pub(crate) since: Option<Timestamp>,
    /// Events before this moment and at it; the end of waiting.
    pub(crate) until: Option<Timestamp>,
    /// Waits for further events.
    pub(crate) stream: bool,
    /// Which events.
    pub(crate) filters: EventFilters,
}

/// Takes events.
pub(crate) trait EventSink {
    /// The next one.
    fn event(&mut self, event: &Event) -> Result<()>;
    /// Nothing more for now.
    fn pause(&mut self) -> Result<()>;
    /// Where they go, to notice when nobody wants them any more.
    fn output(&self) -> BorrowedFd<'_>;
}

/// Hands the events asked for to `sink` until `until`, for ever without it, or to the end of the
/// journal when nothing is to be waited for.
pub(crate) fn events(
    engine: &Engine<'_>,
    request: &Request,
    sink: &mut dyn EventSink,
) -> Result<()> {
    let past = request.since.is_some() || request.until.is_some() || !request.stream;
    let mut watch = Watch::new();
    if request.stream {
        // Before the first look: no change falls in between.
        watch.add(engine.store.root())?;
    }
    let mut journal = engine.store.journal(past).context("read events")?;
    let deadline = request.until.map(instant);
    loop {
        let mut found = Vec::new();
        while let Some(event) = journal.next().context("read events")? {
            let early = request.since.is_some_and(|since| event.time < since);
            let late = request.until.is_some_and(|until| event.time > until);
            if !early && !late && request.filters.pass(&event) {
                found.push(event);
            }
        }
        // Who writes waits for nobody, so that a line may come behind a later moment's.
        found.sort_by_key(|event| event.time);
        for event in &found {
            sink.event(event)?;
        }
        sink.pause()?;
        let over = deadline.is_some_and(|deadline| deadline <= Instant::now());
        if over || !request.stream {
            return Ok(());
        }
        if watch.wait(&[], Some(sink.output()), deadline)? {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
    }
}

fn instant(until: Timestamp) -> Instant {
    let left = u64::try_from(until.0 - Timestamp::now().0).unwrap_or(0);
    let now = Instant::now();
    // A date too far away for the clock is never.
    now.checked_add(Duration::from_nanos(left)).unwrap_or(now)
}
