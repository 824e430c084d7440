//! The one small changing file of a container: who runs it, or how it ended.
//!
//! Written by rename without fsync: after a power cut the container is gone anyway. One file for
//! both, since lists read it for every container.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::container::ContainerDir;
use super::{optional, read_json, write_json};
use crate::common::{ExitStatus, Kind, Result, Timestamp};
use crate::sys::process::start_time;

/// What a container's run has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// It was started, and nobody wrote down an end yet.
    Started(StateRecord),
    /// It ended.
    Ended(ExitRecord),
}

/// Who runs the container; only believed while the container's lock is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateRecord {
    /// The container's first process, seen from the host.
    pub(crate) pid: i32,
    /// Its start time in clock ticks after boot (proc_pid_stat(5), field 22), so that a reused
    /// pid is not taken for it.
    pub(crate) start_time: u64,
    /// When it was started.
    pub(crate) started: Timestamp,
    /// The process that waits for it: its caller, or the supervisor of a detached one.
    #[serde(default)]
    pub(crate) supervisor: i32,
    /// How often its restart policy has started it again.
    #[serde(default)]
    pub(crate) restarts: u32,
    /// `pause` has stopped it.
    #[serde(default)]
    pub(crate) paused: bool,
    /// It waits for `start` before it becomes the payload: `container init` has made it.
    #[serde(default)]
    pub(crate) held: bool,
}

impl Phase {
    /// What is said of a run whose record at `path` a power cut has torn: docker's code for a
    /// container whose end nobody saw, at the time the file was last written.
    pub(super) fn lost(path: &Path) -> Phase {
        let written = std::fs::metadata(path).and_then(|found| found.modified());
        let written = written.map(Timestamp::from).unwrap_or_default();
        Phase::Ended(ExitRecord {
            status: ExitStatus::Code(255),
            started: Some(written),
            finished: written,
            oom: false,
            error: "its state was lost, as in a power cut".to_owned(),
            restarts: 0,
            restarting: false,
        })
    }
}

impl StateRecord {
    /// The state of a process that runs now; `None` when there is no such process.
    pub(crate) fn of_process(pid: i32) -> Option<StateRecord> {
        Some(StateRecord {
            pid,
            start_time: start_time(pid)?,
            started: Timestamp::now(),
            supervisor: std::process::id() as i32,
            restarts: 0,
            paused: false,
            held: false,
        })
    }

    /// Whether this very process still exists (a zombie does).
    pub(crate) fn is_running(&self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }
}

/// How the last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    /// Code or signal.
    pub(crate) status: ExitStatus,
    /// When the run began; `None` when it never came to that.
    #[serde(default)]
    pub(crate) started: Option<Timestamp>,
    /// When it ended.
    pub(crate) finished: Timestamp,
    /// Whether the kernel killed it for memory.
    #[serde(default)]
    pub(crate) oom: bool,
    /// Why it could not be started, or why its supervisor killed it; else empty.
    #[serde(default)]
    pub(crate) error: String,
    /// How often its restart policy had started it again.
    #[serde(default)]
    pub(crate) restarts: u32,
    /// Its supervisor will start it again; only believed while the container is alive.
    #[serde(default)]
    pub(crate) restarting: bool,
}

impl ContainerDir {
    /// What its last run has come to; `None` when it never ran.
    pub(crate) fn phase(&self) -> Result<Option<Phase>> {
        let path = self.path().join("state");
        match optional(read_json(&path)) {
            // Written without fsync: what a power cut left of it says that there was a run.
            Err(error) if error.kind() == Kind::Corrupt => Ok(Some(Phase::lost(&path))),
            other => other,
        }
    }

    /// Notes who runs it. What was noted of an earlier run is forgotten.
    pub(crate) fn set_state(&self, state: &StateRecord) -> Result<()> {
        write_json(&self.path().join("state"), &Phase::Started(state.clone()))
    }

    /// Who runs it; believe it only while the container is alive. `None` when it never ran or
    /// has ended.
    pub(crate) fn state(&self) -> Result<Option<StateRecord>> {
        Ok(match self.phase()? {
            Some(Phase::Started(state)) => Some(state),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_record_is_an_end_that_nobody_saw() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(&path, "").unwrap();
        let Phase::Ended(exit) = Phase::lost(&path) else {
            panic!("it runs");
        };
        assert_eq!(exit.status, ExitStatus::Code(255));
        assert!(exit.started == Some(exit.finished) && !exit.restarting);
    }

    #[test]
    fn a_process_is_itself_and_nobody_else() {
        let own = StateRecord::of_process(std::process::id() as i32).unwrap();
        assert!(own.is_running());
        let other = StateRecord {
            start_time: own.start_time + 1,
            ..own
        };
        assert!(!other.is_running());
        assert_eq!(StateRecord::of_process(i32::MAX), None);
    }
}
