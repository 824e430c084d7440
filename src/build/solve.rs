//! The coordinator: stages go on as far as they can, what works is in child processes, and what
//! ends lets others go on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::cache::{Gone, Imported};
use super::copying::Contexts;
use super::graph::{self, Graph};
use super::job::{Answer, Ended, Job, Jobs, SealJob, StepInfo};
use super::key::Key;
use super::layers::{Layer, Layers, Made};
use super::named::ImageAt;
use super::progress::{Event, Progress, StepFailure, Vertex};
use super::request::Request;
use super::stage::{Stage, Status};
use super::state::{Piece, State};
use crate::common::{Digest, Error, ExitStatus, Kind, Mode, Timestamp};
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::engine::container::Sealed;
use crate::engine::image::adopt::Adopted;
use crate::oci::Platform;
use crate::spec::config::Network;
use crate::store::{BuildPresence, CacheRecord, CachedLayer};

/// A build of one platform at work.
pub(super) struct Solver<'a> {
    /// Store and machine.
    pub(super) engine: &'a Engine<'a>,
    /// What was asked.
    pub(super) request: &'a Request,
    /// The Dockerfile.
    pub(super) file: &'a Dockerfile,
    /// Who is told.
    pub(super) progress: &'a dyn Progress,
    /// Its stages and what they need.
    pub(super) graph: Graph,
    /// The stages as far as they have come.
    pub(super) stages: Vec<Stage>,
    /// All layers.
    pub(super) layers: Layers,
    /// What is at work.
    pub(super) jobs: Jobs,
    /// Images that were found, by name and platform: each is asked for once.
    pub(super) images: BTreeMap<(ImageAt, String), Adopted>,
    /// The network of commands, once it is settled.
    pub(super) network: Option<Network>,
    /// Arguments that some `ARG` has named.
    pub(super) used_args: Vec<String>,
    /// Directories that files are taken from.
    pub(super) contexts: Contexts<'a>,
    /// Steps so far.
    pub(super) vertices: Vertex,
    /// What waits for a seal: the layer and what it lies on.
    pub(super) unsealed: Vec<(Piece, Vec<Piece>)>,
    /// Steps that came to nothing.
    pub(super) nothings: Vec<CacheRecord>,
    /// Digests of what was copied from layers, by the name of the question.
    pub(super) contents: BTreeMap<Digest, Digest>,
    /// Caches of others.
    pub(super) imported: &'a Imported<'a>,
    began: Timestamp,
    /// Steps at work at one time.
    limit: usize,
    /// Keeps others from moving results away.
    presence: &'a BuildPresence,
}

/// A stage at its end.
pub(super) struct Solved {
    /// Its state.
    pub(super) state: State,
    /// Its layers.
    pub(super) layers: Layers,
    /// Steps of it that came to nothing.
    pub(super) nothings: Vec<CacheRecord>,
    /// Digests of what was copied from layers.
    pub(super) contents: BTreeMap<Digest, Digest>,
    /// Arguments that some `ARG` has named.
    pub(super) used_args: Vec<String>,
    /// Images that it took files from, and their digests.
    pub(super) materials: Vec<(String, Digest)>,
    /// When it began.
    pub(super) began: Timestamp,
}

