//! The timer of a container's health check, and the process that runs one.
//!
//! A check is run by `ketch healthcheck run`, a child in an image of its own: it has none of the
//! supervisor's descriptors, so that it never keeps a container or a client waiting, and what it
//! allocates goes with it. What it found is in the container's `health` file.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nix::sched::CloneFlags;

use super::handover;
use crate::common::{Result, Timestamp};
use crate::engine::Engine;
use crate::engine::container::{Asked, Check, check, due, notify_healthy};
use crate::spec::config::{Notify, OnUnhealthy};
use crate::store::{ContainerDir, ContainerRecord, HealthRecord, HealthStatus, StateRecord};
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{exec, signal};

/// The health check of one run of a container.
pub(super) struct Health<'a> {
    engine: &'a Engine<'a>,
    dir: ContainerDir,
    id: String,
    state: StateRecord,
    check: Check,
    on_unhealthy: OnUnhealthy,
    /// The manager of a service is to be told of the first success.
    to_notify: bool,
    /// When the next one begins.
    next: Instant,
    probe: Option<Child>,
}

impl<'a> Health<'a> {
    /// The timer of a container that runs; `None` when it has no check. One whose records cannot
    /// be read goes unchecked.
    pub(super) fn of(
        engine: &'a Engine<'a>,
        record: &ContainerRecord,
        dir: &ContainerDir,
    ) -> Option<Health<'a>> {
        let config = Asked::of(record).ok()?.config;
        let check = check(record, &config)?;
        let mut health = Health {
            engine,
            dir: dir.clone(),
            id: record.id.to_string(),
            state: dir.state().ok().flatten()?,
            on_unhealthy: config.lifecycle.health.on_unhealthy,
            to_notify: config.lifecycle.notify == Notify::Healthy,
            check,
            next: Instant::now(),
            probe: None,
        };
        health.plan();
        Some(health)
    }

    /// When something is to be done; `None` while a check goes on.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.probe.is_none().then_some(self.next)
    }

    /// The check that goes on, to wait for.
    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.probe.as_ref().map(|probe| probe.pidfd.as_fd())
    }

    /// Begins a check when one is due.
    pub(super) fn begin(&mut self) -> Result<()> {
        if self.probe.is_some() || Instant::now() < self.next {
            return Ok(());
        }
        let words = ["ketch", "healthcheck", "run", &self.id];
        let words: Vec<CString> = words
            .into_iter()
            .filter_map(|word| CString::new(word).ok())
            .collect();
        let variables = handover::environment(self.engine);
        match clone(CloneFlags::empty(), None)? {
            Cloned::Child => {
                signal::reset_all();
                let _ = exec::execve(c"/proc/self/exe", &words, &variables);
                exit_now(1)
            }
            Cloned::Parent(probe) => self.probe = Some(probe),
        }
        Ok(())
    }

    /// Takes note of the end of a check; what to do about it when the container is unhealthy.
    pub(super) fn ended(&mut self) -> Result<OnUnhealthy> {
        if let Some(probe) = self.probe.take() {
            probe.wait()?;
        }
        let record = self.plan();
        let healthy = |record: &HealthRecord| record.status == HealthStatus::Healthy;
        if self.to_notify && record.as_ref().is_some_and(healthy) {
            self.to_notify = false;
            notify_healthy(self.engine);
        }
        Ok(match record {
            Some(record) if self.check.gives_up(&record) => OnUnhealthy::Restart,
            Some(record) if record.status == HealthStatus::Unhealthy => self.on_unhealthy,
            _ => OnUnhealthy::None,
        })
    }

    /// Sets the time of the next check; what the run's checks have come to.
    fn plan(&mut self) -> Option<HealthRecord> {
        let record = self.dir.health().ok().flatten();
        let now = Timestamp::now();
        let (due, interval) = due(&self.check, &self.state, record.as_ref());
        let left = now.age(due);
        // Nothing was noted: it is paused, or could not be checked; or the machine is slow. Nor does
        // a clock that was set make checks rare, or follow each other at once.
        let wait = match left.is_zero() {
            true => interval,
            false => left.min(interval),
        };
        self.next = Instant::now() + wait;
        record.filter(|record| record.run == self.state.start_time)
    }
}

impl Drop for Health<'_> {
    /// The run is over, and so is its check.
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            let _ = probe.signal(libc::SIGKILL);
            let _ = probe.wait();
        }
    }
}
