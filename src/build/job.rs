//! Work in child processes: what is at work, and waiting for what happens next.

use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use super::progress::{Event, Progress, Vertex};
use super::state::Piece;
use super::step::run::Command;
use crate::common::{Digest, Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::Sealed;
use crate::engine::worker::Worker;
use crate::store::StepWork;

/// Bytes of a step's output that are read at once.
const CHUNK: usize = 64 << 10;

/// What a step says at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Its command ended so.
    Ended(ExitStatus),
    /// Its command could not be started.
    NotStarted(ExitStatus, String),
    /// Its files are made; owners of what cannot carry them itself.
    Made(Vec<(std::path::PathBuf, String)>),
    /// Nothing was to be made.
    Nothing,
}

/// What is known of a step at work.
pub(super) struct StepInfo {
    /// The stage that waits for it.
    pub(super) stage: usize,
    /// As it is shown.
    pub(super) vertex: Vertex,
    /// Its directory.
    pub(super) work: StepWork,
    /// Key of its result and what it is made of.
    pub(super) key: (Digest, Vec<(String, Digest)>),
    /// The command as docker cites it in errors.
    pub(super) command: String,
    /// Line of the history.
    pub(super) history: String,
    /// Whom it runs as.
    pub(super) user: String,
    /// What a shell in its place would need, and the words of the shell.
    pub(super) kept: Option<Box<(Command, Vec<String>)>>,
}

/// A step at work.
pub(super) struct StepJob {
    /// What it is.
    pub(super) info: StepInfo,
    /// The process.
    pub(super) worker: Worker<Answer>,
    /// Standard output and errors, while they are open.
    pub(super) pipes: Vec<(bool, PipeReader)>,
}

/// A layer on its way to a blob.
pub(super) struct SealJob {
    /// The layer.
    pub(super) piece: Piece,
    /// The process.
    pub(super) worker: Worker<Sealed>,
    /// The stage that waits for it, if any.
    pub(super) stage: Option<usize>,
}

/// What is at work.
pub(super) enum Job {
    /// A step.
    Step(Box<StepJob>),
    /// A layer's archive.
    Seal(SealJob),
}

/// What has ended.
pub(super) enum Ended {
    /// A step, and what it says.
    Step(Box<StepInfo>, Result<Answer>),
    /// A layer's archive.
    Seal(Piece, Option<usize>, Result<Sealed>),
}

/// Everything at work.
#[derive(Default)]
pub(super) struct Jobs {
    all: Vec<Job>,
}

impl Jobs {
    /// Adds one.
    pub(super) fn push(&mut self, job: Job) {
        self.all.push(job);
    }

    /// Keeps with the latest step what a shell in its place would need.
    pub(super) fn keep(&mut self, kept: Option<(Command, Vec<String>)>) {
        if let Some(Job::Step(step)) = self.all.last_mut() {
            step.info.kept = kept.map(Box::new);
        }
    }

    /// Steps at work.
    pub(super) fn steps(&self) -> usize {
        let step = |job: &&Job| matches!(job, Job::Step(_));
        self.all.iter().filter(step).count()
    }

    /// Layers on their way.
    pub(super) fn seals(&self) -> usize {
        self.all.len() - self.steps()
    }

    /// Takes everything that is at work, to be given up.
    pub(super) fn take(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.all)
    }

    /// Waits until something happens, shows what steps write and returns what has ended.
    ///
    /// # Errors
    /// What poll(2) gave.
    pub(super) fn wait(
        &mut self,
        engine: &Engine<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<Ended>> {
        if self.all.is_empty() {
            return Ok(Vec::new());
        }
        let ready = self.poll()?;
        let mut ended = Vec::new();
        let mut left = Vec::new();
        for (mut job, (answered, readable)) in self.all.drain(..).zip(ready) {
            if let Job::Step(step) = &mut job
                && readable
            {
                read(&step.info, &mut step.pipes, progress);
            }
            match (job, answered) {
                (job, false) => left.push(job),
                (Job::Step(step), true) => ended.push(finish(engine, *step, progress)),
                (Job::Seal(seal), true) => {
                    let sealed = seal.worker.finish(engine);
                    ended.push(Ended::Seal(seal.piece, seal.stage, sealed));
                }
            }
        }
        self.all = left;
        Ok(ended)
    }

    /// For each job whether it has answered and whether it has written something.
    fn poll(&self) -> Result<Vec<(bool, bool)>> {
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        let mut owners: Vec<(usize, bool)> = Vec::new();
        for (index, job) in self.all.iter().enumerate() {
            let answer: BorrowedFd<'_> = match job {
                Job::Step(step) => step.worker.as_fd(),
                Job::Seal(seal) => seal.worker.as_fd(),
            };
            fds.push(PollFd::new(answer, PollFlags::POLLIN));
            owners.push((index, true));
            if let Job::Step(step) = job {
                for (_, pipe) in &step.pipes {
                    fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
                    owners.push((index, false));
                }
            }
        }
        loop {
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    return Err(Error::errno("wait for", "the steps of a build", errno).into());
                }
                Ok(_) => break,
            }
        }
        let mut ready = vec![(false, false); self.all.len()];
        for (fd, (index, answer)) in fds.iter().zip(owners) {
            if fd.any().unwrap_or(true) {
                match answer {
                    true => ready[index].0 = true,
                    false => ready[index].1 = true,
                }
            }
        }
        Ok(ready)
    }
}

fn finish(engine: &Engine<'_>, mut step: StepJob, progress: &dyn Progress) -> Ended {
    let answer = step.worker.finish(engine);
    // Its process has ended, and nobody else holds the other ends: what is left ends as well.
    while !step.pipes.is_empty() {
        read(&step.info, &mut step.pipes, progress);
    }
    Ended::Step(Box::new(step.info), answer)
}

/// Shows what each pipe holds, up to a bound; a pipe that has ended is dropped.
fn read(info: &StepInfo, pipes: &mut Vec<(bool, PipeReader)>, progress: &dyn Progress) {
    let mut buffer = vec![0; CHUNK];
    pipes.retain_mut(|(error, pipe)| {
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::ZERO) {
            Ok(0) | Err(Errno::EINTR) => return true,
            Err(_) => return false,
            Ok(_) => {}
        }
        match pipe.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                progress.event(&Event::Output {
                    vertex: info.vertex,
                    error: *error,
                    bytes: &buffer[..count],
                });
                true
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
        }
    });
}
