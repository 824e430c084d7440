//! The end of containers that run, wished by a user: the signal, the grace, the kill, and the
//! wait until whoever keeps each of them has written the end down. All of them at once, in one
//! loop over pidfds.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::Result;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::{event, pause};
use crate::cgroup::Freezer;
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::store::{ContainerDir, ContainerRecord, Phase, StateRecord};
use crate::sys::process;
use crate::sys::watch::Watch;

/// Longest wait for a killed process to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for the keeper of an ended container to write the end down.
const KEEPER_PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for a keeper that has done so to let go of the container.
const UNLOCK_PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at such a lock.
const UNLOCK_LOOK: Duration = Duration::from_millis(1);
/// Between two looks at a container whose end is about to be written down, in milliseconds.
const SETTLE_PAUSE: u16 = 2;
/// A keeper that has ended by then has told enough; only with others the directory is watched:
/// the kernel takes some thirty milliseconds to give up a watch.
pub(super) const SOON: Duration = Duration::from_millis(20);

/// One container that is to end.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// Its directory.
    pub(super) dir: ContainerDir,
    /// Its record, for the journal; `None` when it cannot be read.
    pub(super) record: Option<ContainerRecord>,
    /// The first signal.
    pub(super) signal: i32,
    /// Time until the kill; `None` is without a limit.
    pub(super) grace: Option<Duration>,
    /// Also one that is only just being started; else that counts as not running.
    pub(super) starting: bool,
}

/// The first process of a container, held so that its number cannot become another's.
///
/// `None` when it has ended.
pub(super) fn hold(state: &StateRecord) -> Option<OwnedFd> {
    let pidfd = process::pidfd_open(state.pid).ok()?;
    // The descriptor is open, so the number cannot be reused between this check and its use.
    (state.is_running() && !process::has_ended(pidfd.as_fd())).then_some(pidfd)
}

/// What its run has come to and whether someone keeps it; `None` when it was removed.
pub(super) fn look(dir: &ContainerDir) -> Result<Option<(Option<Phase>, bool)>> {
    // The lock first: an end is written down before it is let go.
    let alive = dir.is_alive()?;
    let phase = dir.phase()?;
    match phase.is_none() && !dir.path().exists() {
        true => Ok(None),
        false => Ok(Some((phase, alive))),
    }
}

/// As [`look`]; where the first process is gone and the keeper is about to write that down, it
/// gets the time for it: `rm` right after a short run is not told that it runs.
///
/// # Errors
/// As [`look`].
pub(super) fn settled(dir: &ContainerDir) -> Result<Option<(Option<Phase>, bool)>> {
    let deadline = Instant::now() + KEEPER_PATIENCE;
    loop {
        let seen = look(dir)?;
        let recording = match &seen {
            Some((Some(Phase::Started(state)), true)) => hold(state).is_none(),
            _ => false,
        };
        if !recording || Instant::now() >= deadline {
            return Ok(seen);
        }
        let _ = poll(&mut [], PollTimeout::from(SETTLE_PAUSE));
    }
}

/// Waits for the ends of the first processes of containers that were just sent a signal, at most
/// `patience` for all of them together; those that come are [`settled`] then.
pub(super) fn observe(told: &[(OwnedFd, ContainerDir)], patience: Duration) {
    let deadline = Instant::now() + patience;
    for (payload, dir) in told {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(payload.as_fd(), PollFlags::POLLIN)];
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        // Whoever goes on is no concern of a signal's sender.
        if matches!(poll(&mut fds, left), Ok(1..)) {
            let _ = settled(dir);
        }
    }
}

/// Where a container is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent.
    Untold,
    /// It has the signal, and its grace.
    Told,
    /// It has the kill.
    Killed,
    /// It has it once more: the first time this machine may have stood still for longer than the
    /// patience.
    KilledAgain,
    /// Its first process is gone, the end not yet written down.
    Recording,
    /// The end is written down, the lock still held.
    Unlocking,
}

struct Victim {
    wish: Wish,
    stage: Stage,
    /// Its first process, until that has ended.
    payload: Option<OwnedFd>,
    /// The process that keeps it.
    keeper: Option<OwnedFd>,
    deadline: Option<Instant>,
    unlocked_by: Option<Instant>,
    watched: bool,
    /// The cgroup that a pause had put it into.
    freezer: Option<Freezer>,
    outcome: Option<Result<()>>,
}

