//! The instructions of a stage, one by one: from the cache where it knows the result, else by a
//! step of its own.

use anyhow::{Context, Result};

use super::config;
use super::job::{Job, StepInfo, StepJob};
use super::key::Key;
use super::layers::{Layer, Made};
use super::progress::Event;
use super::solve::Solver;
use super::stage::{Status, Step, absolute};
use super::state::State;
use super::step;
use crate::common::Kind as ErrorKind;
use crate::dockerfile::{Kind, Run, Word};
use crate::engine::Engine;
use crate::store::{CacheRecord, StepWork};

impl Solver<'_> {
    /// Does the next instruction of a stage.
    pub(super) fn instruction(&mut self, index: usize) -> Result<bool> {
        let stage = &mut self.stages[index];
        let Some(instruction) = stage.instructions.get(stage.next).cloned() else {
            stage.status = Status::Done;
            return Ok(true);
        };
        stage.next += 1;
        let went = match &instruction.kind {
            Kind::Run(run) => self.run_instruction(index, run),
            Kind::Workdir(path) => self.workdir(index, path),
            Kind::Arg(args) => self.arg(index, args).map(|()| true),
            Kind::Copy(_) | Kind::Add(_) => self.copy_instruction(index, &instruction),
            _ => {
                let stage = &mut self.stages[index];
                let state = stage.state.as_mut().context("a stage without a state")?;
                config::apply(state, &instruction, &mut stage.cmd_set)
            }
        }?;
        if !went {
            self.stages[index].next -= 1;
        }
        self.state(index)?.check_size()?;
        Ok(went)
    }

    /// A stage that has begun.
    pub(super) fn state(&self, index: usize) -> Result<&State> {
        self.stages[index]
            .state
            .as_ref()
            .context("a stage without a state")
    }

    pub(super) fn state_mut(&mut self, index: usize) -> Result<&mut State> {
        self.stages[index]
            .state
            .as_mut()
            .context("a stage without a state")
    }

    /// `ARG`: what was given, else the default, else what the file's head says.
    fn arg(&mut self, index: usize, args: &[(Word, Option<Word>)]) -> Result<()> {
        let mut text = "ARG".to_owned();
        for (name, default) in args {
            let state = self.state(index)?;
            let name = state.expand(name)?;
            let mut given = self.request.build_args.iter().rev();
            let given = given
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.clone());
            let default = default
                .as_ref()
                .map(|word| state.expand(word))
                .transpose()?;
            let value = given
                .or(default)
                .or_else(|| self.graph.globals.get(&name).cloned());
            text.push_str(&format!(" {name}"));
            if let Some(value) = &value {
                text.push_str(&format!("={value}"));
            }
            self.used_args.push(name.clone());
            self.state_mut(index)?.set_arg(&name, value);
        }
        self.state_mut(index)?.note(text, false);
        Ok(())
    }

    fn run_instruction(&mut self, index: usize, run: &Run) -> Result<bool> {
        let prepared = step::run::prepare(self, index, run)?;
        let Some(prepared) = prepared else {
            return Ok(false);
        };
        if self.take_cached(index, &prepared.step)? {
            return Ok(true);
        }
        if !self.has_room() {
            return Ok(false);
        }
        step::foreign::check(&self.state(index)?.platform, &prepared.step.command)?;
        let mut needed = prepared.pieces.clone();
        needed.extend(&self.state(index)?.pieces);
        if self.bring(&needed)? {
            // Now there are files to look at.
            return self.run_instruction(index, run);
        }
        let work = self.engine.store.build_cache().begin()?;
        let state = self.state(index)?;
        let (user, image) = (state.image.config.user.clone(), state.image.config.clone());
        let shell = state.interactive_shell();
        let ground = self.layers.ground(self.engine, &state.pieces);
        let step = prepared.step;
        let command = step::run::Command {
            ground,
            image,
            config: prepared.config,
            secrets: prepared.secrets,
            caches: prepared.caches,
            snapshots: prepared.snapshots,
            script: prepared.script,
            fresh: prepared.fresh,
        };
        let kept = self
            .request
            .shell_on_error
            .then(|| (command.clone(), shell));
        let started = step::run::start(self.engine, &work, command);
        let (worker, pipes) = self.or_discard(started, &work)?;
        self.at_work(index, step, user, work, worker, pipes);
        self.jobs.keep(kept);
        Ok(true)
    }

    fn workdir(&mut self, index: usize, word: &Word) -> Result<bool> {
        let state = self.state(index)?;
        let path = absolute(state.workdir(), &state.expand(word)?);
        let text = format!("WORKDIR {path}");
        let mut key = Key::new("directory");
        key.add("parent", [state.key.hex()]);
        key.add("path", [&path]);
        key.add("user", [&state.image.config.user]);
        let step = Step {
            key: key.finish(),
            command: text.clone(),
            history: text.clone(),
        };
        let pieces = state.pieces.clone();
        if path == "/" || self.is_directory(&step, &pieces, &path)? {
            let state = self.state_mut(index)?;
            state.image.config.working_dir = path;
            state.note(text, false);
            return Ok(true);
        }
        if !self.take_cached(index, &step)? {
            if !self.has_room() {
                return Ok(false);
            }
            if self.bring(&pieces)? {
                return self.workdir(index, word);
            }
            let work = self.engine.store.build_cache().begin()?;
            let user = self.state(index)?.image.config.user.clone();
            let ground = self.layers.ground(self.engine, &pieces);
            let started = step::workdir::start(self.engine, &work, &ground, &path, &user);
            let worker = self.or_discard(started, &work)?;
            // The owner of what is made is written on it.
            self.at_work(index, step, String::new(), work, worker, Vec::new());
        }
        self.state_mut(index)?.image.config.working_dir = path;
        Ok(true)
    }

    /// Throws a step's directory away when the step could not be started.
    pub(super) fn or_discard<T>(&self, started: Result<T>, work: &StepWork) -> Result<T> {
        if started.is_err() {
            let _ = self.engine.store.build_cache().discard(work.id.as_str());
        }
        started
    }

    /// Notes that a step of a stage is at work.
    pub(super) fn at_work(
        &mut self,
        index: usize,
        step: Step,
        user: String,
        work: StepWork,
        worker: crate::engine::worker::Worker<super::job::Answer>,
        pipes: Vec<(bool, std::io::PipeReader)>,
    ) {
        let vertex = self.name_vertex(index);
        self.progress.event(&Event::Started { vertex });
        self.stages[index].status = Status::Working;
        self.jobs.push(Job::Step(Box::new(StepJob {
            info: StepInfo {
                stage: index,
                vertex,
                work,
                key: step.key,
                command: step.command,
                history: step.history,
                user,
                kept: None,
            },
            worker,
            pipes,
        })));
    }

    /// Takes the result of a step from the cache; false when it is not there.
    pub(super) fn take_cached(&mut self, index: usize, step: &Step) -> Result<bool> {
        if self.request.no_cache || self.is_filtered(index) {
            return Ok(false);
        }
        let Some((record, away)) = self.known(index, step)? else {
            self.missed(index, step)?;
            return Ok(false);
        };
        let vertex = self.name_vertex(index);
        self.progress.event(&Event::Cached { vertex });
        if record.nothing {
            self.nothings.push(record);
            self.state_mut(index)?.note(step.history.clone(), false);
            return Ok(true);
        }
        let open = record.layer.is_none() && !away;
        let user = self.state(index)?.image.config.user.clone();
        let made = Made {
            record,
            dirty: false,
            user,
            owners: Vec::new(),
            away,
            sealed: None,
        };
        let layer = Layer::Step(Box::new(made));
        let (below, piece) = self.add(index, step.key.0, layer, step.history.clone());
        if open && self.keeps_layers(index) {
            self.unsealed.push((piece, below));
        }
        Ok(true)
    }

    /// Says why a result is not there, where that was asked: the inputs that are others than those
    /// of the last step with the same text.
    fn missed(&self, index: usize, step: &Step) -> Result<()> {
        if !self.request.why {
            return Ok(());
        }
        let text = self.stages[index].shown(self.file, self.graph.needed.len());
        let records = self.engine.store.build_cache().list()?;
        let same = records
            .into_iter()
            .filter(|(record, _)| record.text == text);
        let Some((last, _)) = same.max_by_key(|(_, used)| *used) else {
            let never = ["it was never built".to_owned()];
            self.progress.event(&Event::Missed {
                text: &text,
                inputs: &never,
            });
            return Ok(());
        };
        let differs = |(name, digest): &&(String, crate::common::Digest)| {
            !last
                .inputs
                .iter()
                .any(|(other, old)| other == name && old == digest)
        };
        let inputs: Vec<String> = step
            .key
            .1
            .iter()
            .filter(differs)
            .map(|(name, _)| name.clone())
            .collect();
        self.progress.event(&Event::Missed {
            text: &text,
            inputs: &inputs,
        });
        Ok(())
    }

    /// Whether `--no-cache-filter` names the stage.
    fn is_filtered(&self, index: usize) -> bool {
        let name = self.file.stages[index].name.as_ref();
        let named = |wanted: &String| {
            name.is_some_and(|name| name.raw.eq_ignore_ascii_case(wanted))
                || wanted.parse() == Ok(index)
        };
        self.request.no_cache_filter.iter().any(named)
    }
}

/// A record whose files are here for this identity mode; it is unpacked when its blob is.
pub(super) fn usable(engine: &Engine<'_>, mut record: CacheRecord) -> Result<Option<CacheRecord>> {
    if let Some(step) = &record.step {
        let there = engine.store.build_cache().result(step).is_dir();
        if there && record.mode == engine.mode {
            return Ok(Some(record));
        }
        record.step = None;
    }
    let Some(layer) = record.layer else {
        return Ok(Some(record).filter(|record| record.nothing));
    };
    if engine.store.layers().has(&layer.diff_id) {
        return Ok(Some(record));
    }
    let new = crate::archive::NewLayer {
        diff_id: layer.diff_id,
        digest: layer.blob,
        size: layer.blob_size,
    };
    match crate::engine::image::assemble::unpack(engine, &new) {
        Ok(()) => Ok(Some(record)),
        Err(error) => match error.downcast_ref::<crate::common::Error>() {
            Some(known) if known.kind() == ErrorKind::NotFound => Ok(None),
            _ => Err(error),
        },
    }
}
