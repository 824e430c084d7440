//! `COPY` and `ADD`: the child that reads sources and writes the layer.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;

use crate::build::context::index::Index;
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
    /// A directory that is open here: a context, with the index that its digest was found by.
    Open(Rc<Tree>, Option<Rc<Index>>),
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
    /// Digest of what is selected, where that can change meanwhile.
    pub(in crate::build) digest: Option<Digest>,
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

impl Plan {
    /// Everything that is at an absolute path of one tree, at the top of the result.
    pub(in crate::build) fn whole(origin: Origin, source: &str) -> Plan {
        let from = From {
            origin,
            sources: vec![source.to_owned()],
            options: Options::default(),
            unpack: false,
            digest: None,
        };
        Plan {
            from: vec![from],
            documents: Vec::new(),
            destination: "/".to_owned(),
            chown: None,
            chmod: None,
            link: true,
            epoch: None,
        }
    }

    /// Carries it out in a directory of its own, which the caller has to discard.
    ///
    /// # Errors
    /// What copying gave; nothing is left then.
    pub(in crate::build) fn carry_out(&self, engine: &Engine<'_>) -> Result<StepWork> {
        let cache = engine.store.build_cache();
        let work = cache.begin()?;
        let done = start(engine, &work, &Ground::default(), self);
        match done.and_then(|worker| worker.finish(engine)) {
            Ok(_) => Ok(work),
            Err(error) => {
                cache.discard(work.id.as_str())?;
                Err(error)
            }
        }
    }
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
            Origin::Open(tree, _) => tree,
            Origin::Layers(ground) => {
                mounted = layers(engine, work, ground, index)?;
                &mounted
            }
        };
        let selection = select(tree, &from.sources, &from.options)?;
        writer.write(&selection, several)?;
        if has_changed(from, tree)? {
            return Ok(Answer::Changed);
        }
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

/// Whether sources are not any more what their digest, and so the key, says.
fn has_changed(from: &From, tree: &Tree) -> Result<bool> {
    let (Some(digest), Origin::Open(_, index)) = (from.digest, &from.origin) else {
        return Ok(false);
    };
    let selection = select(tree, &from.sources, &from.options)?;
    Ok(selection.digest(index.as_deref())? != digest)
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
