//! `stats`.

use std::io::stdout;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::listing::Row;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Columns, Format, listing};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, binary_size, human_size};
use crate::engine::Engine;
use crate::engine::container::{ContainerStats, ListRequest, Sampler, StatsRequest, list};
use crate::sys::watch::Watch;

/// Display a live stream of container resource usage statistics
#[derive(clap::Parser, Debug)]
pub(crate) struct Stats {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    format: FormatArgs,

    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    no_stream: bool,

    /// Do not truncate output
    #[arg(long)]
    no_trunc: bool,

    /// Seconds between two results
    #[arg(short, long, value_name = "SECONDS")]
    interval: Option<u64>,

    /// Do not clear the screen between two results
    #[arg(long)]
    no_reset: bool,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Containers by name or ID; all that run without any
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Time between two of docker's samples.
const SECOND: Duration = Duration::from_secs(1);

impl Execute for Stats {
    fn execute(mut self, session: &Session) -> anyhow::Result<ExitStatus> {
        if !self.containers.is_empty() && (self.all || self.latest) {
            let why = "name containers, or use --all or --latest";
            return Err(Error::usage("stats", "", why).into());
        }
        let format = self.format.format()?.for_personality(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.latest {
            self.containers.push(latest(&engine)?);
        }
        let request = StatsRequest {
            containers: self.containers.clone(),
            all: self.all,
        };
        let mut sampler = Sampler::new(&engine, request);
        let mut rows = sampler.sample(&engine)?;
        let docker = session.personality == Personality::Docker;
        if docker && (!self.no_stream || !rows.is_empty()) {
            // docker compares two samples before it shows anything; podman shows the average.
            if wait(SECOND)? {
                return Ok(ExitStatus::Signal(libc::SIGPIPE as u8));
            }
            rows = sampler.sample(&engine)?;
        }
        let mut first = true;
        loop {
            let text = self.text(session.personality, &format, &rows)?;
            session.data(&self.frame(&text, first))?;
            let gone = rows.is_empty() && !self.containers.is_empty();
            if self.no_stream || gone {
                return Ok(ExitStatus::Code(0));
            }
            first = false;
            if wait(self.pause(docker))? {
                return Ok(ExitStatus::Signal(libc::SIGPIPE as u8));
            }
            rows = sampler.sample(&engine)?;
        }
    }
}

/// Waits; true when nobody reads the output any more.
fn wait(time: Duration) -> anyhow::Result<bool> {
    let deadline = Instant::now().checked_add(time);
    Ok(Watch::new().wait(&[], Some(stdout().as_fd()), deadline)?)
}

fn latest(engine: &Engine<'_>) -> anyhow::Result<String> {
    let request = ListRequest {
        all: true,
        size: false,
    };
    match list(engine, request)?.first() {
        Some(row) => Ok(row.id.to_string()),
        None => Err(Error::usage("stats --latest", "", "there is no container").into()),
    }
}

impl Stats {
    fn pause(&self, docker: bool) -> Duration {
        match self.interval {
            Some(seconds) => Duration::from_secs(seconds.max(1)),
            None if docker => SECOND,
            None => SECOND * 5,
        }
    }

    /// The text over what was shown before, as docker does on every kind of output.
    fn frame(&self, text: &str, first: bool) -> String {
        if self.no_stream || self.no_reset {
            return text.to_owned();
        }
        let clear = match first {
            true => "\x1b[2J\x1b[H",
            false => "\x1b[H",
        };
        let lines: String = text.lines().map(|line| format!("{line}\x1b[K\n")).collect();
        format!("{clear}{lines}\x1b[J")
    }

