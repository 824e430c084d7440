//! `create`: everything that is decided and written before a container's first process exists.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::asked::{Asked, ImageFacts};
use super::image::{self, Source};
use super::plan::{self, Planned};
use super::{
    RunRequest, Timing, borrow, carry, complete, event, health, image_mount, join, names, network,
    notify, secret, systemd, userns, volume,
};
use crate::common::{ContainerId, Error, Kind, Timestamp};
use crate::engine::Engine;
use crate::engine::network::{reserve, settle};
use crate::oci::ContainerConfig;
use crate::spec;
use crate::spec::config::{Config, Resources};
use crate::store::{ContainerDir, ContainerLock, ContainerRecord};
use crate::sys::file;

/// A container that can be started, and the right to run it.
pub(crate) struct Prepared {
    /// Its record.
    pub(crate) record: ContainerRecord,
    /// What was asked of it.
    pub(crate) asked: Asked,
    /// Its directory.
    pub(crate) dir: ContainerDir,
    /// The right to run it.
    pub(crate) lock: ContainerLock,
    /// What its first process will be.
    pub(crate) planned: Planned,
}

/// Names tried before giving up on finding a free one.
const NAME_ATTEMPTS: u32 = 8;

/// `create`: a container that is known and was never started.
pub(crate) fn create(engine: &Engine<'_>, request: &RunRequest) -> Result<ContainerId> {
    let prepared = find_and_prepare(engine, request, &mut Timing::start())?;
    if prepared.asked.remove {
        prepared.dir.mark_created()?;
    }
    event::note(engine, &prepared.record, "create", &[]);
    Ok(prepared.record.id)
}

/// Takes a container back that was only created.
pub(crate) fn forget(engine: &Engine<'_>, id: &ContainerId) -> Result<()> {
    let dir = engine.store.containers().find(id.as_str())?;
    let lock = dir.lock()?;
    super::remove::delete(engine, &dir, lock)
}

/// Finds or fetches the image, then makes the container's directory and plan. On an error
/// nothing of the container is left.
pub(crate) fn find_and_prepare(
    engine: &Engine<'_>,
    request: &RunRequest,
    timing: &mut Timing,
) -> Result<Prepared> {
    refuse_used_cidfile(request)?;
    let source = image::find(engine, request)?;
    timing.lap("image");
    let prepared = prepare(engine, request, &source)?;
    timing.lap("prepare");
    Ok(prepared)
}

/// Makes the container's directory and plan. On an error nothing of it is left.
fn prepare(engine: &Engine<'_>, request: &RunRequest, source: &Source) -> Result<Prepared> {
    let empty = ContainerConfig::default();
    let (image_config, image) = match source {
        Source::Image(record, config) => (&config.config, Some(record)),
        Source::Directory(_) => (&empty, None),
    };
    let config = &checked(engine, request, image_config)?;
    let command = spec::command(config, image_config)?;
    // The old one goes when nothing else is wrong with the new one.
    if request.replace
        && let Some(name) = &request.name
    {
        super::remove::replace(engine, name)?;
    }
    let userns::Chosen { maps, claim } = userns::choose(engine, config)?;
    let asked = Asked {
        remove: request.remove,
        remove_image: request.remove_image,
        maps: maps.as_ref().map_or(Value::Null, userns::to_json),
        image: ImageFacts {
            user: image_config.user.clone(),
            health: image_config.healthcheck.clone(),
        },
        stack: image.map(|image| image.stack.clone()).unwrap_or_default(),
        command_line: request.command_line.clone(),
        config: config.clone(),
    };
    let id = ContainerId::from_bytes(file::random()?);
    let record = ContainerRecord {
        id,
        name: String::new(),
        created: Timestamp::now(),
        image: request.image.clone(),
        manifest: image.map(|image| image.manifest),
        config: image.map(|image| image.config),
        layers: image.map(|image| image.layers.clone()).unwrap_or_default(),
        mounted: image_mount::layers(config),
        mode: engine.mode,
        rootfs: match source {
            Source::Directory(path) => Some(path.clone()),
            Source::Image(..) => None,
        },
        labels: labels(image_config, config),
        command,
        asked: serde_json::to_value(&asked)?.into(),
    };
    let (record, dir, lock) = claim_name(engine, request, record)?;
    // The record says from now on which host ids are taken.
    drop(claim);
    let made = cidfile(request, &record.id)
        .and_then(|()| take_along(engine, &asked.config, &record, &dir))
        .and_then(|()| plan::make(engine, &record, &asked, image_config, &dir, false));
    match made {
        Ok(mut planned) => {
            planned.plan.preserve.clone_from(&request.preserve);
            Ok(Prepared {
                record,
                asked,
                dir,
                lock,
                planned,
            })
        }
        Err(error) => {
            let _ = super::remove::delete_ended(engine, &dir, lock, &record);
            Err(error)
        }
    }
}