/// Ends containers and returns when the end of each is written down, or the container gone. One
/// result for each, in order; a container that does not run is fine.
///
/// # Errors
/// `Conflict` when the kernel cannot end a process, or a keeper does not react.
pub(super) fn end(engine: &Engine<'_>, wishes: Vec<Wish>) -> Vec<Result<()>> {
    let mut watch = Watch::new();
    let mut victims: Vec<Victim> = wishes.into_iter().map(Victim::new).collect();
    loop {
        for victim in victims.iter_mut().filter(|one| one.outcome.is_none()) {
            victim.outcome = match victim.step(engine, &mut watch) {
                Ok(true) => {
                    victim.freezer.iter().for_each(Freezer::remove);
                    Some(Ok(()))
                }
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            };
        }
        let waiting: Vec<&Victim> = victims.iter().filter(|one| one.outcome.is_none()).collect();
        if waiting.is_empty() {
            return victims.into_iter().filter_map(|one| one.outcome).collect();
        }
        let fds: Vec<BorrowedFd<'_>> = waiting.iter().filter_map(|one| one.awaited()).collect();
        let deadline = waiting.iter().filter_map(|one| one.deadline).min();
        if let Err(error) = watch.wait(&fds, None, deadline) {
            let text = error.to_string();
            let failed = |one: Victim| {
                let failure = || Error::new(Kind::System, "wait for containers", "");
                one.outcome
                    .unwrap_or_else(|| Err(failure().because(text.clone()).into()))
            };
            return victims.into_iter().map(failed).collect();
        }
    }
}

impl Victim {
    fn new(wish: Wish) -> Victim {
        Victim {
            wish,
            stage: Stage::Untold,
            payload: None,
            keeper: None,
            deadline: None,
            unlocked_by: None,
            watched: false,
            freezer: None,
            outcome: None,
        }
    }

    fn watch(&mut self, watch: &mut Watch) {
        // A directory that is gone shows at the next look.
        let _ = watch.add_names(self.wish.dir.path());
        self.watched = true;
    }

