//! `RUN --mount=type=bind`: files of a context, of a stage or of an image, shown to a command.
//! What it writes there is thrown away.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;

use super::copy::{Origin, Plan};
use super::mount::{Mounts, Snapshot, add, target};
use crate::build::copying::MountFrom;
use crate::build::key::Key;
use crate::build::solve::Solver;
use crate::build::stage::absolute;
use crate::common::{Error, Kind};
use crate::dockerfile::MountSpec;
use crate::engine::container::shown_layers;
use crate::spec::config::{BindOptions, Config, MountKind};
use crate::sys::{descriptor, node};

/// Works a mount into a command's configuration and key; false when the stage that it shows is
/// not done.
///
/// # Errors
/// `NotFound` for a source that is not there.
pub(super) fn work_in(
    solver: &mut Solver<'_>,
    index: usize,
    spec: &MountSpec,
    workdir: &str,
    config: &mut Config,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<bool> {
    let target = target(spec, workdir)?;
    let source = absolute("/", &spec.source);
    key.add("mount bind", [&target, &source, &spec.readonly.to_string()]);
    let from = match spec.from.as_deref().filter(|name| !name.is_empty()) {
        None => MountFrom::Context(String::new()),
        Some(name) => match solver.mount_from(index, name)? {
            Some(from) => from,
            None => return Ok(false),
        },
    };
    let kind = match from {
        MountFrom::Layers(pieces, of) => {
            key.add("mount from", [of.hex()]);
            mounts.pieces.extend(&pieces);
            if !solver.layers.away(&pieces).is_empty() {
                // For the key alone; they are fetched before the command is looked at again.
                return Ok(true);
            }
            let layers = solver.layers.paths(solver.engine, &pieces);
            shown_as(solver, layers, &source, spec.readonly)?
        }
        MountFrom::Context(name) => {
            let at = config.mounts.len();
            of_context(solver, &name, &source, (spec.readonly, at), key, mounts)?
        }
    };
    add(config, mounts, target, kind, spec.readonly);
    Ok(true)
}

/// What layers have at a path, as a mount.
fn shown_as(
    solver: &Solver<'_>,
    layers: Vec<PathBuf>,
    source: &str,
    read_only: bool,
) -> Result<MountKind> {
    if source == "/" && layers.is_empty() {
        return Ok(MountKind::Tmpfs {
            size: None,
            mode: Some(0o755),
            copy_up: false,
        });
    }
    let found = shown_layers(solver.engine, layers, Path::new(source), read_only)?;
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, "bind", source)
            .because("not found in what --from names")
            .into()
    })
}

/// What a context has at a path: itself, or a copy of what its ignore file leaves of it.
fn of_context(
    solver: &mut Solver<'_>,
    name: &str,
    source: &str,
    (read_only, at): (bool, usize),
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<MountKind> {
    let (tree, digest) = solver.context_at(name, source)?;
    key.add("mount content", [digest.hex()]);
    let found = tree.root.open_path(source)?;
    let facts = nix::sys::stat::fstat(&found);
    let facts = facts.map_err(|errno| Error::errno("stat", source, errno))?;
    if node::is_dir(&facts) && !tree.ignore.is_empty() {
        mounts.snapshots.push(Snapshot {
            index: at,
            plan: Plan::whole(Origin::Open(Rc::clone(&tree), None), source),
        });
        return Ok(MountKind::Bind {
            source: String::new(),
            options: BindOptions::default(),
        });
    }
    // Where it leads without leaving the context: no link is left for a mount to follow.
    let link = descriptor::path_of(&found);
    let place = std::fs::read_link(&link).map_err(|error| Error::io("read link", &link, error))?;
    Ok(MountKind::Bind {
        source: place.display().to_string(),
        options: BindOptions {
            overlay: !read_only,
            ..BindOptions::default()
        },
    })
}
