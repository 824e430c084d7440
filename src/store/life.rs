//! What several processes say about one container at a time: the changing state, and the wish
//! that it stays ended.

use std::fs::File;

use super::container::{ContainerDir, ContainerRecord};
use super::state::Phase;
use super::write_json;
use crate::common::{Error, Result};
use crate::sys::file;

impl ContainerDir {
    /// Reads what the run has come to, and writes what `change` makes of it; `None` leaves it as
    /// it is. Nobody else changes it in between: `pause` and the end of a run never lose each
    /// other's word. The lock (`state.lock`) is held for the read and the write alone, so that
    /// `change` may not wait for anything.
    ///
    /// True when something was written.
    ///
    /// # Errors
    /// `NotFound` when the container was removed meanwhile.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(Option<Phase>) -> Option<Phase>,
    ) -> Result<bool> {
        let _lock = self.lock_records()?;
        match change(self.phase()?) {
            Some(phase) => write_json(&self.path().join("state"), &phase).map(|()| true),
            None => Ok(false),
        }
    }

    /// Reads the record of what was asked, and writes what `edit` makes of it; nobody else writes
    /// it in between. `edit` may not wait for anything.
    ///
    /// # Errors
    /// `NotFound` when the container was removed; what `edit` gave, and then nothing is changed.
    pub(crate) fn edit<T>(
        &self,
        edit: impl FnOnce(&mut ContainerRecord) -> Result<T>,
    ) -> Result<T> {
        let _lock = self.lock_records()?;
        let mut record = self.record()?;
        let done = edit(&mut record)?;
        write_json(&self.path().join("container.json"), &record)?;
        Ok(done)
    }

    fn lock_records(&self) -> Result<File> {
        let path = self.path().join("state.lock");
        let lock = file::open_or_create(&path).map_err(|error| Error::io("open", &path, error))?;
        file::lock(&lock, file::Sharing::Exclusive)
            .map_err(|error| Error::io("lock", &path, error))?;
        Ok(lock)
    }

    /// Says that a user ended it, so that no restart policy starts it again; to be said before
    /// the signal is sent.
    ///
    /// # Errors
    /// `NotFound` when the container was removed.
    pub(crate) fn mark_stopped(&self) -> Result<()> {
        self.mark("stopped")
    }

    /// Whether a user ended it, and nobody has started it since.
    pub(crate) fn is_stopped(&self) -> bool {
        self.path().join("stopped").symlink_metadata().is_ok()
    }

    /// Takes [`mark_stopped`](ContainerDir::mark_stopped) back: it is started again.
    pub(crate) fn clear_stopped(&self) -> Result<()> {
        file::remove_file(&self.path().join("stopped"))
    }

    /// Says that its next end is not its last although it is removed at its end (`--rm`): it is
    /// being restarted.
    ///
    /// # Errors
    /// `NotFound` when the container was removed.
    pub(crate) fn mark_kept(&self) -> Result<()> {
        self.mark("kept")
    }

    /// Says that it was made to be started later, though its end removes it: until then nobody
    /// takes it for what a killed `run --rm` left.
    pub(crate) fn mark_created(&self) -> Result<()> {
        self.mark("created")
    }

    fn mark(&self, name: &str) -> Result<()> {
        let path = self.path().join(name);
        file::open_or_create(&path)
            .map(drop)
            .map_err(|error| Error::io("create", &path, error))
    }

    /// Whether [`mark_created`](ContainerDir::mark_created) was said.
    pub(crate) fn is_created(&self) -> bool {
        self.path().join("created").symlink_metadata().is_ok()
    }

    /// Whether [`mark_kept`](ContainerDir::mark_kept) was said, and nobody has started it since.
    pub(crate) fn is_kept(&self) -> bool {
        self.path().join("kept").symlink_metadata().is_ok()
    }

    /// Takes it back.
    pub(crate) fn clear_kept(&self) -> Result<()> {
        file::remove_file(&self.path().join("kept"))
    }

    /// Notes how it ended.
    #[cfg(test)]
    pub(crate) fn set_exit(&self, exit: &super::ExitRecord) -> Result<()> {
        self.change(|_| Some(Phase::Ended(exit.clone()))).map(drop)
    }

    /// How the last run ended; `None` when it never ran, runs, or its end was not seen.
    #[cfg(test)]
    pub(crate) fn exit(&self) -> Result<Option<super::ExitRecord>> {
        Ok(match self.phase()? {
            Some(Phase::Ended(exit)) => Some(exit),
            _ => None,
        })
    }
}
