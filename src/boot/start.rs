//! `boot`: starts what a restart policy wants to run and what does not run.

use anyhow::Result;

use crate::engine::Engine;
use crate::engine::container::{ContainerState, ListRequest, list};
use crate::supervisor;

/// One container that was to be started.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Its name.
    pub(crate) name: String,
    /// What came of it.
    pub(crate) outcome: Result<()>,
}

/// Starts every container of this user that its policy wants back (`always`, and
/// `unless-stopped` when nobody had stopped it) and that does not run, the oldest first: what
/// another one was made for is there before it. A failure of one is in its answer, and the others
/// are started all the same. Two at a time do no harm: who finds a container started leaves it.
///
/// # Errors
/// When the containers cannot be listed.
pub(crate) fn start(engine: &Engine<'_>) -> Result<Vec<Begun>> {
    let (all, size) = (true, false);
    let mut rows = list(engine, ListRequest { all, size })?;
    rows.retain(|row| row.starts_at_boot && is_down(row.state));
    rows.reverse();
    let begin = |row: crate::engine::container::ContainerSummary| Begun {
        outcome: supervisor::start(engine, row.id.as_str(), None).map(drop),
        name: row.name,
    };
    Ok(rows.into_iter().map(begin).collect())
}

fn is_down(state: ContainerState) -> bool {
    match state {
        ContainerState::Created
        | ContainerState::Initialized
        | ContainerState::Exited
        | ContainerState::Dead => true,
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting => false,
    }
}
