//! One stage on its way: instruction by instruction, from the cache where it knows the result.

use anyhow::{Context, Result};

use super::config;
use super::graph::Base;
use super::job::{Job, StepInfo, StepJob};
use super::key::Key;
use super::layers::{Layer, Made};
use super::progress::{Event, Vertex};
use super::solve::Solver;
use super::state::State;
use super::step;
use crate::common::{Digest, Kind as ErrorKind};
use crate::dockerfile::{self, Dockerfile, Instruction, Kind, Run, Word};
use crate::engine::Engine;
use crate::engine::container::{RunRequest, base_image};
use crate::oci::{ImageConfig, Platform, RootFs};
use crate::store::{CacheRecord, Stage as LayerStage, StepWork};

/// Whether a stage can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It can.
    Ready,
    /// Its step is at work.
    Working,
    /// It has come to its end.
    Done,
}

/// A stage of the build.
#[derive(Debug)]
pub(super) struct Stage {
    index: usize,
    /// Whether it can go on.
    pub(super) status: Status,
    /// How far its image is; `None` before its base is known.
    pub(super) state: Option<State>,
    /// Triggers of its base, then its own instructions.
    instructions: Vec<Instruction>,
    /// The next one.
    next: usize,
    /// It has set a command of its own.
    cmd_set: bool,
}

/// A step as the cache and progress know it.
pub(super) struct Step {
    /// Its key and what that is made of.
    pub(super) key: (Digest, Vec<(String, Digest)>),
    /// As docker cites it in errors.
    pub(super) command: String,
    /// Line of the history.
    pub(super) history: String,
}

impl Stage {
    /// At its beginning.
    pub(super) fn new(stage: &dockerfile::Stage) -> Stage {
        Stage {
            index: stage.index,
            status: Status::Ready,
            state: None,
            instructions: stage.instructions.clone(),
            next: 0,
            cmd_set: false,
        }
    }

    /// The instruction it is at, as progress shows it: `[name 2/5] RUN make`.
    pub(super) fn shown(&self, file: &Dockerfile, stages: usize) -> String {
        let source = match self.instructions.get(self.next.saturating_sub(1)) {
            Some(instruction) if self.next > 0 => &instruction.source,
            _ => &file.stages[self.index].source,
        };
        let works = |instruction: &&Instruction| {
            matches!(
                instruction.kind,
                Kind::Run(_) | Kind::Copy(_) | Kind::Add(_) | Kind::Workdir(_)
            )
        };
        let total = 1 + self.instructions.iter().filter(works).count();
        let at = 1 + self.instructions[..self.next].iter().filter(works).count();
        let name = match &file.stages[self.index].name {
            Some(name) => format!("{} ", name.raw),
            None if stages > 1 => format!("stage-{} ", self.index),
            None => String::new(),
        };
        format!("[{name}{at}/{total}] {source}")
    }

    fn span(&self, file: &Dockerfile) -> dockerfile::Span {
        match self.instructions.get(self.next.saturating_sub(1)) {
            Some(instruction) if self.next > 0 => instruction.span,
            _ => file.stages[self.index].span,
        }
    }

    /// The lines around the instruction it is at.
    pub(super) fn excerpt(&self, file: &Dockerfile) -> String {
        file.excerpt(self.span(file))
    }

    /// Where it is in the file, for errors.
    pub(super) fn cited(&self, file: &Dockerfile) -> String {
        format!("{}:{}", file.name, self.span(file).line)
    }
}

