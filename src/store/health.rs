//! What a container's health checks have come to, kept beside its state.

use serde::{Deserialize, Serialize};

use super::container::ContainerDir;
use super::{optional, read_json, write_json};
use crate::common::{Kind, Result, Timestamp};

/// Bytes of output that are kept, of all results together.
const MOST_OUTPUT: usize = 4 << 20;

/// docker's word for how a container is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthStatus {
    /// It has no check.
    #[default]
    None,
    /// No check has succeeded yet, and not too many have failed.
    Starting,
    /// The last check that counted succeeded.
    Healthy,
    /// Too many checks in a row have failed.
    Unhealthy,
}

impl HealthStatus {
    /// docker's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            HealthStatus::None => "none",
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

/// One check, in docker's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HealthResult {
    /// When it began.
    pub(crate) start: Timestamp,
    /// When it ended.
    pub(crate) end: Timestamp,
    /// Its code; -1 when it took too long or could not be started.
    pub(crate) exit_code: i32,
    /// The beginning of what it wrote.
    pub(crate) output: String,
}

/// The checks of one run of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct HealthRecord {
    /// How the container is.
    pub(crate) status: HealthStatus,
    /// Failures in a row.
    pub(crate) failing_streak: u32,
    /// The last results, the newest last.
    pub(crate) log: Vec<HealthResult>,
    /// Start time of the first process, which tells runs apart.
    pub(crate) run: u64,
    /// How far the check before the check is; none where there is no such check.
    #[serde(skip_serializing_if = "StartupRecord::is_new")]
    pub(crate) startup: StartupRecord,
}

/// How far the check is that has to succeed before the other one begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct StartupRecord {
    /// It has succeeded often enough.
    pub(crate) passed: bool,
    /// Successes in a row.
    pub(crate) successes: u32,
    /// Failures in a row.
    pub(crate) failures: u32,
}

impl StartupRecord {
    fn is_new(&self) -> bool {
        *self == StartupRecord::default()
    }

    /// Adds a result; `wanted` successes in a row are enough.
    pub(crate) fn add(&mut self, exit_code: i32, wanted: u32) {
        if exit_code == 0 {
            (self.successes, self.failures) = (self.successes.saturating_add(1), 0);
            self.passed = self.successes >= wanted.max(1);
        } else {
            (self.successes, self.failures) = (0, self.failures.saturating_add(1));
        }
    }
}

impl HealthRecord {
    /// The record of the run `run`, which goes on from `last`: an earlier run's results stay
    /// readable and count for nothing, as in docker.
    pub(crate) fn of_run(last: Option<HealthRecord>, run: u64) -> HealthRecord {
        match last {
            Some(record) if record.run == run => record,
            last => HealthRecord {
                status: HealthStatus::Starting,
                failing_streak: 0,
                log: last.map(|record| record.log).unwrap_or_default(),
                run,
                startup: StartupRecord::default(),
            },
        }
    }

    /// Adds a result: `retries` failures in a row make the container unhealthy, but a failure
    /// does not count when the check `is_early` and none has succeeded yet (moby's
    /// `handleProbeResult`).
    pub(crate) fn add(&mut self, result: HealthResult, is_early: bool, retries: u32) {
        if result.exit_code == 0 {
            self.failing_streak = 0;
            self.status = HealthStatus::Healthy;
        } else if self.status != HealthStatus::Starting || !is_early {
            self.failing_streak = self.failing_streak.saturating_add(1);
            if self.failing_streak >= retries {
                self.status = HealthStatus::Unhealthy;
            }
        }
        self.log.push(result);
    }

    /// Keeps the last `most` results, and fewer where they are long.
    pub(crate) fn keep(&mut self, most: usize) {
        let mut size = 0;
        let newest = self.log.iter().rev().take(most);
        let fitting = newest.take_while(|result| {
            size += result.output.len();
            size <= MOST_OUTPUT
        });
        let old = self.log.len() - fitting.count();
        self.log.drain(..old);
    }
}

impl ContainerDir {
    /// What its checks have come to; `None` before the first one.
    pub(crate) fn health(&self) -> Result<Option<HealthRecord>> {
        match optional(read_json(&self.path().join("health"))) {
            // Written without fsync: what a power cut left of it says nothing.
            Err(error) if error.kind() == Kind::Corrupt => Ok(None),
            other => other,
        }
    }

    /// Notes what its checks have come to.
    pub(crate) fn set_health(&self, record: &HealthRecord) -> Result<()> {
        write_json(&self.path().join("health"), record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(code: i32) -> HealthResult {
        HealthResult {
            start: Timestamp(0),
            end: Timestamp(1),
            exit_code: code,
            output: String::new(),
        }
    }

    fn after(codes: &[(i32, bool)]) -> HealthRecord {
        let mut record = HealthRecord::of_run(None, 7);
        for (code, early) in codes {
            record.add(result(*code), *early, 3);
        }
        record
    }

    #[test]
    fn failures_count_when_they_should() {
        let states = [
            (&[][..], HealthStatus::Starting, 0),
            (&[(0, false)], HealthStatus::Healthy, 0),
            (&[(1, false), (1, false)], HealthStatus::Starting, 2),
            (
                &[(1, false), (-1, false), (2, false)],
                HealthStatus::Unhealthy,
                3,
            ),
            (
                &[(1, true), (1, true), (1, true), (1, true)],
                HealthStatus::Starting,
                0,
            ),
            // Once it was healthy, the start period is over.
            (
                &[(0, true), (1, true), (1, true), (1, true)],
                HealthStatus::Unhealthy,
                3,
            ),
            (
                &[(1, false), (1, false), (1, false), (0, false)],
                HealthStatus::Healthy,
                0,
            ),
        ];
        for (codes, status, streak) in states {
            let record = after(codes);
            assert_eq!(
                (record.status, record.failing_streak),
                (status, streak),
                "{codes:?}"
            );
        }
    }

    #[test]
    fn five_results_are_kept_and_a_new_run_starts_over() {
        let mut record = after(&[
            (9, false),
            (0, false),
            (1, false),
            (2, false),
            (3, false),
            (4, false),
        ]);
        record.keep(5);
        let codes: Vec<i32> = record.log.iter().map(|result| result.exit_code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let same = HealthRecord::of_run(Some(record.clone()), 7);
        assert_eq!(same, record);
        let next = HealthRecord::of_run(Some(record), 8);
        assert_eq!(
            (next.status, next.failing_streak, next.log.len()),
            (HealthStatus::Starting, 0, 5)
        );
    }
}
