//! Steps that do not end well: what is said of them, what is tried again, what is given up.

use anyhow::Result;

use super::job::{Answer, Job, StepInfo};
use super::progress::{Event, StepFailure};
use super::solve::Solver;
use super::stage::Status;
use super::step;
use crate::common::{Error, ExitStatus, Kind};

/// How often a step begins anew because its files changed.
const MAX_RESTARTS: u32 = 3;

impl Solver<'_> {
    /// Does a step once more whose files changed while they were copied.
    pub(super) fn begin_again(&mut self, info: &StepInfo) -> Result<()> {
        let cache = self.engine.store.build_cache();
        cache.discard(info.work.id.as_str())?;
        let vertex = info.vertex;
        let stage = &mut self.stages[info.stage];
        stage.restarts += 1;
        if stage.restarts > MAX_RESTARTS {
            let why = "files changed while they were copied, each time";
            self.progress.event(&Event::Failed { vertex, why });
            let error = Error::new(Kind::Conflict, "copy", &info.command).because(why);
            let error =
                error.hint("keep what is written meanwhile out of the context: .dockerignore");
            return Err(anyhow::Error::from(error).context(stage.cited(self.file)));
        }
        self.progress.event(&Event::Canceled { vertex });
        stage.next -= 1;
        stage.status = Status::Ready;
        Ok(())
    }

    /// The error of a step that did not end well.
    pub(super) fn failure(&self, info: &StepInfo, answer: Result<Answer>) -> anyhow::Error {
        let stage = &self.stages[info.stage];
        let (status, text) = match answer {
            Ok(Answer::Ended(status)) => (
                status,
                format!(
                    "process {:?} did not complete successfully: exit code: {}",
                    info.command,
                    status.code()
                ),
            ),
            Ok(Answer::NotStarted(status, why)) => (
                status,
                format!(
                    "process {:?} did not complete successfully: {why}",
                    info.command
                ),
            ),
            Ok(_) => (ExitStatus::ENGINE, "no result".to_owned()),
            Err(error) => {
                let text = format!("{error:#}");
                self.progress.event(&Event::Failed {
                    vertex: info.vertex,
                    why: &text,
                });
                return error.context(stage.cited(self.file));
            }
        };
        self.progress.event(&Event::Failed {
            vertex: info.vertex,
            why: &text,
        });
        StepFailure {
            status,
            text,
            excerpt: stage.excerpt(self.file),
        }
        .into()
    }

    /// `--on-error=shell`: a shell in the place of a command that failed. The build fails anyway.
    pub(super) fn look_into(&mut self, info: &StepInfo) {
        let Some(kept) = &info.kept else {
            return;
        };
        // Nothing else writes on the terminal meanwhile.
        self.give_up();
        let (command, words) = kept.as_ref();
        let shown = words.join(" ");
        let ui = self.engine.ui;
        ui.note(&format!(
            "{shown} in the failed step; the build ends with it"
        ));
        let looked = step::run::look_into(self.engine, &info.work, command, words.clone());
        if let Err(error) = looked {
            ui.warn(&format!("{shown} could not be started: {error:#}"));
        }
    }

    /// Ends everything at work.
    pub(super) fn give_up(&mut self) {
        for job in self.jobs.take() {
            if let Job::Step(step) = job {
                self.progress.event(&Event::Canceled {
                    vertex: step.info.vertex,
                });
                let id = step.info.work.id.clone();
                // Kills its process, and the container with it.
                drop(step);
                let _ = self.engine.store.build_cache().discard(id.as_str());
            }
        }
    }
}
