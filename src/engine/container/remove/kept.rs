//! Containers that stay: something runs in them, or others depend on them.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::container::{ContainerState, join};
use crate::store::{ContainerDir, Phase};

/// Why a container is not removed; shown in docker's words.
#[derive(Debug)]
pub(crate) enum Kept {
    /// It is in use.
    Active {
        /// Its whole id.
        id: String,
        /// What it does: it runs, is paused or restarts.
        state: ContainerState,
    },
    /// Others depend on it.
    Needed {
        /// Its whole id.
        id: String,
        /// Theirs.
        by: Vec<String>,
    },
}

impl Kept {
    /// The reason in an error of a removal.
    pub(crate) fn of(error: &Error) -> Option<&Kept> {
        error.cause()?.downcast_ref()
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, first) = match self {
            Kept::Active { state, .. } if *state == ContainerState::Paused => {
                return f.write_str("container is paused and must be unpaused first");
            }
            Kept::Active { state, .. } => (state.word(), "stop the container before removing"),
            Kept::Needed { by, .. } => {
                return write!(f, "other containers depend on it: {}", by.join(", "));
            }
        };
        write!(f, "container is {state}: {first} or force remove")
    }
}

impl std::error::Error for Kept {}

/// The error for a container that is in use.
pub(super) fn refused(name: &str, dir: &ContainerDir, phase: Option<&Phase>) -> anyhow::Error {
    let state = match phase {
        Some(Phase::Started(state)) if state.paused => ContainerState::Paused,
        Some(Phase::Ended(_)) => ContainerState::Restarting,
        _ => ContainerState::Running,
    };
    let id = id_of(dir);
    Error::new(Kind::Conflict, "cannot remove container", name)
        .because(Kept::Active { id, state })
        .hint("end it first, or use -f to kill and remove it")
        .into()
}

/// The whole id, for which its directory is named, also where the record cannot be read.
fn id_of(dir: &ContainerDir) -> String {
    let name = dir.path().file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Who depends on whom, as the store says it when that is first asked.
pub(super) struct Needs<'a> {
    engine: &'a Engine<'a>,
    dependents: OnceCell<HashMap<String, Vec<String>>>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(engine: &'a Engine<'a>) -> Needs<'a> {
        Needs {
            engine,
            dependents: OnceCell::new(),
        }
    }

    /// The ids of those that depend on a container.
    fn of(&self, id: &str) -> Result<&[String]> {
        let all = match self.dependents.get() {
            Some(all) => all,
            None => {
                let read = join::dependents(self.engine)?;
                self.dependents.get_or_init(|| read)
            }
        };
        Ok(all.get(id).map_or(&[], Vec::as_slice))
    }

    /// The id of a container on which nobody depends but those that are `leaving`.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for one that is needed.
    pub(super) fn refuse(&self, name: &str, leaving: &HashSet<String>) -> Result<String> {
        let id = id_of(&self.engine.store.containers().find(name)?);
        let by = self.of(&id)?.iter();
        let by: Vec<String> = by.filter(|one| !leaving.contains(*one)).cloned().collect();
        if by.is_empty() {
            return Ok(id);
        }
        Err(Error::new(Kind::Conflict, "cannot remove container", name)
            .because(Kept::Needed { id, by })
            .hint("remove those first, or use --depend")
            .into())
    }

    /// The containers, each after those that depend on it; none twice.
    pub(super) fn with_dependents(&self, names: &[String]) -> Vec<String> {
        let (mut seen, mut order) = (HashSet::new(), Vec::new());
        for name in names {
            self.gather(name, &mut seen, &mut order);
        }
        order
    }

    fn gather(&self, name: &str, seen: &mut HashSet<String>, order: &mut Vec<String>) {
        // What cannot be found is said when its turn comes.
        if let Ok(dir) = self.engine.store.containers().find(name) {
            let id = id_of(&dir);
            if !seen.insert(id.clone()) {
                return;
            }
            for one in self.of(&id).unwrap_or_default() {
                self.gather(one, seen, order);
            }
        }
        order.push(name.to_owned());
    }
}
