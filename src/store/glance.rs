//! Containers as a list needs them: two files each, and the lock only where it can tell something.

use super::container::{ContainerDir, ContainerEntry, Containers};
use super::state::Phase;
use crate::common::{ContainerId, Kind, Result};

/// A container with what its run has come to.
#[derive(Debug)]
pub(crate) struct Glance {
    /// Record, place and liveness. One that has ended and will not be restarted counts as dead
    /// here, even while another command has it locked.
    pub(crate) entry: ContainerEntry,
    /// What its last run has come to; `None` when it never ran.
    pub(crate) phase: Option<Phase>,
}

impl Containers<'_> {
    /// The container with this whole id, without a look at any other.
    pub(crate) fn of_id(&self, id: &str) -> Option<ContainerDir> {
        let dir = self.at(&id.parse().ok()?);
        dir.path().is_dir().then_some(dir)
    }

    /// All containers: one read of the record and one probe of the lock each. An unreadable one
    /// is an error entry of its own.
    pub(crate) fn list(&self) -> Result<Vec<Result<ContainerEntry>>> {
        let mut found = Vec::new();
        for id in self.ids()? {
            let dir = self.at(&id);
            match dir.entry() {
                // Removed since the directory was read.
                Err(error) if error.kind() == Kind::NotFound && !dir.path().exists() => {}
                entry => found.push(entry),
            }
        }
        Ok(found)
    }

    /// The directories of all containers.
    pub(crate) fn directories(&self) -> Result<Vec<(ContainerId, ContainerDir)>> {
        let ids = self.ids()?.into_iter();
        Ok(ids.map(|id| (id.clone(), self.at(&id))).collect())
    }
}

impl ContainerDir {
    /// Reads what a list shows.
    ///
    /// # Errors
    /// As [`record`](ContainerDir::record) and [`phase`](ContainerDir::phase).
    pub(crate) fn glance(&self) -> Result<Glance> {
        let record = self.record()?;
        let mut phase = self.phase()?;
        let settled = matches!(&phase, Some(Phase::Ended(exit)) if !exit.restarting);
        let alive = !settled && self.is_alive()?;
        if !settled && !alive {
            // It may have ended between the two looks: what it wrote last is what counts.
            phase = self.phase()?;
        }
        let dir = self.clone();
        let entry = ContainerEntry { record, alive, dir };
        Ok(Glance { entry, phase })
    }
}
