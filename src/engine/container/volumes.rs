//! Volumes of containers: named when a container is made, filled when they are empty, mounted as
//! directories, and removed with it where nobody had named them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Asked, copy};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::volume::{self, CreateRequest};
use crate::spec::config::{BindOptions, Config, Mount, MountKind};
use crate::store::ContainerRecord;

/// Gives every volume its name and makes those that are missing; `declared` are the image's.
/// Nothing is removed while the answer is held.
///
/// # Errors
/// `Usage` for a bad name.
pub(super) fn claim<'a>(
    engine: &Engine<'_>,
    config: &mut Config,
    declared: impl Iterator<Item = &'a String>,
) -> Result<Option<File>> {
    for target in declared {
        let clean = Path::new("/").join(target.trim_matches('/'));
        let taken = |mount: &Mount| Path::new(&mount.target) == clean;
        if clean != Path::new("/") && !config.mounts.iter().any(taken) {
            config.mounts.push(Mount {
                target: clean.to_string_lossy().into_owned(),
                kind: MountKind::Volume {
                    name: None,
                    no_copy: false,
                    subpath: None,
                },
                read_only: false,
                no_exec: false,
                no_suid: false,
                no_dev: false,
            });
        }
    }
    let mut held = None;
    for mount in &mut config.mounts {
        let MountKind::Volume { name, subpath, .. } = &mut mount.kind else {
            continue;
        };
        if let Some(path) = subpath {
            return Err(
                Error::new(Kind::Unsupported, "mount volume with subpath", path.clone())
                    .because("this version mounts whole volumes".to_owned())
                    .into(),
            );
        }
        if held.is_none() {
            held = Some(engine.store.volumes().hold()?);
        }
        let record = volume::create(
            engine,
            CreateRequest {
                anonymous: name.is_none(),
                name: name.take(),
                ..CreateRequest::default()
            },
        )?;
        *name = Some(record.name);
    }
    Ok(held)
}

/// Copies what the image has at a volume's place into the volume, where that is empty: with
/// owners and modes, the top's too.
pub(super) fn fill(engine: &Engine<'_>, record: &ContainerRecord, mounts: &[Mount]) -> Result<()> {
    for mount in mounts {
        let MountKind::Volume {
            name: Some(name),
            no_copy: false,
            ..
        } = &mount.kind
        else {
            continue;
        };
        let volumes = engine.store.volumes();
        let _lock = volumes.lock(name)?;
        let data = volumes.data(name);
        let failed = |error| Error::io("open volume", &data, error);
        if std::fs::read_dir(&data).map_err(failed)?.next().is_some() {
            continue;
        }
        let dir = OwnedFd::from(File::open(&data).map_err(failed)?);
        copy::fill(engine, &record.name, Path::new(&mount.target), dir)
            .with_context(|| format!("copy {} into volume {name}", mount.target))?;
    }
    Ok(())
}

/// The mounts as they are made: a volume is a directory.
pub(super) fn resolved(engine: &Engine<'_>, mounts: &[Mount]) -> Vec<Mount> {
    let one = |mount: &Mount| match &mount.kind {
        MountKind::Volume {
            name: Some(name), ..
        } => Mount {
            kind: MountKind::Bind {
                source: engine
                    .store
                    .volumes()
                    .data(name)
                    .to_string_lossy()
                    .into_owned(),
                options: BindOptions::default(),
            },
            ..mount.clone()
        },
        _ => mount.clone(),
    };
    mounts.iter().map(one).collect()
}

/// Removes the volumes that were made for a container that is gone.
pub(super) fn release(engine: &Engine<'_>, record: &ContainerRecord) {
    let Ok(asked) = Asked::of(record) else {
        return;
    };
    for mount in &asked.config.mounts {
        let MountKind::Volume {
            name: Some(name), ..
        } = &mount.kind
        else {
            continue;
        };
        let found = engine.store.volumes().named(name).ok().flatten();
        if found.is_some_and(|record| record.anonymous)
            // Another container may have it by --volumes-from.
            && let Err(error) = volume::remove(engine, name)
            && error.downcast_ref::<Error>().is_none_or(|known| known.kind() != Kind::Conflict)
        {
            engine.ui.warn(&format!("{error:#}"));
        }
    }
}
