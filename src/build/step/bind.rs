//! `RUN --mount=type=bind`: files of the context, of a stage or of an image, shown to a command.
//! What it writes there is thrown away.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::mount::{Mounts, add, target};
use crate::build::graph::{self, From};
use crate::build::key::Key;
use crate::build::solve::Solver;
use crate::build::stage::{Status, absolute};
use crate::build::state::Piece;
use crate::common::{Error, Kind};
use crate::dockerfile::MountSpec;
use crate::engine::container::shown_layers;
use crate::spec::config::{BindOptions, Config, MountKind};
use crate::sys::descriptor;
use crate::sys::path::Root;

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
    let Some(name) = spec.from.as_deref().filter(|name| !name.is_empty()) else {
        of_context(solver, &target, &source, spec.readonly, config, key, mounts)?;
        return Ok(true);
    };
    let contexts: Vec<String> = solver
        .request
        .contexts
        .iter()
        .map(|c| c.0.clone())
        .collect();
    let pieces: Vec<Piece> = match graph::from(solver.file, name, index, &contexts)? {
        From::Stage(stage) => {
            if solver.stages[stage].status != Status::Done {
                solver.graph.need(stage);
                return Ok(false);
            }
            let state = solver.state(stage)?;
            key.add("mount from", [state.key.hex()]);
            state.pieces.clone()
        }
        From::Image(image) => {
            let platform = solver.state(index)?.platform.clone();
            let state = solver.begin_with_image(&image, &platform)?;
            key.add("mount from", [state.key.hex()]);
            state.pieces
        }
        From::Context(name) => {
            return Err(Error::new(Kind::Unsupported, "bind from context", name).into());
        }
    };
    mounts.pieces.extend(&pieces);
    if !solver.layers.away(&pieces).is_empty() {
        // For the key alone; they are fetched before the command is looked at again.
        return Ok(true);
    }
    let layers = solver.layers.paths(solver.engine, &pieces);
    let kind = shown_as(solver, layers, &source, spec.readonly)?;
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

fn of_context(
    solver: &mut Solver<'_>,
    target: &str,
    source: &str,
    read_only: bool,
    config: &mut Config,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<()> {
    let root = Root::open(&solver.request.context)?;
    let found = root.open_path(source)?;
    let digest = solver.context_digest(source)?;
    key.add("mount content", [digest.hex()]);
    // Where it leads without leaving the context: no link is left for a mount to follow.
    let link = descriptor::path_of(&found);
    let place = std::fs::read_link(&link).map_err(|error| Error::io("read link", &link, error))?;
    let kind = MountKind::Bind {
        source: place.display().to_string(),
        options: BindOptions {
            overlay: !read_only,
            ..BindOptions::default()
        },
    };
    add(config, mounts, target.to_owned(), kind, read_only);
    Ok(())
}
