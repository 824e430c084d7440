//! One stage on its way: instruction by instruction, from the cache where it knows the result.

use anyhow::{Context, Result};

use super::graph::Base;
use super::key::Key;
use super::layers::Layer;
use super::named::ImageAt;
use super::progress::{Event, Vertex};
use super::solve::Solver;
use super::state::State;
use crate::common::{Digest, Error};
use crate::dockerfile::{self, Dockerfile, Instruction, Kind};
use crate::engine::container::{RunRequest, base_image};
use crate::engine::image::adopt::{Adopted, adopt};
use crate::oci::{ImageConfig, Platform, RootFs};

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
    pub(super) instructions: Vec<Instruction>,
    /// The next one.
    pub(super) next: usize,
    /// It has set a command of its own.
    pub(super) cmd_set: bool,
    /// The platform it is built for, where there are several.
    label: String,
    /// How often its step began anew because files changed.
    pub(super) restarts: u32,
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
    /// All stages of a file; with `labelled`, their steps tell the platform.
    pub(super) fn all(file: &Dockerfile, platform: &Platform, labelled: bool) -> Vec<Stage> {
        let label = match labelled {
            true => format!("{platform} "),
            false => String::new(),
        };
        let stages = file.stages.iter();
        stages.map(|stage| Stage::new(stage, &label)).collect()
    }

    /// At its beginning.
    fn new(stage: &dockerfile::Stage, label: &str) -> Stage {
        Stage {
            index: stage.index,
            status: Status::Ready,
            state: None,
            instructions: stage.instructions.clone(),
            next: 0,
            cmd_set: false,
            label: label.to_owned(),
            restarts: 0,
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
        let label = &self.label;
        format!("[{label}{name}{at}/{total}] {source}")
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
                // Its arguments come with it, as BuildKit has it.
                state.context("a stage without a state")?
            }
            Base::Image(image) => self.begin_with_image(image, &node.platform)?,
            Base::Context(_) => self.scratch(&node.platform),
        };
        state.set_path();
        let vertex = self.name_vertex(index);
        self.progress.event(&Event::Started { vertex });
        self.progress.event(&Event::Done { vertex });
        let triggers = std::mem::take(&mut state.image.config.on_build);
        if triggers.len() > dockerfile::MAX_INSTRUCTIONS {
            let why = format!("it has {} triggers (ONBUILD)", triggers.len());
            return Err(Error::usage("begin with image", "", why).into());
        }
        let mut instructions = Vec::new();
        if let Base::Context(name) = &node.base {
            let text = format!("COPY --from={name} / /");
            instructions.push(dockerfile::parse_trigger(&text)?);
        }
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
        let mut image = ImageConfig {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            rootfs: RootFs {
                kind: "layers".to_owned(),
                diff_ids: Vec::new(),
            },
            ..ImageConfig::default()
        };
        image.config.working_dir = "/".to_owned();
        State {
            image,
            pieces: Vec::new(),
            base_layers: 0,
            base_history: 0,
            key: key.finish().0,
            args: Vec::new(),
            platform: platform.clone(),
            escape: self.file.directives.escape,
            noted: 0,
        }
    }

    /// Finds or fetches an image, once in a build.
    pub(super) fn image(&mut self, image: &ImageAt, platform: &Platform) -> Result<Adopted> {
        let place = (image.clone(), platform.to_string());
        if let Some(found) = self.images.get(&place) {
            return Ok(found.clone());
        }
        let found = match image {
            ImageAt::Layout(entry) => adopt(self.engine, entry, platform)?,
            ImageAt::Name(name) => {
                let request = RunRequest {
                    image: name.clone(),
                    pull: self.request.pull,
                    platform: (*platform != Platform::host()).then(|| platform.clone()),
                    registry: self.request.registry.clone(),
                    ..RunRequest::default()
                };
                let (record, config) = base_image(self.engine, &request)?;
                Adopted {
                    digest: record.index.unwrap_or(record.manifest),
                    manifest: self.engine.store.documents(&record)?.manifest,
                    config,
                }
            }
        };
        self.images.insert(place, found.clone());
        Ok(found)
    }

    /// A stage that begins at an image.
    pub(super) fn begin_with_image(
        &mut self,
        image: &ImageAt,
        platform: &Platform,
    ) -> Result<State> {
        let found = self.image(image, platform)?;
        let image = found.config;
        let mut pieces = Vec::new();
        let diff_ids = image.rootfs.diff_ids.clone();
        for (diff_id, blob) in diff_ids.iter().copied().zip(found.manifest.layers) {
            pieces.push(self.layers.push(Layer::Image {
                diff_id,
                blob: Box::new(blob),
            }));
        }
        let mut key = Key::new("image");
        key.add("layers", diff_ids.iter().map(Digest::hex));
        Ok(State {
            base_layers: pieces.len(),
            base_history: image.history.len(),
            image: ImageConfig {
                // It speaks of how the base was made.
                build_cache: None,
                ..image
            },
            pieces,
            key: key.finish().0,
            args: Vec::new(),
            platform: platform.clone(),
            escape: self.file.directives.escape,
            noted: 0,
        })
    }

    /// Adds the stages that an instruction takes files from to those that are built.
    fn need_stages(&mut self, index: usize, instruction: &Instruction) -> Result<()> {
        for name in super::graph::from_names(instruction) {
            if let super::graph::From::Stage(stage) =
                super::graph::from(self.file, name, index, &self.request.contexts)?
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
        self.progress.event(&Event::Named {
            vertex,
            name: &name,
        });
        vertex
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
