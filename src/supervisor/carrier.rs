//! The processes that serve a container's network, under watch: when one is killed the container
//! goes on, and its network is to go on as well.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::restart::{GOOD, Restarts};
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::{self, Served};
use crate::spec::config::RestartPolicy;
use crate::store::{ContainerDir, ContainerRecord};

/// How often one is started again when each of its runs is short.
const MOST: u32 = 5;

/// Those of one run of a container.
pub(super) struct Carriers<'a> {
    engine: &'a Engine<'a>,
    record: ContainerRecord,
    served: Served<'a>,
    each: Vec<Carrier>,
}

/// One of them.
struct Carrier {
    process: Option<OwnedFd>,
    began: Instant,
    restarts: Restarts,
    /// When it is started again.
    due: Option<Instant>,
}

impl<'a> Carriers<'a> {
    /// Those of a container that runs.
    pub(super) fn of(
        engine: &'a Engine<'a>,
        record: &ContainerRecord,
        dir: &ContainerDir,
    ) -> Carriers<'a> {
        let mut carriers = Carriers {
            engine,
            record: record.clone(),
            served: Served::of(engine, record, dir),
            each: Vec::new(),
        };
        carriers.look();
        carriers
    }

    /// Finds those that have come meanwhile.
    pub(super) fn look(&mut self) {
        for (place, process) in self.served.look().into_iter().enumerate() {
            match self.each.get_mut(place) {
                Some(one) if one.process.is_some() || one.due.is_some() => {}
                Some(one) => *one = Carrier::of(process),
                None => self.each.push(Carrier::of(process)),
            }
        }
    }

    /// The processes, to wait for the end of each, with its place.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        let all = self.each.iter().enumerate();
        all.filter_map(|(place, one)| Some((place, one.process.as_ref()?.as_fd())))
    }

    /// When something is to be done.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.each.iter().filter_map(|one| one.due).min()
    }

    /// Takes note of the end of one.
    pub(super) fn ended(&mut self, place: usize) {
        let one = &mut self.each[place];
        one.process = None;
        let ran = one.began.elapsed();
        self.plan(place, ran);
    }

    /// Starts those again for which that is due.
    pub(super) fn begin(&mut self) {
        let now = Instant::now();
        for place in 0..self.each.len() {
            let one = &mut self.each[place];
            if one.due.take_if(|due| *due <= now).is_none() {
                continue;
            }
            one.began = now;
            match self.served.renew(place) {
                Ok(None) => {}
                Ok(process) => {
                    one.process = process;
                    self.note("restarted", "");
                }
                Err(error) => {
                    self.note("failed", &error.to_string());
                    self.plan(place, Duration::ZERO);
                }
            }
        }
    }

    /// Sets the time of the next start of one, after a run of `ran`.
    fn plan(&mut self, place: usize, ran: Duration) {
        let one = &mut self.each[place];
        if ran >= GOOD {
            one.restarts = restarts();
        }
        let pause = one.restarts.next(ExitStatus::ENGINE, ran);
        one.due = pause.map(|pause| Instant::now() + pause);
        if pause.is_none() {
            self.note("lost", "one of its processes ends again and again");
        }
    }

    /// In the journal: nobody has a terminal for it.
    fn note(&self, status: &str, why: &str) {
        let why = (!why.is_empty()).then(|| ("error", why.to_owned()));
        let action = format!("network_status: {status}");
        container::note(self.engine, &self.record, &action, why.as_slice());
    }
}

impl Carrier {
    /// One that is to be started at once where it is gone.
    fn of(process: Option<OwnedFd>) -> Carrier {
        let now = Instant::now();
        Carrier {
            due: process.is_none().then_some(now),
            process,
            began: now,
            restarts: restarts(),
        }
    }
}

fn restarts() -> Restarts {
    Restarts::new(RestartPolicy::OnFailure { max: MOST })
}