impl Solver<'_> {
    /// Lets a stage take one step; false when it has to wait for something.
    pub(super) fn advance(&mut self, index: usize) -> Result<bool> {
        let went = match &self.stages[index].state {
            None => self.begin(index),
            Some(_) => self.instruction(index),
        };
        went.map_err(|error| match error.is::<super::progress::StepFailure>() {
            true => error,
            false => error.context(self.stages[index].cited(self.file)),
        })
    }

    /// Finds what a stage starts from.
    fn begin(&mut self, index: usize) -> Result<bool> {
        let node = self.graph.nodes[index].clone();
        let mut state = match &node.base {
            Base::Scratch => self.scratch(&node.platform),
            Base::Stage(below) => {
                if self.stages[*below].status != Status::Done {
                    return Ok(false);
                }
                let state = self.stages[*below].state.clone();
                let mut state = state.context("a stage without a state")?;
                state.args.clear();
                state
            }
            Base::Image(name) => self.from_image(name, &node.platform)?,
        };
        let vertex = self.name_vertex(index);
        self.progress.event(&Event::Started { vertex });
        self.progress.event(&Event::Done { vertex });
        let triggers = std::mem::take(&mut state.image.config.on_build);
        let mut instructions = Vec::new();
        for text in &triggers {
            instructions.push(dockerfile::parse_trigger(text)?);
        }
        for instruction in &instructions {
            self.need_stages(index, instruction)?;
        }
        let stage = &mut self.stages[index];
        instructions.append(&mut stage.instructions);
        stage.instructions = instructions;
        stage.state = Some(state);
        Ok(true)
    }

    fn scratch(&self, platform: &Platform) -> State {
        let mut key = Key::new("scratch");
        key.add("platform", [platform.to_string()]);
        State {
            image: ImageConfig {
                architecture: platform.architecture.clone(),
                os: platform.os.clone(),
                variant: platform.variant.clone(),
                rootfs: RootFs {
                    kind: "layers".to_owned(),
                    diff_ids: Vec::new(),
                },
                ..ImageConfig::default()
            },
            pieces: Vec::new(),
            key: key.finish().0,
            args: Vec::new(),
            platform: platform.clone(),
            escape: self.file.directives.escape,
        }
    }

    /// Finds or fetches an image, once in a build.
    pub(super) fn image(
        &mut self,
        name: &str,
        platform: &Platform,
    ) -> Result<(crate::store::ImageRecord, ImageConfig)> {
        let place = (name.to_owned(), platform.to_string());
        if let Some(found) = self.images.get(&place) {
            return Ok(found.clone());
        }
        let request = RunRequest {
            image: name.to_owned(),
            pull: self.request.pull,
            platform: (*platform != Platform::host()).then(|| platform.clone()),
            registry: self.request.registry.clone(),
            ..RunRequest::default()
        };
        let found = base_image(self.engine, &request)?;
        self.images.insert(place, found.clone());
        Ok(found)
    }

    fn from_image(&mut self, name: &str, platform: &Platform) -> Result<State> {
        let (record, image) = self.image(name, platform)?;
        let documents = self.engine.store.documents(&record)?;
        let mut pieces = Vec::new();
        let layers = record.layers.iter().zip(documents.manifest.layers);
        for (diff_id, blob) in layers {
            let diff_id = *diff_id;
            pieces.push(self.layers.push(Layer::Image { diff_id, blob }));
        }
        let mut key = Key::new("image");
        key.add("layers", record.layers.iter().map(Digest::hex));
        Ok(State {
            image,
            pieces,
            key: key.finish().0,
            args: Vec::new(),
            platform: platform.clone(),
            escape: self.file.directives.escape,
        })
    }

    /// Adds the stages that an instruction takes files from to those that are built.
    fn need_stages(&mut self, index: usize, instruction: &Instruction) -> Result<()> {
        let contexts: Vec<String> = self.request.contexts.iter().map(|c| c.0.clone()).collect();
        for name in super::graph::from_names(instruction) {
            if let super::graph::From::Stage(stage) =
                super::graph::from(self.file, name, index, &contexts)?
            {
                self.graph.need(stage);
            }
        }
        Ok(())
    }

    /// Shows the step that a stage is at.
    pub(super) fn name_vertex(&mut self, index: usize) -> Vertex {
        let vertex = self.vertices;
        self.vertices += 1;
        let name = self.stages[index].shown(self.file, self.graph.needed.len());
        self.progress.event(&Event::Named { vertex, name: &name });
        vertex
    }

    /// Does the next instruction of a stage.
    fn instruction(&mut self, index: usize) -> Result<bool> {
        let stage = &mut self.stages[index];
        let Some(instruction) = stage.instructions.get(stage.next).cloned() else {
            stage.status = Status::Done;
            return Ok(true);
        };
        stage.next += 1;
        let went = match &instruction.kind {
            Kind::Run(run) => self.run_instruction(index, &instruction, run),
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
        Ok(went)
    }

    /// A stage that has begun.
    pub(super) fn state(&self, index: usize) -> Result<&State> {
        self.stages[index].state.as_ref().context("a stage without a state")
    }

    fn state_mut(&mut self, index: usize) -> Result<&mut State> {
        self.stages[index].state.as_mut().context("a stage without a state")
    }

    /// `ARG`: what was given, else the default, else what the file's head says.
    fn arg(&mut self, index: usize, args: &[(Word, Option<Word>)]) -> Result<()> {
        let mut text = "ARG".to_owned();
        for (name, default) in args {
            let state = self.state(index)?;
            let name = state.expand(name)?;
            let mut given = self.request.build_args.iter().rev();
            let given = given.find(|(key, _)| *key == name).map(|(_, value)| value.clone());
            let default = default.as_ref().map(|word| state.expand(word)).transpose()?;
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

    fn run_instruction(
        &mut self,
        index: usize,
        instruction: &Instruction,
        run: &Run,
    ) -> Result<bool> {
        let prepared = step::run::prepare(self, index, instruction, run)?;
        let Some(prepared) = prepared else {
            return Ok(false);
        };
        if self.from_cache(index, &prepared.step)? {
            return Ok(true);
        }
        if !self.has_room() {
            return Ok(false);
        }
        let work = self.engine.store.build_cache().begin()?;
        let state = self.state(index)?;
        let (user, image) = (state.image.config.user.clone(), state.image.config.clone());
        let ground = self.layers.ground(self.engine, &state.pieces);
        let step = prepared.step;
        let command = step::run::Command {
            work: &work,
            ground,
            image: &image,
            config: prepared.config,
            secrets: prepared.secrets,
            cleared: prepared.cleared,
        };
        let started = step::run::start(self.engine, command);
        let (worker, pipes) = self.or_discard(started, &work)?;
        self.at_work(index, step, user, work, worker, pipes);
        Ok(true)
    }

    fn workdir(&mut self, index: usize, path: &Word) -> Result<bool> {
        let state = self.state(index)?;
        let path = absolute(state.workdir(), &state.expand(path)?);
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
        if path == "/" || step::workdir::is_there(self.engine, &self.layers, &pieces, &path) {
            let state = self.state_mut(index)?;
            state.image.config.working_dir = path;
            state.note(text, false);
            return Ok(true);
        }
        if !self.from_cache(index, &step)? {
            if !self.has_room() {
                return Ok(false);
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
            },
            worker,
            pipes,
        })));
    }

    /// Takes the result of a step from the cache; false when it is not there.
    pub(super) fn from_cache(&mut self, index: usize, step: &Step) -> Result<bool> {
        if self.request.no_cache || self.is_filtered(index) {
            return Ok(false);
        }
        let cache = self.engine.store.build_cache();
        let Some(record) = cache.find(&step.key.0)? else {
            return Ok(false);
        };
        let Some(record) = usable(self.engine, record)? else {
            return Ok(false);
        };
        cache.touch(&record.key);
        let vertex = self.name_vertex(index);
        self.progress.event(&Event::Cached { vertex });
        if record.nothing {
            self.state_mut(index)?.note(step.history.clone(), false);
            return Ok(true);
        }
        let open = record.layer.is_none();
        let user = self.state(index)?.image.config.user.clone();
        let made = Made {
            record,
            dirty: false,
            user,
            owners: Vec::new(),
            sealed: None,
        };
        let layer = Layer::Step(Box::new(made));
        let (below, piece) = self.add(index, step.key.0, layer, step.history.clone());
        if open && self.graph.exported.contains(&index) {
            self.unsealed.push((piece, below));
        }
        Ok(true)
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
fn usable(engine: &Engine<'_>, mut record: CacheRecord) -> Result<Option<CacheRecord>> {
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

/// A path from a working directory, without `.` and `..`.
pub(super) fn absolute(workdir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = match path.starts_with('/') {
        true => "",
        false => workdir,
    };
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
