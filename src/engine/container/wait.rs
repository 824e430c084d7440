//! `wait`: until containers have ended, or are in a state.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use anyhow::Result;

use super::ending::{self, SOON, look};
use super::{ContainerState, list, remove};
use crate::common::{ContainerId, Error, Kind, Timestamp};
use crate::engine::Engine;
use crate::store::{ContainerDir, ExitRecord, HealthRecord, Mark, Phase, StateRecord};
use crate::sys::process;
use crate::sys::watch::Watch;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// docker's: it does not run. One that never ran has code 0.
    NotRunning,
    /// podman's `exited` and `stopped`: its next end, or the last when it does not run.
    Ended,
    /// It is gone.
    Removed,
    /// It is in this state.
    State(ContainerState),
    /// Its health check says so.
    Health(&'static str),
}

/// `wait`.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaitRequest {
    /// Names, ids or unique id prefixes.
    pub(crate) containers: Vec<String>,
    /// Any of these; none is docker's.
    pub(crate) conditions: Vec<Condition>,
}

/// The code of a condition that is no end.
const NO_END: i32 = -1;

/// Waits for all containers from this moment on. `tell` is given the exit code of each, or why
/// there is none, in the order of the request and as soon as those before it are known.
pub(crate) fn wait(
    engine: &Engine<'_>,
    request: &WaitRequest,
    tell: &mut dyn FnMut(&str, Result<i32>) -> Result<()>,
) -> Result<()> {
    // Before the first look at a container: an end that is noted between the two counts.
    let mark = engine.store.journal_mark();
    let mut watch = Watch::new();
    let mut waiters: Vec<Waiter<'_>> = Vec::new();
    for name in &request.containers {
        waiters.push(Waiter::open(engine, name, &request.conditions));
    }
    let mut told = 0;
    loop {
        for waiter in waiters.iter_mut().filter(|one| one.outcome.is_none()) {
            waiter.outcome = waiter.step(engine, &mark, &mut watch).transpose();
        }
        while let Some(outcome) = waiters.get_mut(told).and_then(|one| one.outcome.take()) {
            tell(waiters[told].name, outcome)?;
            waiters[told].told = true;
            told += 1;
        }
        let waiting = waiters
            .iter()
            .filter(|one| !one.told && one.outcome.is_none());
        let fds: Vec<BorrowedFd<'_>> = waiting.clone().filter_map(Waiter::awaited).collect();
        let deadline = waiting.clone().filter_map(|one| one.deadline).min();
        if waiting.count() == 0 {
            return Ok(());
        }
        watch.wait(&fds, None, deadline)?;
    }
}

struct Waiter<'a> {
    name: &'a str,
    conditions: &'a [Condition],
    dir: Option<(ContainerDir, ContainerId)>,
    /// The run whose end is waited for.
    run: Option<StateRecord>,
    /// Its first process, also after its end: the kernel may tell how it ended.
    payload: Option<OwnedFd>,
    keeper: Option<OwnedFd>,
    /// When the end before that was: of a container that waits for its next start.
    before: Option<Timestamp>,
    looked: bool,
    /// Its directory is under watch.
    watched: bool,
    /// When it will be.
    deadline: Option<Instant>,
    outcome: Option<Result<i32>>,
    told: bool,
}

impl<'a> Waiter<'a> {
    fn open(engine: &Engine<'_>, name: &'a str, conditions: &'a [Condition]) -> Waiter<'a> {
        let find = || -> Result<(ContainerDir, ContainerId)> {
            let dir = engine.store.containers().find(name)?;
            let id = dir.record()?.id;
            Ok((dir, id))
        };
        let (dir, outcome) = match find() {
            Ok(found) => (Some(found), None),
            Err(error) => (None, Some(Err(error))),
        };
        Waiter {
            name,
            conditions: match conditions {
                [] => &[Condition::NotRunning],
                some => some,
            },
            dir,
            run: None,
            payload: None,
            keeper: None,
            before: None,
            looked: false,
            watched: false,
            deadline: None,
            outcome,
            told: false,
        }
    }

    /// The process whose end is the next event.
    fn awaited(&self) -> Option<BorrowedFd<'_>> {
        let both = [&self.payload, &self.keeper];
        let mut open = both.into_iter().flatten().map(AsFd::as_fd);
        open.find(|fd| !process::has_ended(*fd))
    }

    /// Looks until nothing happens in between; the code when a condition is met.
    fn step(&mut self, engine: &Engine<'_>, mark: &Mark, watch: &mut Watch) -> Result<Option<i32>> {
        let met = self.look(engine, mark)?;
        if met.is_some() || self.watched || !self.needs_watch() {
            return Ok(met);
        }
        if let Some((dir, _)) = &self.dir {
            // One that is gone shows at the next look.
            let _ = watch.add_names(dir.path());
        }
        (self.watched, self.deadline) = (true, None);
        // What happened before the watch is not reported.
        self.look(engine, mark)
    }

