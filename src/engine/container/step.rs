//! A step of a build as a container: nobody lists it, it has no name and no record, and what it
//! wrote outlives it.

use std::fs::Metadata;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::asked::{Asked, ImageFacts};
use super::create::Prepared;
use super::launch::launch;
use super::lower::Lower;
use super::{RunRequest, image, network, plan, userns};
use crate::common::{Error, ExitStatus, Mode, Timestamp};
use crate::engine::worker::Worker;
use crate::engine::{Engine, identity};
use crate::oci::{ContainerConfig, ImageConfig};
use crate::runtime::{self, Attendance, Overlay, Rootfs, SecretFile};
use crate::spec::config::{Config, Network};
use crate::store::{ContainerRecord, ImageRecord, StepWork};
use crate::sys::file;
use crate::sys::path::Root;
use crate::sys::signal::Signals;

/// What a step stands on: layers, topmost first, each a path that is absolute or below the
/// directory of unpacked layers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// The layers.
    pub(crate) layers: Vec<PathBuf>,
    /// Directories that the step's own layer has to show, see [`Overlay::folders`].
    pub(crate) folders: Vec<(PathBuf, PathBuf)>,
}

/// One command to run.
#[derive(Debug)]
pub(crate) struct StepRun<'a> {
    /// Its directory.
    pub(crate) work: &'a StepWork,
    /// What it stands on.
    pub(crate) ground: &'a Ground,
    /// The stage's configuration: environment, user, directory.
    pub(crate) image: &'a ContainerConfig,
    /// The command, its mounts, its network, as settled by [`settle_network`].
    pub(crate) config: &'a Config,
    /// Files that are in memory only.
    pub(crate) secrets: Vec<SecretFile>,
    /// A command has run in the directory before.
    pub(crate) again: bool,
}

/// Finds or fetches an image to build on, as `run` does.
///
/// # Errors
/// Those of a pull; `NotFound` for one that may not be fetched.
pub(crate) fn base_image(
    engine: &Engine<'_>,
    request: &RunRequest,
) -> Result<(ImageRecord, ImageConfig)> {
    match image::find(engine, request)? {
        image::Source::Image(record, config) => Ok((*record, *config)),
        image::Source::Directory(path) => {
            Err(Error::usage("use image", path.display().to_string(), "a directory").into())
        }
    }
}

/// Settles what the commands of a build get where nothing was asked, once for all of them.
pub(crate) fn settle_network(engine: &Engine<'_>, wanted: &mut Network) -> Result<()> {
    network::choose(engine, wanted)?;
    crate::engine::network::settle(engine, wanted)
}

