//! `RUN --mount=type=cache`: directories that are kept between builds.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::copy::{Origin, Plan};
use super::mount::{Mounts, add, describe, show_at, target};
use crate::build::copying::MountFrom;
use crate::build::key::Key;
use crate::build::solve::Solver;
use crate::build::stage::absolute;
use crate::common::{Digest, Error};
use crate::dockerfile::{MountSpec, Sharing};
use crate::engine::Engine;
use crate::spec::config::{BindOptions, Config, MountKind as ConfigKind};
use crate::sys::file;

/// Mode of cache directories that ask for none.
const CACHE_MODE: u32 = 0o755;

/// A directory that is kept between builds.
#[derive(Debug, Clone)]
pub(in crate::build) struct Cache {
    /// Where it lies: `data`, `lock`, and `data-N` of those who share it with nobody.
    dir: PathBuf,
    /// Number among the command's mounts.
    index: usize,
    sharing: Sharing,
    mode: u32,
    owner: (u32, u32),
    /// What it begins with.
    initial: Option<Plan>,
}

/// What a cache begins with when it is made, if anything; `None` for a stage that is not done.
pub(super) fn initial(
    solver: &mut Solver<'_>,
    index: usize,
    spec: &MountSpec,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<Option<Option<Plan>>> {
    let source = absolute("/", &spec.source);
    let Some(name) = spec.from.as_deref().filter(|name| !name.is_empty()) else {
        if source != "/" {
            let why = "source needs from: a cache begins empty otherwise";
            return Err(Error::usage("use RUN --mount", &spec.source, why).into());
        }
        return Ok(Some(None));
    };
    let origin = match solver.mount_from(index, name)? {
        None => return Ok(None),
        Some(MountFrom::Layers(pieces, of)) => {
            key.add("mount from", [of.hex()]);
            mounts.pieces.extend(&pieces);
            if !solver.layers.away(&pieces).is_empty() {
                // For the key alone, as with bind mounts.
                return Ok(Some(None));
            }
            Origin::Layers(solver.layers.ground(solver.engine, &pieces))
        }
        Some(MountFrom::Context(name)) => {
            let (tree, digest) = solver.context_at(&name, &source)?;
            key.add("mount content", [digest.hex()]);
            Origin::Open(tree, None)
        }
    };
    Ok(Some(Some(Plan::whole(origin, &source))))
}

/// What a cache directory holds is in no key.
pub(super) fn work_in(
    solver: &Solver<'_>,
    spec: &MountSpec,
    workdir: &str,
    config: &mut Config,
    key: &mut Key,
    (mounts, initial): (&mut Mounts, Option<Plan>),
) -> Result<()> {
    let target = target(spec, workdir)?;
    let id = if spec.id.is_empty() {
        &target
    } else {
        &spec.id
    };
    key.add("mount cache", [id, &target, &spec.readonly.to_string()]);
    // One component, whatever the id holds.
    let name = format!(
        "{}-{}",
        solver.engine.mode.as_str(),
        Digest::of(id.as_bytes()).hex()
    );
    let dir = solver
        .engine
        .store
        .build_cache()
        .folder("mounts")?
        .join(name);
    mounts.caches.push(Cache {
        dir,
        index: config.mounts.len(),
        sharing: spec.sharing,
        mode: spec.mode.unwrap_or(CACHE_MODE),
        owner: (spec.uid.unwrap_or(0), spec.gid.unwrap_or(0)),
        initial,
    });
    let kind = ConfigKind::Bind {
        source: String::new(),
        options: BindOptions::default(),
    };
    add(config, mounts, target, kind, spec.readonly);
    Ok(())
}

/// Takes the cache directories of a command and puts them into its configuration; the command
/// has them while the answer lives. For the command's own process: it may have to wait.
///
/// # Errors
/// What making and locking gave.
pub(super) fn take(
    engine: &Engine<'_>,
    caches: &[Cache],
    config: &mut Config,
) -> Result<Vec<File>> {
    let mut held = Vec::new();
    for cache in caches {
        file::make_private_dir(&cache.dir)?;
        let _ = file::touch(&cache.dir);
        let (lock, data) = match cache.sharing {
            Sharing::Shared => (None, cache.dir.join("data")),
            Sharing::Locked => {
                let lock = file::lock_path(&cache.dir.join("lock"))?;
                (Some(lock), cache.dir.join("data"))
            }
            Sharing::Private => private(cache)?,
        };
        held.extend(lock);
        if !data.is_dir() {
            make(engine, cache, &data)?;
        }
        show_at(config, cache.index, &data);
    }
    Ok(held)
}

/// The first of a cache's directories that nobody has.
fn private(cache: &Cache) -> Result<(Option<File>, PathBuf)> {
    let mut number = 0u32;
    loop {
        let (lock, data) = match number {
            0 => ("lock".to_owned(), "data".to_owned()),
            number => (format!("lock-{number}"), format!("data-{number}")),
        };
        let path = cache.dir.join(lock);
        file::open_or_create(&path).map_err(|error| Error::io("open", &path, error))?;
        if let Some(lock) = file::try_lock_path(&path)? {
            return Ok((Some(lock), cache.dir.join(data)));
        }
        number += 1;
    }
}

/// Makes a cache's directory whole before it has its name.
fn make(engine: &Engine<'_>, cache: &Cache, data: &Path) -> Result<()> {
    let results = engine.store.build_cache();
    let work = match &cache.initial {
        Some(plan) => plan.carry_out(engine)?,
        None => results.begin()?,
    };
    let fresh = work.dir.upper();
    let moved = std::fs::rename(&fresh, data);
    results.discard(work.id.as_str())?;
    match moved {
        Ok(()) => describe(engine, data, cache.mode, cache.owner),
        // Another command was faster.
        Err(_) if data.is_dir() => Ok(()),
        Err(error) => Err(Error::io("make cache directory", data, error).into()),
    }
}