impl<'a> Solver<'a> {
    /// Reads the graph of a build for one platform.
    ///
    /// # Errors
    /// Those of [`graph::of`].
    pub(super) fn new(
        engine: &'a Engine<'a>,
        request: &'a Request,
        file: &'a Dockerfile,
        platform: &Platform,
        progress: &'a dyn Progress,
        presence: &'a BuildPresence,
        imported: &'a Imported<'a>,
    ) -> Result<Solver<'a>> {
        let target = request.target.as_deref();
        let graph = graph::of(
            file,
            target,
            platform,
            &request.build_args,
            &request.contexts,
        )?;
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Solver {
            engine,
            request,
            file,
            progress,
            stages: Stage::all(file, platform, request.platforms.len() > 1),
            graph,
            layers: Layers::default(),
            jobs: Jobs::default(),
            images: BTreeMap::new(),
            network: None,
            used_args: Vec::new(),
            contexts: Contexts::new(),
            vertices: 0,
            unsealed: Vec::new(),
            nothings: Vec::new(),
            contents: BTreeMap::new(),
            imported,
            began: Timestamp::now(),
            limit: request
                .jobs
                .filter(|jobs| *jobs > 0)
                .unwrap_or_else(processors),
            presence,
        })
    }

    /// Builds the target.
    ///
    /// # Errors
    /// `StepFailure` for a command that failed; what other steps gave. Finished steps are kept.
    ///
    /// [`Gone`] when the caches of others have less than they said: begun anew, it goes on from what
    /// is done.
    pub(super) fn solve(&mut self) -> Result<Solved> {
        if let Err(error) = self.run().and_then(|()| self.complete()) {
            if error.is::<Gone>() {
                self.finish_jobs()?;
            }
            self.give_up();
            let _ = self.keep_records(false);
            return Err(error);
        }
        self.settle()?;
        let target = self.graph.target;
        let state = self.stages[target].state.take();
        let state = state.context("the target has no state")?;
        Ok(Solved {
            state,
            layers: std::mem::take(&mut self.layers),
            nothings: std::mem::take(&mut self.nothings),
            contents: std::mem::take(&mut self.contents),
            used_args: std::mem::take(&mut self.used_args),
            materials: materials(&self.images),
            began: self.began,
        })
    }

    fn run(&mut self) -> Result<()> {
        loop {
            while self.advance_all()? {}
            self.start_seals()?;
            let done = self.stages[self.graph.target].status == Status::Done;
            if done && self.unsealed.is_empty() && self.jobs.seals() == 0 && self.jobs.steps() == 0
            {
                return Ok(());
            }
            let ended = self.jobs.wait(self.engine, self.progress)?;
            if ended.is_empty() && self.jobs.steps() + self.jobs.seals() == 0 {
                return Err(Error::new(Kind::Bug, "build", "")
                    .because("no stage can go on")
                    .into());
            }
            for end in ended {
                self.ended(end)?;
            }
        }
    }

    /// Lets every stage go on; whether any did.
    fn advance_all(&mut self) -> Result<bool> {
        let mut moved = false;
        let needed: Vec<usize> = self.graph.needed.iter().copied().collect();
        for stage in needed {
            while self.stages[stage].status == Status::Ready && self.advance(stage)? {
                moved = true;
            }
        }
        Ok(moved)
    }

    /// Whether another step may begin.
    pub(super) fn has_room(&self) -> bool {
        self.jobs.steps() < self.limit
    }

    /// Begins to seal layers as far as there is room.
    fn start_seals(&mut self) -> Result<()> {
        while self.jobs.seals() < self.limit && !self.unsealed.is_empty() {
            let (piece, below) = self.unsealed.remove(0);
            self.seal(piece, &below, None)?;
        }
        Ok(())
    }

    pub(super) fn seal(
        &mut self,
        piece: Piece,
        below: &[Piece],
        stage: Option<usize>,
    ) -> Result<()> {
        self.bring(below)?;
        if let Some(unsealed) = self.layers.unsealed(self.engine, piece, below) {
            let worker = crate::engine::container::seal(self.engine, unsealed)?;
            self.jobs.push(Job::Seal(SealJob {
                piece,
                worker,
                stage,
            }));
        }
        Ok(())
    }

    pub(super) fn ended(&mut self, end: Ended) -> Result<()> {
        match end {
            Ended::Step(info, answer) => self.step_ended(*info, answer),
            Ended::Seal(piece, stage, sealed) => {
                self.sealed(piece, sealed?);
                if let Some(stage) = stage {
                    // With one id, only an unpacked layer says whose its files are.
                    self.settle_one(piece, false)?;
                    self.stages[stage].status = Status::Ready;
                }
                Ok(())
            }
        }
    }

    /// Notes the digests of a layer.
    pub(super) fn sealed(&mut self, piece: Piece, sealed: Sealed) {
        if let Some(made) = self.layers.made_mut(piece) {
            made.sealed = Some(sealed);
            made.record.layer = Some(cached(&sealed));
            made.dirty = true;
        }
    }

    fn step_ended(&mut self, info: StepInfo, answer: Result<Answer>) -> Result<()> {
        let cache = self.engine.store.build_cache();
        let owners = match answer {
            Ok(Answer::Ended(ExitStatus::Code(0))) => Vec::new(),
            Ok(Answer::Made(owners)) => owners,
            Ok(Answer::Changed) => return self.begin_again(&info),
            Ok(Answer::Nothing) => {
                cache.discard(info.work.id.as_str())?;
                let record = self.record(&info, None);
                cache.put(&record)?;
                self.nothings.push(record);
                self.progress.event(&Event::Done {
                    vertex: info.vertex,
                });
                let stage = &mut self.stages[info.stage];
                stage.status = Status::Ready;
                if let Some(state) = &mut stage.state {
                    state.note(info.history, false);
                }
                return Ok(());
            }
            failed => {
                let error = self.failure(&info, failed);
                if error.is::<StepFailure>() {
                    self.look_into(&info);
                }
                let _ = cache.discard(info.work.id.as_str());
                return Err(error);
            }
        };
        let step = cache.keep(&info.work)?;
        let key = info.key.0;
        let record = self.record(&info, Some(step));
        cache.put(&record)?;
        self.progress.event(&Event::Done {
            vertex: info.vertex,
        });
        let user = info.user.as_str();
        let by_other = self.engine.mode == Mode::Single
            && (!matches!(user, "" | "0" | "root") || !owners.is_empty());
        let made = Made {
            record,
            dirty: false,
            user: info.user,
            owners,
            away: false,
            sealed: None,
        };
        let below = self.add(info.stage, key, Layer::Step(Box::new(made)), info.history);
        self.stages[info.stage].status = Status::Ready;
        let piece = below.1;
        if by_other {
            self.stages[info.stage].status = Status::Working;
            self.seal(piece, &below.0, Some(info.stage))?;
        } else if self.keeps_layers(info.stage) {
            self.unsealed.push((piece, below.0));
        }
        Ok(())
    }

    /// The record of a step that has ended.
    fn record(&self, info: &StepInfo, step: Option<String>) -> CacheRecord {
        let (key, inputs) = info.key.clone();
        CacheRecord {
            text: self.stages[info.stage].shown(self.file, self.graph.needed.len()),
            inputs,
            nothing: step.is_none(),
            step,
            ..CacheRecord::new(key, self.now(), self.engine.mode)
        }
    }

    /// Puts a layer on a stage; what it lies on and its number.
    pub(super) fn add(
        &mut self,
        stage: usize,
        key: Digest,
        layer: Layer,
        history: String,
    ) -> (Vec<Piece>, Piece) {
        let piece = self.layers.push(layer);
        let mut below = Vec::new();
        let created = self.layers.created(piece);
        if let Some(state) = &mut self.stages[stage].state {
            below.clone_from(&state.pieces);
            state.pieces.push(piece);
            // A step's own key may not know what it lies on (`--link`).
            let mut chained = Key::new("layer");
            chained.add("parent", [state.key.hex()]);
            chained.add("step", [key.hex()]);
            state.key = chained.finish().0;
            state.note(history, true);
            if let (Some(line), Some(created)) = (state.image.history.last_mut(), created) {
                line.created = Some(created.to_string());
            }
        }
        (below, piece)
    }

    /// The time of what is made now.
    pub(super) fn now(&self) -> Timestamp {
        match self.request.epoch {
            Some(seconds) => Timestamp(i128::from(seconds) * 1_000_000_000),
            None => Timestamp::now(),
        }
    }

    /// Moves the layers of the target among the store's.
    fn settle(&mut self) -> Result<()> {
        let steps = self.layers.steps();
        let open = |piece: &Piece| matches!(self.layers.get(*piece), Layer::Step(made) if made.record.step.is_some() && made.record.layer.is_some());
        let open: Vec<Piece> = steps.into_iter().filter(open).collect();
        if !open.is_empty() {
            let alone = self.presence.alone();
            for piece in open {
                self.settle_one(piece, alone)?;
            }
            self.presence.again()?;
        }
        Ok(())
    }

    /// Makes a sealed layer one of the store's. With `alone`, its directory goes.
    fn settle_one(&mut self, piece: Piece, alone: bool) -> Result<()> {
        let cache = self.engine.store.build_cache();
        let Some(made) = self.layers.made_mut(piece) else {
            return Ok(());
        };
        let (Some(layer), Some(step)) = (made.record.layer, made.record.step.clone()) else {
            return Ok(());
        };
        let sealed = made.sealed.unwrap_or_else(|| known(&layer));
        let movable = alone && made.sealed.is_some();
        crate::engine::container::settle(self.engine, &cache.result(&step), &sealed, movable)?;
        made.record.step = None;
        // The record first: it never names what is not there.
        cache.put(&made.record)?;
        made.dirty = true;
        if alone {
            cache.discard(&step)?;
        }
        Ok(())
    }

    /// Writes what has become known of steps.
    fn keep_records(&mut self, synced: bool) -> Result<()> {
        for piece in self.layers.steps() {
            if let Some(made) = self.layers.made_mut(piece)
                && made.dirty
            {
                made.record.synced |= synced;
                made.dirty = false;
                self.engine.store.build_cache().put(&made.record)?;
            }
        }
        Ok(())
    }
}

impl Solved {
    /// Notes that everything is on the disk for good.
    pub(super) fn synced(&mut self, engine: &Engine<'_>) -> Result<()> {
        for piece in self.layers.steps() {
            if let Some(made) = self.layers.made_mut(piece)
                && !made.record.synced
            {
                made.record.synced = true;
                engine.store.build_cache().put(&made.record)?;
            }
        }
        Ok(())
    }
}

/// Each image under the digest that its name stood for.
fn materials(images: &BTreeMap<(ImageAt, String), Adopted>) -> Vec<(String, Digest)> {
    let images = images.iter();
    images
        .map(|((image, _), found)| (image.to_string(), found.digest))
        .collect()
}

fn cached(sealed: &Sealed) -> CachedLayer {
    CachedLayer {
        diff_id: sealed.layer.diff_id,
        blob: sealed.layer.digest,
        blob_size: sealed.layer.size,
        size: sealed.size,
    }
}

/// As much of a seal as a record keeps.
fn known(layer: &CachedLayer) -> Sealed {
    Sealed {
        layer: crate::archive::NewLayer {
            diff_id: layer.diff_id,
            digest: layer.blob,
            size: layer.blob_size,
        },
        size: layer.size,
        files: 0,
        disk: 0,
    }
}
