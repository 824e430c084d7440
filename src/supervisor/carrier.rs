//! The program that carries a private network's packets, under watch: when it is killed the
//! container goes on, and its network is to go on as well.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::restart::{GOOD, Restarts};
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container;
use crate::spec::config::RestartPolicy;
use crate::store::{ContainerDir, ContainerRecord};

/// How often it is started again when each of its runs is short.
const MOST: u32 = 5;

/// The program of one run of a container.
pub(super) struct Carrier<'a> {
    engine: &'a Engine<'a>,
    record: ContainerRecord,
    dir: ContainerDir,
    program: Option<OwnedFd>,
    began: Instant,
    restarts: Restarts,
    /// When it is started again.
    due: Option<Instant>,
}

impl<'a> Carrier<'a> {
    /// That of a container that runs; `None` where there is none.
    pub(super) fn of(
        engine: &'a Engine<'a>,
        record: &ContainerRecord,
        dir: &ContainerDir,
    ) -> Option<Carrier<'a>> {
        Some(Carrier {
            engine,
            record: record.clone(),
            dir: dir.clone(),
            program: Some(container::program_of(record, dir)?),
            began: Instant::now(),
            restarts: restarts(),
            due: None,
        })
    }

    /// The program, to wait for its end.
    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.program.as_ref().map(AsFd::as_fd)
    }

    /// When something is to be done.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Takes note of its end.
    pub(super) fn ended(&mut self) {
        self.program = None;
        self.plan(self.began.elapsed());
    }

    /// Starts it again when that is due.
    pub(super) fn begin(&mut self) {
        if self.due.take_if(|due| *due <= Instant::now()).is_none() {
            return;
        }
        self.began = Instant::now();
        match container::renew_program(self.engine, &self.record, &self.dir) {
            Ok(program) => {
                self.program = Some(program);
                self.note("restarted", "");
            }
            Err(error) => {
                self.note("failed", &error.to_string());
                self.plan(Duration::ZERO);
            }
        }
    }

    /// Sets the time of the next start, after a run of `ran`.
    fn plan(&mut self, ran: Duration) {
        if ran >= GOOD {
            self.restarts = restarts();
        }
        let pause = self.restarts.next(ExitStatus::ENGINE, ran);
        self.due = pause.map(|pause| Instant::now() + pause);
        if pause.is_none() {
            self.note("lost", "its program ends again and again");
        }
    }

    /// In the journal: nobody has a terminal for it.
    fn note(&self, status: &str, why: &str) {
        let why = (!why.is_empty()).then(|| ("error", why.to_owned()));
        let action = format!("network_status: {status}");
        container::note(self.engine, &self.record, &action, why.as_slice());
    }
}

fn restarts() -> Restarts {
    Restarts::new(RestartPolicy::OnFailure { max: MOST })
}