    /// Whether the ends of processes do not tell enough. Most often they do, and the kernel takes
    /// some thirty milliseconds to give up a watch.
    fn needs_watch(&mut self) -> bool {
        let end = |one: &Condition| matches!(one, Condition::NotRunning | Condition::Ended);
        let Some(payload) = &self.payload else {
            return true;
        };
        if self.keeper.is_none() || !self.conditions.iter().all(end) {
            return true;
        }
        if !process::has_ended(payload.as_fd()) {
            return false;
        }
        // It may be started again instead of being given up.
        let due = *self.deadline.get_or_insert_with(|| Instant::now() + SOON);
        due <= Instant::now()
    }

    /// Looks once; the code when a condition is met.
    fn look(&mut self, engine: &Engine<'_>, mark: &Mark) -> Result<Option<i32>> {
        let Some((dir, id)) = self.dir.clone() else {
            return Ok(None);
        };
        let Some((phase, alive)) = look(&dir)? else {
            return self.removed(engine, mark, &id).map(Some);
        };
        let first = !std::mem::replace(&mut self.looked, true);
        if let Some(code) = self.ended(engine, mark, &dir, &phase, alive, first)?
            && self.waits_for_end()
        {
            return Ok(Some(code));
        }
        if first && phase.is_none() && self.conditions.contains(&Condition::NotRunning) {
            return Ok(Some(0));
        }
        let state = list::state_of(&phase, alive);
        let met = |condition: &Condition| match condition {
            Condition::State(wanted) => *wanted == state,
            Condition::Health(word) => state.has_process() && has_health(&dir, word),
            _ => false,
        };
        Ok(self.conditions.iter().any(met).then_some(NO_END))
    }

    fn waits_for_end(&self) -> bool {
        let end = |one: &Condition| matches!(one, Condition::NotRunning | Condition::Ended);
        self.conditions.iter().any(end)
    }

    /// The code of the end that is waited for, once there is one.
    fn ended(
        &mut self,
        engine: &Engine<'_>,
        mark: &Mark,
        dir: &ContainerDir,
        phase: &Option<Phase>,
        alive: bool,
        first: bool,
    ) -> Result<Option<i32>> {
        match phase {
            None => Ok(None),
            Some(Phase::Ended(exit)) => Ok(self.recorded(exit, alive, first)),
            Some(Phase::Started(state)) => {
                let other =
                    |run: &StateRecord| (run.pid, run.start_time) != (state.pid, state.start_time);
                if self.run.as_ref().is_some_and(other) {
                    // It ended and was started again between two looks.
                    return self.unseen(engine, mark, &dir.record()?.id).map(Some);
                }
                if self.run.is_none() {
                    self.payload = ending::hold(state);
                    self.keeper = process::pidfd_open(state.supervisor).ok();
                    self.run = Some(state.clone());
                    // Either may have ended before it was held: then the next look shows it.
                    if self.payload.is_none() || !dir.is_alive()? {
                        return self.ended(
                            engine,
                            mark,
                            dir,
                            &dir.phase()?,
                            dir.is_alive()?,
                            false,
                        );
                    }
                }
                if alive {
                    return Ok(None);
                }
                // Its keeper was killed; what is left of it ends now.
                remove::repair(engine, &dir.entry()?)?;
                self.unseen(engine, mark, &dir.record()?.id).map(Some)
            }
        }
    }

    fn recorded(&mut self, exit: &ExitRecord, alive: bool, first: bool) -> Option<i32> {
        // docker: one that is about to be started again has not ended for good.
        if first && alive && exit.restarting {
            self.before = Some(exit.finished);
            return None;
        }
        let old = self.before == Some(exit.finished) && alive && exit.restarting;
        (!old).then(|| i32::from(exit.status.code()))
    }

    /// The code of an end that the container's own record does not tell any more.
    fn unseen(&self, engine: &Engine<'_>, mark: &Mark, id: &ContainerId) -> Result<i32> {
        let noted = engine
            .store
            .events_since(mark)
            .into_iter()
            .find(|event| event.action == "die" && event.id == id.as_str())
            .and_then(|event| event.attributes.get("exitCode")?.parse().ok());
        if let Some(code) = noted {
            return Ok(code);
        }
        let payload = self.payload.as_ref();
        match payload.and_then(|payload| process::exit_of(payload.as_fd())) {
            Some(status) => Ok(i32::from(status.code())),
            None => Err(Error::new(Kind::NotFound, "wait for container", self.name)
                .because("nobody wrote down how it ended")
                .into()),
        }
    }

    fn removed(&self, engine: &Engine<'_>, mark: &Mark, id: &ContainerId) -> Result<i32> {
        if self.waits_for_end() && self.run.is_some() {
            return self.unseen(engine, mark, id);
        }
        match self.conditions.contains(&Condition::Removed) {
            true => Ok(NO_END),
            false => self.unseen(engine, mark, id),
        }
    }
}

/// Whether the last health check of the present run says `wanted`.
fn has_health(dir: &ContainerDir, wanted: &str) -> bool {
    let run = dir.state().ok().flatten().map(|state| state.start_time);
    let record = dir.health().ok().flatten().zip(run);
    record.is_some_and(|(record, run)| {
        HealthRecord::of_run(Some(record), run).status.word() == wanted
    })
}