    /// The process whose end is the next event.
    fn awaited(&self) -> Option<BorrowedFd<'_>> {
        let open = self.payload.as_ref().or(self.keeper.as_ref());
        open.map(AsFd::as_fd)
    }

    /// Goes as far as it can without waiting; true at the end of the way.
    fn step(&mut self, engine: &Engine<'_>, watch: &mut Watch) -> Result<bool> {
        let late = self.deadline.is_some_and(|moment| moment <= Instant::now());
        if let Some(payload) = &self.payload {
            if !process::has_ended(payload.as_fd()) {
                match (late, self.stage) {
                    (true, Stage::KilledAgain) => return Err(immortal(&self.wish)),
                    (true, Stage::Killed) => {
                        self.kill(engine);
                        self.stage = Stage::KilledAgain;
                    }
                    (true, _) => {
                        self.tell_of_kill(engine);
                        self.kill(engine);
                    }
                    _ => {}
                }
                return Ok(false);
            }
            self.payload = None;
            self.deadline = None;
        }
        if let Some(keeper) = &self.keeper {
            match process::has_ended(keeper.as_fd()) {
                // Its end would be seen for ever.
                true => self.keeper = None,
                // Most often its end is the next that happens.
                false if !self.watched && !late && self.deadline.is_some() => return Ok(false),
                false => {}
            }
        }
        let Some((phase, alive)) = look(&self.wish.dir)? else {
            return Ok(true);
        };
        match phase {
            Some(Phase::Started(state)) => self.started(engine, &state, alive, watch, late),
            _ if !alive => Ok(true),
            Some(Phase::Ended(exit)) if !exit.restarting => {
                if self.stage != Stage::Unlocking {
                    self.stage = Stage::Unlocking;
                    self.unlocked_by = Some(Instant::now() + UNLOCK_PATIENCE);
                }
                // The lock goes a moment after the record, and nothing tells of it.
                self.deadline = Some(Instant::now() + UNLOCK_LOOK);
                // Who comes next waits for the lock if it is still held then.
                Ok(self
                    .unlocked_by
                    .is_some_and(|moment| moment <= Instant::now()))
            }
            Some(Phase::Ended(_)) => {
                // Its keeper waits before it starts it again, and sees the mark.
                self.mark()?;
                self.record(watch, late)
            }
            None if !self.wish.starting => Ok(true),
            None => self.record(watch, late),
        }
    }

    fn started(
        &mut self,
        engine: &Engine<'_>,
        state: &StateRecord,
        alive: bool,
        watch: &mut Watch,
        late: bool,
    ) -> Result<bool> {
        self.mark()?;
        match hold(state) {
            Some(payload) => {
                self.keeper = match alive {
                    true => process::pidfd_open(state.supervisor).ok(),
                    false => None,
                };
                self.payload = Some(payload);
                match state.held {
                    // The first process of its pid namespace, it takes no other signal.
                    true => self.kill(engine),
                    false => self.tell(engine),
                }
                Ok(false)
            }
            // Nobody is left who could write the end down.
            None if !alive => Ok(true),
            None => self.record(watch, late),
        }
    }

    /// Waits for the keeper's word.
    fn record(&mut self, watch: &mut Watch, late: bool) -> Result<bool> {
        let waited = late && self.stage == Stage::Recording;
        match (self.watched, waited) {
            (true, true) => return Err(stuck(&self.wish)),
            (false, false) if self.keeper.is_some() => self.enter(Stage::Recording, SOON),
            (false, _) => {
                self.watch(watch);
                // What happened before the watch is not reported: look once more at once.
                self.stage = Stage::Untold;
                self.deadline = Some(Instant::now());
            }
            (true, false) => self.enter(Stage::Recording, KEEPER_PATIENCE),
        }
        Ok(false)
    }

    fn enter(&mut self, stage: Stage, patience: Duration) {
        if self.stage != stage {
            self.stage = stage;
            self.deadline = Some(Instant::now() + patience);
        }
    }

    /// Sends the first signal.
    fn tell(&mut self, engine: &Engine<'_>) {
        if self.wish.signal == libc::SIGKILL {
            self.kill(engine);
            return;
        }
        self.send(engine, self.wish.signal);
        self.stage = Stage::Told;
        self.deadline = self.wish.grace.map(|grace| Instant::now() + grace);
    }

    fn kill(&mut self, engine: &Engine<'_>) {
        self.send(engine, libc::SIGKILL);
        self.stage = Stage::Killed;
        self.deadline = Some(Instant::now() + KILL_PATIENCE);
    }

    /// Whoever gave it no time knows that it is killed.
    fn tell_of_kill(&self, engine: &Engine<'_>) {
        let seconds = self.wish.grace.map_or(0, |grace| grace.as_secs());
        if seconds > 0 {
            let signal = Signal::try_from(self.wish.signal);
            let signal = signal.map_or(self.wish.signal.to_string(), |one| one.to_string());
            engine.ui.outlived(&format!(
                "StopSignal {signal} failed to stop container {} in {seconds} seconds, resorting \
                 to SIGKILL",
                name(&self.wish)
            ));
        }
    }

    fn send(&mut self, engine: &Engine<'_>, signal: i32) {
        let Some(payload) = &self.payload else { return };
        if let Some(record) = &self.wish.record {
            // Before the signal, so that no end it causes is told first.
            event::note(engine, record, "kill", &[("signal", signal.to_string())]);
        }
        // One that has ended by itself is what was wished.
        let _ = process::signal_pidfd(payload, signal);
        // Nothing stopped can take a signal, and on version 1 not even a kill.
        self.freezer = pause::resume(&self.wish.dir).or(self.freezer.take());
    }

    fn mark(&self) -> Result<()> {
        match self.wish.dir.mark_stopped() {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            other => Ok(other?),
        }
    }
}

fn name(wish: &Wish) -> String {
    match &wish.record {
        Some(record) => record.name.clone(),
        None => wish.dir.path().display().to_string(),
    }
}

fn immortal(wish: &Wish) -> anyhow::Error {
    Error::new(Kind::Conflict, "kill container", name(wish))
        .because("its process does not end; the kernel may be waiting for a disk or a network")
        .into()
}

fn stuck(wish: &Wish) -> anyhow::Error {
    Error::new(Kind::Conflict, "end container", name(wish))
        .because("it has ended, and the process that keeps it does not react")
        .hint("rm -f ends that process too")
        .into()
}
