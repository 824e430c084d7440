//! `COPY` and `ADD`: the child that reads sources and writes the layer.

use std::path::PathBuf;

use anyhow::Result;

use crate::build::copy::{
    Chmod, Document, Options, Owners, Target, Tree, WriteOptions, Writer, owner, select,
};
use crate::build::job::Answer;
use crate::common::Digest;
use crate::engine::Engine;
use crate::engine::container::{Ground, in_step, mount_apart};
use crate::engine::worker::Worker;
use crate::store::StepWork;
use crate::sys::path::Root;

/// Where sources are.
#[derive(Debug, Clone)]
pub(in crate::build) enum Origin {
    /// A directory that is open here: a context.
    Open(std::rc::Rc<Tree>),
    /// Layers, which are mounted first.
    Layers(Ground),
}

/// Sources of one kind.
#[derive(Debug, Clone)]
pub(in crate::build) struct From {
    /// Where they are.
    pub(in crate::build) origin: Origin,
    /// What is copied.
    pub(in crate::build) sources: Vec<String>,
    /// How that is selected.
    pub(in crate::build) options: Options,
    /// Local archives are unpacked.
    pub(in crate::build) unpack: bool,
}

/// A whole instruction, expanded.
#[derive(Debug, Clone)]
pub(in crate::build) struct Plan {
    /// What comes from trees, in order.
    pub(in crate::build) from: Vec<From>,
    /// What is at hand.
    pub(in crate::build) documents: Vec<Document>,
    /// Absolute destination; ends in `/` where it has to be a directory.
    pub(in crate::build) destination: String,
    /// `--chown`.
    pub(in crate::build) chown: Option<String>,
    /// `--chmod`.
    pub(in crate::build) chmod: Option<Chmod>,
    /// The layer does not look at what is below it.
    pub(in crate::build) link: bool,
    /// Time of what no source has.
    pub(in crate::build) epoch: Option<i64>,
}

/// Starts writing the layer.
///
/// # Errors
/// What making the process gave.
pub(in crate::build) fn start(
    engine: &Engine<'_>,
    work: &StepWork,
    ground: &Ground,
    plan: &Plan,
) -> Result<Worker<Answer>> {
    in_step(engine, work, ground, |root| write(engine, work, root, plan))
}

fn write(engine: &Engine<'_>, work: &StepWork, root: &Root, plan: &Plan) -> Result<Answer> {
    let chown = plan.chown.as_deref();
    let chown = chown.map(|text| owner::resolve(root, text)).transpose()?;
    let count: usize = plan.from.iter().map(|from| from.sources.len()).sum();
    let several = count + plan.documents.len() > 1;
    let target = Target {
        root,
        mode: engine.mode,
    };
    let options = |unpack| WriteOptions {
        destination: plan.destination.clone(),
        chown,
        chmod: plan.chmod.clone(),
        unpack,
        replace: plan.link,
        epoch: plan.epoch,
    };
    let mut owners: Vec<(PathBuf, String)> = Vec::new();
    for (index, from) in plan.from.iter().enumerate() {
        let options = options(from.unpack);
        let mut writer = Writer::new(target, &options);
        let mounted;
        let tree = match &from.origin {
            Origin::Open(tree) => tree,
            Origin::Layers(ground) => {
                mounted = layers(engine, work, ground, index)?;
                &mounted
            }
        };
        writer.write(&select(tree, &from.sources, &from.options)?, several)?;
        owners.extend(writer.finish());
    }
    let options = options(false);
    let mut writer = Writer::new(target, &options);
    for document in &plan.documents {
        writer.document(document, several)?;
    }
    owners.extend(writer.finish());
    Ok(Answer::Made(owners))
}

/// Mounts layers as a tree to copy from.
fn layers(engine: &Engine<'_>, work: &StepWork, ground: &Ground, index: usize) -> Result<Tree> {
    let place = work.dir.path().join(format!("source-{index}"));
    let root = mount_apart(engine, &place, ground)?;
    Ok(of_stage(engine, root))
}

fn of_stage(engine: &Engine<'_>, root: Root) -> Tree {
    Tree {
        root,
        ignore: Default::default(),
        owners: Owners::of(engine.mode),
    }
}

/// The digest of what is selected from layers, found by a child in which they are mounted.
///
/// # Errors
/// `NotFound` for a source that is not there.
pub(in crate::build) fn digest_of_layers(
    engine: &Engine<'_>,
    work: &StepWork,
    ground: &Ground,
    sources: &[String],
    options: &Options,
) -> Result<Digest> {
    let worker = in_step(engine, work, ground, |root| {
        let root = Root::from_fd(
            root.as_fd()
                .try_clone_to_owned()
                .map_err(|error| crate::common::Error::io("open", "/", error))?,
        );
        let tree = of_stage(engine, root);
        Ok(select(&tree, sources, options)?.digest(None)?)
    })?;
    worker.finish(engine)
}