/// Runs a command and waits for its end; with a terminal, that is shown on the caller's. The
/// caller is a process of its own for it.
///
/// # Errors
/// `RunFailure` with docker's exit code when it could not be started.
pub(crate) fn run_step(
    engine: &Engine<'_>,
    step: StepRun<'_>,
    streams: [Option<BorrowedFd<'_>>; 3],
) -> Result<ExitStatus> {
    let config = step.config;
    config.resources.limits.check()?;
    let maps = userns::choose(engine, config)?.maps;
    let asked = Asked {
        remove: true,
        remove_image: false,
        maps: maps.as_ref().map_or(Value::Null, userns::to_json),
        image: ImageFacts::default(),
        stack: Default::default(),
        command_line: Vec::new(),
        config: config.clone(),
    };
    let record = ContainerRecord {
        id: step.work.id.clone(),
        name: step.work.id.short().to_owned(),
        created: Timestamp::now(),
        image: String::new(),
        manifest: None,
        config: None,
        layers: Vec::new(),
        mounted: Vec::new(),
        mode: engine.mode,
        rootfs: None,
        labels: Default::default(),
        command: config.process.args.clone(),
        asked: serde_json::to_value(&asked)?.into(),
    };
    let mut planned = plan::make(
        engine,
        &record,
        &asked,
        step.image,
        &step.work.dir,
        step.again,
    )?;
    if let Rootfs::Overlay(overlay) = &mut planned.plan.rootfs {
        stand(overlay, step.ground);
    }
    planned.plan.secrets = step.secrets;
    let prepared = Prepared {
        record,
        asked,
        dir: step.work.dir.clone(),
        lock: step.work.lock.share()?,
        planned,
    };
    let signals = Signals::block()?;
    let live = launch(engine, &prepared, streams, 0)?;
    let how = Attendance {
        interactive: config.process.stdio.interactive,
        slippery: prepared.planned.plan.is_slippery(),
        ..Attendance::default()
    };
    let ended = runtime::attend(&live.started, live.running, &signals, how);
    network::release(engine, &prepared.record, &prepared.dir)?;
    Ok(ended?)
}

/// What layers, topmost first, show at an absolute path; nothing behind a link.
pub(crate) fn shown(engine: &Engine<'_>, layers: Vec<PathBuf>, path: &Path) -> Option<Metadata> {
    let below = path.strip_prefix("/").unwrap_or(path);
    Lower::new(engine, layers.into_iter()).find(below)
}

/// The directories that layers, topmost first, would merge at an absolute path, topmost first;
/// what is no directory alone; nothing where there is nothing, or a link on the way.
pub(super) fn stacked(engine: &Engine<'_>, layers: Vec<PathBuf>, path: &Path) -> Vec<PathBuf> {
    let below = path.strip_prefix("/").unwrap_or(path);
    Lower::new(engine, layers.into_iter()).stack(below)
}

/// Puts a step's layers over those that every container has.
fn stand(overlay: &mut Overlay, ground: &Ground) {
    let places = std::mem::take(&mut overlay.lowers);
    overlay.lowers.clone_from(&ground.layers);
    overlay.lowers.extend(places);
    overlay.folders.clone_from(&ground.folders);
}

/// Work on the files of a step, in a child process in whose own mount namespace they are mounted:
/// the step's layers below its own directory.
///
/// # Errors
/// What making the process gave; those of `work` come from [`Worker::finish`].
pub(crate) fn in_step<T, F>(
    engine: &Engine<'_>,
    step: &StepWork,
    ground: &Ground,
    work: F,
) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce(&Root) -> Result<T>,
{
    let overlay = overlay(engine, step.dir.path(), ground)?;
    let maps = engine.host.id_maps(engine.mode)?;
    identity::apart(engine, &maps, None, || {
        nix::sys::stat::umask(nix::sys::stat::Mode::empty());
        let path = runtime::mount_stopped(&overlay)?;
        work(&Root::open(&path)?)
    })
}

/// Layers below a directory like a container's, and nothing else: what a start mounts at has no
/// place here.
///
/// # Errors
/// What making an empty layer gave, which an overlay without any needs.
fn overlay(engine: &Engine<'_>, container: &Path, ground: &Ground) -> Result<Overlay> {
    let mut overlay = Overlay {
        base: engine.store.layers().dir(),
        lowers: ground.layers.clone(),
        folders: ground.folders.clone(),
        shown: false,
        container: container.to_owned(),
        on_tmpfs: false,
        volatile: true,
        userxattr: engine.mode != Mode::Root || engine.host.euid() != 0,
        mapped: false,
        search: engine.host.search_path(),
    };
    if overlay.lowers.is_empty() {
        let empty = container.join("empty");
        file::make_private_dir(&empty)?;
        overlay.lowers.push(empty);
    }
    Ok(overlay)
}

/// Mounts layers at a place of their own, for one who works in a step ([`in_step`]). Nothing of
/// what is written there is kept.
///
/// # Errors
/// What making the directories or mounting gave.
pub(crate) fn mount_apart(engine: &Engine<'_>, place: &Path, ground: &Ground) -> Result<Root> {
    file::make_private_dir(place)?;
    for part in ["upper", "work"] {
        file::make_private_dir(&place.join(part))?;
    }
    let path = runtime::mount_stopped(&overlay(engine, place, ground)?)?;
    Ok(Root::open(&path)?)
}