    fn text(
        &self,
        personality: Personality,
        format: &Format,
        rows: &[ContainerStats],
    ) -> anyhow::Result<String> {
        let id = |row: &ContainerStats| match self.no_trunc {
            true => row.id.to_string(),
            false => row.id.short().to_owned(),
        };
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| match personality {
                Personality::Docker => (docker(row, &id(row)), Value::Null),
                Personality::Podman => (podman_fields(row, &id(row)), podman(row, &id(row))),
            })
            .collect();
        let columns = match personality {
            Personality::Docker => DOCKER,
            Personality::Podman => PODMAN,
        };
        Ok(listing::list(personality, format, &columns, &rows)?)
    }
}

const DOCKER: Columns<'_> = Columns {
    of: "container",
    shown: &[
        "ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs",
    ],
    headers: &[
        ("ID", "CONTAINER ID"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
    heading: true,
};

const PODMAN: Columns<'_> = Columns {
    of: "container",
    shown: &[
        "ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDS", "CPUTime",
        "AvgCPU",
    ],
    headers: &[
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET IO"),
        ("BlockIO", "BLOCK IO"),
        ("PIDS", "PIDS"),
        ("CPUTime", "CPU TIME"),
        ("AvgCPU", "AVG CPU %"),
    ],
    heading: true,
};

fn percent(share: f64) -> String {
    format!("{share:.2}%")
}

fn memory_share(row: &ContainerStats) -> f64 {
    match row.limit {
        0 => 0.0,
        limit => row.memory as f64 / limit as f64 * 100.0,
    }
}

fn pair((left, right): (u64, u64)) -> String {
    format!("{} / {}", human_size(left), human_size(right))
}

/// docker's formatter context: every value a string.
fn docker(row: &ContainerStats, id: &str) -> Value {
    json!({
        "BlockIO": pair(row.block),
        "CPUPerc": percent(row.cpu.unwrap_or(0.0)),
        "Container": row.asked,
        "ID": id,
        "MemPerc": percent(memory_share(row)),
        "MemUsage": format!("{} / {}", binary_size(row.memory), binary_size(row.limit)),
        "Name": row.name,
        "NetIO": pair(row.network),
        "PIDs": row.pids.to_string(),
    })
}

/// podman: nothing counted is shown as dashes.
fn podman_pair(values: (u64, u64)) -> String {
    match values {
        (0, 0) => "-- / --".to_owned(),
        values => pair(values),
    }
}

/// podman's JSON (cmd/podman/containers/stats.go).
fn podman(row: &ContainerStats, id: &str) -> Value {
    json!({
        "id": id,
        "name": row.name,
        "cpu_time": cpu_time(row),
        "cpu_percent": percent(row.cpu.unwrap_or(row.average)),
        "avg_cpu": percent(row.average),
        "mem_usage": pair((row.memory, row.limit)),
        "mem_percent": percent(memory_share(row)),
        "net_io": podman_pair(row.network),
        "block_io": podman_pair(row.block),
        "pids": row.pids.to_string(),
    })
}

/// What podman's templates and its table see.
fn podman_fields(row: &ContainerStats, id: &str) -> Value {
    json!({
        "ID": id,
        "ContainerID": row.id,
        "Name": row.name,
        "CPUPerc": percent(row.cpu.unwrap_or(row.average)),
        "CPU": row.cpu.unwrap_or(row.average),
        "CPUNano": u64::try_from(row.cpu_time.as_nanos()).unwrap_or(u64::MAX),
        "CPUTime": cpu_time(row),
        "AvgCPU": percent(row.average),
        "MemUsage": pair((row.memory, row.limit)),
        "MemUsageBytes": format!("{} / {}", binary_size(row.memory), binary_size(row.limit)),
        "MemLimit": row.limit,
        "MemPerc": percent(memory_share(row)),
        "NetIO": podman_pair(row.network),
        "NetInput": row.network.0,
        "NetOutput": row.network.1,
        "BlockIO": podman_pair(row.block),
        "BlockInput": row.block.0,
        "BlockOutput": row.block.1,
        "PIDs": row.pids,
        "PIDS": row.pids.to_string(),
        "UpTime": format!("{:?}", row.up),
        "Up": format!("{:?}", row.up),
    })
}

/// Go prints a duration much as Rust does.
fn cpu_time(row: &ContainerStats) -> String {
    format!(
        "{:?}",
        Duration::from_micros(row.cpu_time.as_micros() as u64)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::ContainerId;

    #[test]
    fn rows_are_dockers_and_podmans() {
        let row = ContainerStats {
            asked: "web".to_owned(),
            id: ContainerId::from_bytes([0xab; 32]),
            name: "web".to_owned(),
            cpu: None,
            average: 12.5,
            cpu_time: Duration::from_millis(1500),
            up: Duration::from_secs(12),
            memory: 3 << 20,
            limit: 1 << 30,
            network: (0, 0),
            block: (1_450_000, 12),
            pids: 2,
        };
        let shown = docker(&row, "abab");
        assert_eq!(
            (&shown["CPUPerc"], &shown["MemPerc"]),
            (&json!("0.00%"), &json!("0.29%"))
        );
        assert_eq!(shown["MemUsage"], "3MiB / 1GiB");
        assert_eq!(
            (&shown["NetIO"], &shown["BlockIO"]),
            (&json!("0B / 0B"), &json!("1.45MB / 12B"))
        );
        let shown = podman(&row, "abab");
        assert_eq!(
            (&shown["cpu_percent"], &shown["cpu_time"]),
            (&json!("12.50%"), &json!("1.5s"))
        );
        assert_eq!(
            (&shown["net_io"], &shown["pids"]),
            (&json!("-- / --"), &json!("2"))
        );
    }
}