/// The image's labels with those that were asked for over them.
fn labels(image: &ContainerConfig, config: &Config) -> BTreeMap<String, String> {
    let mut labels = image.labels.clone();
    labels.extend(config.labels.clone());
    labels
}

/// Takes what is to be there at every start: addresses that are asked for, secrets, and data.
fn take_along(
    engine: &Engine<'_>,
    config: &Config,
    record: &ContainerRecord,
    dir: &ContainerDir,
) -> Result<()> {
    reserve(engine, record, &config.network)?;
    secret::take_along(engine, config, dir)?;
    carry::into(engine, record, &config.copies)
}

/// What is asked, with what other containers lend, as far as this machine can give it.
fn checked(engine: &Engine<'_>, request: &RunRequest, image: &ContainerConfig) -> Result<Config> {
    let mut config = request.config.clone();
    carry::check(&config.copies)?;
    systemd::prepare(engine, &mut config, image)?;
    notify::check(&config, image)?;
    health::refuse_idle(image, &config)?;
    borrow::volumes(engine, &mut config)?;
    volume::choose(engine, &mut config, image)?;
    image_mount::choose(engine, request, &mut config)?;
    secret::check(engine, &config)?;
    network::choose(engine, &mut config.network)?;
    join::settle_all(engine, &mut config.security)?;
    settle(engine, &mut config.network)?;
    discard(engine, &config.resources);
    for name in &mut config.requires {
        let record = engine.store.containers().find(name)?.record()?;
        *name = record.id.to_string();
    }
    complete::check(&config.process.names)?;
    if let Some(rule) = config.security.device_rules.first() {
        engine.ui.warn(&format!(
            "--device-cgroup-rule {rule:?} is recorded and not enforced: devices are kept away by \
             mounts on which no device file works; --device gives a container those it names",
        ));
    }
    config.resources.limits.check()?;
    Ok(config)
}

/// Says which limits are not set: they are version 1's alone (docker discards them on version 2).
fn discard(engine: &Engine<'_>, resources: &Resources) {
    if resources.oom_kill_disable {
        engine.ui.warn(
            "--oom-kill-disable: control groups of version 2 have no such switch, and it is \
             discarded; --oom-score-adj=-1000 spares a process as far as its user may",
        );
    }
    if resources.swappiness.is_some() {
        engine.ui.warn(
            "--memory-swappiness: control groups of version 2 have no such setting, and it is \
             discarded; --memory-swap limits swap",
        );
    }
}

/// Fails early for a `--cidfile` that another container has written.
fn refuse_used_cidfile(request: &RunRequest) -> Result<()> {
    match &request.cidfile {
        Some(path) if path.symlink_metadata().is_ok() => {
            Err(cidfile_error(path, std::io::Error::from_raw_os_error(libc::EEXIST)).into())
        }
        _ => Ok(()),
    }
}

fn cidfile(request: &RunRequest, id: &ContainerId) -> Result<()> {
    let Some(path) = &request.cidfile else {
        return Ok(());
    };
    let mut out = file::create_new(path).map_err(|error| cidfile_error(path, error))?;
    std::io::Write::write_all(&mut out, id.as_str().as_bytes())
        .map_err(|error| Error::io("write", path, error).into())
}

fn cidfile_error(path: &Path, error: std::io::Error) -> Error {
    Error::io("make --cidfile", path, error)
        .hint("make sure the other container isn't running and remove the file")
}

fn claim_name(
    engine: &Engine<'_>,
    request: &RunRequest,
    mut record: ContainerRecord,
) -> Result<(ContainerRecord, ContainerDir, ContainerLock)> {
    let mut attempt = 0;
    loop {
        record.name = match &request.name {
            Some(name) => name.clone(),
            None => names::generate(file::random()?, attempt),
        };
        match engine.store.containers().create(&record) {
            Ok((dir, lock)) => return Ok((record, dir, lock)),
            Err(error)
                if error.kind() == Kind::Conflict
                    && request.name.is_none()
                    && attempt < NAME_ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
