//! A container that runs, as the verbs that reach into it need it.

use std::time::{Duration, Instant};

use anyhow::Result;
use oci_spec::runtime::Spec;
use serde::Deserialize;

use super::list;
use crate::cgroup::{Entrance, Place};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::runtime::Target;
use crate::spec::config::Config;
use crate::store::{ContainerDir, ContainerEntry, ContainerRecord, Phase, StateRecord};
use crate::sys::file;
use crate::sys::watch::Watch;

/// Largest specification that is read, in bytes.
const MAX_SPEC: usize = 4 << 20;

/// A container whose first process was alive a moment ago.
pub(super) struct Live {
    /// Its record.
    pub(super) record: ContainerRecord,
    /// Its directory.
    pub(super) dir: ContainerDir,
    /// Its first process.
    pub(super) state: StateRecord,
    /// What was asked.
    pub(super) config: Config,
}

impl Live {
    /// Finds a container by name, id or prefix.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` in docker's words when it does not run or is paused.
    pub(super) fn find(engine: &Engine<'_>, name: &str) -> Result<Live> {
        Live::of(engine.store.containers().find(name)?)
    }

    /// The container of a directory.
    ///
    /// # Errors
    /// As [`find`](Live::find).
    pub(super) fn of(dir: ContainerDir) -> Result<Live> {
        let record = dir.record()?;
        let refuse =
            |what: &str| Error::new(Kind::Conflict, format!("container {}", record.id), what);
        let state = match settled(&dir)? {
            Some(Phase::Ended(exit)) if exit.restarting && dir.is_alive()? => {
                return Err(refuse("is restarting, wait until the container is running").into());
            }
            // The lock alone tells of a first process that nobody has reaped yet.
            Some(Phase::Started(state))
                if state.is_running() && !state.held && dir.is_alive()? =>
            {
                state
            }
            _ => {
                return Err(refuse("is not running")
                    .hint(format!("ketch start {} starts it again", record.name))
                    .into());
            }
        };
        if state.paused {
            return Err(refuse("is paused, unpause the container before exec")
                .hint(format!("ketch unpause {}", record.name))
                .into());
        }
        let entry = ContainerEntry {
            record,
            alive: true,
            dir,
        };
        let config = list::config(&entry);
        let ContainerEntry { record, dir, .. } = entry;
        Ok(Live {
            record,
            dir,
            state,
            config,
        })
    }

    /// Its specification.
    pub(super) fn spec(&self) -> Result<Spec> {
        Ok(self.parse("config.json", &self.read("config.json")?)?)
    }

    /// Its namespaces, held against the end of its first process.
    pub(super) fn target(&self) -> Result<Target> {
        Ok(Target::of(self.state.pid, &|| self.state.is_running())?)
    }

    /// The way into its cgroup; of nothing when it has none of its own.
    pub(super) fn entrance(&self) -> Result<Entrance> {
        // No anyhow error for what is usual: with RUST_BACKTRACE one costs more than all the rest.
        match self.read("cgroup.json") {
            Ok(bytes) => {
                let place: Place = self.parse("cgroup.json", &bytes)?;
                Ok(place.entrance(self.state.pid)?)
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(Entrance::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Its own cgroup, when it has one.
    pub(super) fn cgroup(&self) -> Option<Place> {
        let bytes = self.read("cgroup.json").ok()?;
        self.parse("cgroup.json", &bytes).ok()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        file::read_bounded(&self.dir.path().join(name), MAX_SPEC)
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self, name: &str, bytes: &[u8]) -> Result<T, Error> {
        let path = self.dir.path().join(name);
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(Kind::Corrupt, "read", path.display().to_string()).because(error.to_string())
        })
    }
}

/// How long a container that is being started may take to say so.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the last run has come to, once a start that is on its way has written it down: the first
/// process may have spoken before.
fn settled(dir: &ContainerDir) -> Result<Option<Phase>> {
    let starting = |phase: &Option<Phase>| match phase {
        Some(Phase::Started(_)) => false,
        Some(Phase::Ended(exit)) => !exit.restarting,
        None => true,
    };
    let phase = dir.phase()?;
    if !starting(&phase) || !dir.is_alive()? {
        return Ok(phase);
    }
    let mut watch = Watch::new();
    watch.add(dir.path())?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let phase = dir.phase()?;
        if !starting(&phase) || !dir.is_alive()? || Instant::now() >= deadline {
            return Ok(phase);
        }
        watch.wait(&[], None, Some(deadline))?;
    }
}
