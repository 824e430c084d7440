//! `stats`: what containers use, in samples.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::list;
use super::usage::usage;
use crate::cgroup::Place;
use crate::common::{ContainerId, Kind, Timestamp};
use crate::engine::Engine;
use crate::store::ContainerEntry;
use crate::sys::file;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatsRequest {
    /// Names, ids or unique id prefixes; empty for every container.
    pub(crate) containers: Vec<String>,
    /// Containers that do not run, too.
    pub(crate) all: bool,
}

/// One container in one sample.
#[derive(Debug, Clone)]
pub(crate) struct ContainerStats {
    /// What the user calls it; its id when nothing was said.
    pub(crate) asked: String,
    /// Id.
    pub(crate) id: ContainerId,
    /// Name.
    pub(crate) name: String,
    /// CPU used since the sample before, in percent of one CPU; `None` in its first sample.
    pub(crate) cpu: Option<f64>,
    /// CPU used since its start, in percent of one CPU.
    pub(crate) average: f64,
    /// CPU time used since its start.
    pub(crate) cpu_time: Duration,
    /// Time since its start.
    pub(crate) up: Duration,
    /// Memory in bytes.
    pub(crate) memory: u64,
    /// The most memory it may use in bytes: its limit, or the machine's memory.
    pub(crate) limit: u64,
    /// Bytes received and sent.
    pub(crate) network: (u64, u64),
    /// Bytes read from and written to block devices.
    pub(crate) block: (u64, u64),
    /// Processes and threads.
    pub(crate) pids: u64,
}

/// Takes samples, each compared with the one before.
#[derive(Debug)]
pub(crate) struct Sampler {
    request: StatsRequest,
    before: HashMap<ContainerId, (Instant, u64)>,
    /// Memory of the machine in bytes.
    machine: u64,
    said: bool,
    first: bool,
}

impl Sampler {
    /// Samples of these containers.
    pub(crate) fn new(engine: &Engine<'_>, request: StatsRequest) -> Sampler {
        Sampler {
            request,
            before: HashMap::new(),
            machine: engine.host.info().memory,
            said: false,
            first: true,
        }
    }

    /// Takes a sample. Containers that are gone since the first one are left out.
    ///
    /// # Errors
    /// `NotFound` when the first sample is to have a container that is not there.
    pub(crate) fn sample(&mut self, engine: &Engine<'_>) -> Result<Vec<ContainerStats>> {
        let mut processes = None;
        let mut guessed = Vec::new();
        let mut before = HashMap::new();
        let mut rows = Vec::new();
        for (asked, entry) in self.entries(engine)? {
            let (row, cpu) = self.one(&asked, &entry, &mut processes, &mut guessed)?;
            if let Some(cpu) = cpu {
                before.insert(row.id.clone(), (Instant::now(), cpu));
            }
            rows.push(row);
        }
        self.before = before;
        self.first = false;
        if !guessed.is_empty() && !self.said {
            self.said = true;
            engine.ui.warn(&format!(
                "stats of {} come from /proc, since no cgroup counts for them alone; a limit such as --memory gives a container one",
                guessed.join(", ")
            ));
        }
        Ok(rows)
    }

    fn entries(&self, engine: &Engine<'_>) -> Result<Vec<(String, ContainerEntry)>> {
        let containers = engine.store.containers();
        if self.request.containers.is_empty() {
            let mut entries: Vec<ContainerEntry> = containers
                .list()?
                .into_iter()
                .flatten()
                .filter(|entry| self.request.all || is_active(entry))
                .collect();
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.record.created));
            let named = entries
                .into_iter()
                .map(|entry| (entry.record.id.short().to_owned(), entry));
            return Ok(named.collect());
        }
        let mut entries = Vec::new();
        for name in &self.request.containers {
            match containers.find(name).and_then(|dir| dir.entry()) {
                Ok(entry) => entries.push((name.clone(), entry)),
                Err(error) if error.kind() == Kind::NotFound && !self.first => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(entries)
    }

    fn one(
        &self,
        asked: &str,
        entry: &ContainerEntry,
        processes: &mut Option<Vec<crate::sys::accounting::Process>>,
        guessed: &mut Vec<String>,
    ) -> Result<(ContainerStats, Option<u64>)> {
        let status = list::status(entry)?;
        let record = &entry.record;
        let mut row = ContainerStats {
            asked: asked.to_owned(),
            id: record.id.clone(),
            name: record.name.clone(),
            cpu: Some(0.0),
            average: 0.0,
            cpu_time: Duration::ZERO,
            up: Duration::ZERO,
            memory: 0,
            limit: 0,
            network: (0, 0),
            block: (0, 0),
            pids: 0,
        };
        let running = status.running.filter(|_| status.state.has_process());
        let Some(state) = running.filter(|state| state.is_running()) else {
            return Ok((row, None));
        };
        let place = place(entry);
        let used = usage(&place, state.pid, processes);
        if used.guessed {
            guessed.push(record.name.clone());
        }
        let asked_limit = list::config(entry).resources.limits.memory;
        let limit = place.stats().memory_limit.or(asked_limit);
        row.limit = limit.map_or(self.machine, |limit| limit.min(self.machine));
        row.cpu_time = Duration::from_nanos(used.cpu);
        row.up = state.started.age(Timestamp::now());
        row.average = percent(used.cpu, row.up);
        row.cpu = self
            .before
            .get(&record.id)
            .map(|(then, cpu)| percent(used.cpu.saturating_sub(*cpu), then.elapsed()));
        (row.memory, row.network, row.block, row.pids) =
            (used.memory, used.network, used.block, used.pids);
        Ok((row, Some(used.cpu)))
    }
}

fn is_active(entry: &ContainerEntry) -> bool {
    list::status(entry).is_ok_and(|status| status.state.is_active())
}

fn place(entry: &ContainerEntry) -> Place {
    let bytes = file::read_bounded(&entry.dir.path().join("cgroup.json"), 1 << 16).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.unwrap_or_default()
}

/// Nanoseconds of CPU in a time, in percent of one CPU.
fn percent(cpu: u64, time: Duration) -> f64 {
    match time.as_nanos() {
        0 => 0.0,
        nanos => cpu as f64 / nanos as f64 * 100.0,
    }
}
