//! `RUN --mount`: what each mount is for this command, its part of the key, and the places that
//! are made for mounts alone.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::cache::{self, Cache};
use super::copy::Plan;
use crate::build::key::Key;
use crate::build::secret::content;
use crate::build::solve::Solver;
use crate::build::stage::absolute;
use crate::build::state::Piece;
use crate::common::{Error, Kind};
use crate::dockerfile::{Mount, MountKind, MountSpec};
use crate::engine::container::shown;
use crate::engine::{Engine, identity};
use crate::runtime::SecretFile;
use crate::spec::config::{
    BindOptions, Config, EnvEntry, Mount as ConfigMount, MountKind as ConfigKind,
};
use crate::store::StepWork;
use crate::sys::node;
use crate::sys::path::Root;

/// What the mounts of a command come to.
#[derive(Default)]
pub(super) struct Mounts {
    /// Secret files.
    pub(super) secrets: Vec<SecretFile>,
    /// Cache directories to be had before the command begins.
    pub(super) caches: Vec<Cache>,
    /// Copies to be had before it begins.
    pub(super) snapshots: Vec<Snapshot>,
    /// Where something is mounted.
    pub(super) targets: Vec<PathBuf>,
    /// Layers that are shown.
    pub(super) pieces: Vec<Piece>,
}

/// A copy that one command sees.
#[derive(Debug, Clone)]
pub(in crate::build) struct Snapshot {
    /// Number among the command's mounts.
    pub(super) index: usize,
    /// What it is a copy of.
    pub(super) plan: Plan,
}

/// Works the mounts of a command into its configuration and key; `None` when a stage that one of
/// them shows is not done.
///
/// # Errors
/// `Usage` for a bad option, `NotFound` for a secret that is required and was not given.
pub(super) fn work_in(
    solver: &mut Solver<'_>,
    index: usize,
    wanted: &[Mount],
    config: &mut Config,
    key: &mut Key,
) -> Result<Option<Mounts>> {
    let mut mounts = Mounts::default();
    for mount in wanted {
        let state = solver.state(index)?;
        let expand = |text: &str| {
            state
                .expand_text(text)
                .map_err(|error| format!("{error:#}"))
        };
        let spec = mount
            .resolve(&expand)
            .map_err(|why| Error::usage("use RUN --mount", &mount.word.raw, why))?;
        let workdir = state.workdir().to_owned();
        match spec.kind {
            MountKind::Tmpfs => tmpfs(&spec, &workdir, config, key, &mut mounts)?,
            MountKind::Secret => secret(solver, &spec, &workdir, config, key, &mut mounts)?,
            MountKind::Cache => {
                let Some(initial) = cache::initial(solver, index, &spec, key, &mut mounts)? else {
                    return Ok(None);
                };
                cache::work_in(solver, &spec, &workdir, config, key, (&mut mounts, initial))?;
            }
            MountKind::Ssh => ssh(solver, &spec, &workdir, config, key, &mut mounts)?,
            MountKind::Bind => {
                if !super::bind::work_in(solver, index, &spec, &workdir, config, key, &mut mounts)?
                {
                    return Ok(None);
                }
            }
        }
    }
    Ok(Some(mounts))
}

/// A place in the container.
///
/// # Errors
/// `Usage` for the root, or none.
pub(super) fn target(spec: &MountSpec, workdir: &str) -> Result<String> {
    let target = absolute(workdir, &spec.target);
    match spec.target.is_empty() || target == "/" {
        true => Err(Error::usage("use RUN --mount", &spec.target, "target is required").into()),
        false => Ok(target),
    }
}

/// Adds a mount to the configuration.
pub(super) fn add(
    config: &mut Config,
    mounts: &mut Mounts,
    target: String,
    kind: ConfigKind,
    read_only: bool,
) {
    mounts
        .targets
        .push(PathBuf::from(target.trim_start_matches('/')));
    config.mounts.push(ConfigMount {
        target,
        kind,
        read_only,
        no_exec: false,
        no_suid: false,
        no_dev: false,
    });
}

fn tmpfs(
    spec: &MountSpec,
    workdir: &str,
    config: &mut Config,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<()> {
    let target = target(spec, workdir)?;
    key.add("mount tmpfs", [&target, &format!("{:?}", spec.size)]);
    let kind = ConfigKind::Tmpfs {
        size: spec.size,
        mode: spec.mode,
        copy_up: false,
    };
    add(config, mounts, target, kind, spec.readonly);
    Ok(())
}

/// Its content is in no key: only that it is there.
fn secret(
    solver: &Solver<'_>,
    spec: &MountSpec,
    workdir: &str,
    config: &mut Config,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<()> {
    let id = spec.secret_id();
    let place = match (spec.target.as_str(), &spec.env) {
        ("", Some(_)) => None,
        ("", None) => Some(format!("/run/secrets/{id}")),
        (target, _) => Some(absolute(workdir, target)),
    };
    key.add(
        "mount secret",
        [
            id,
            place.as_deref().unwrap_or_default(),
            spec.env.as_deref().unwrap_or_default(),
        ],
    );
    let Some(found) = solver.request.secrets.iter().find(|secret| secret.id == id) else {
        if spec.required {
            return Err(Error::new(Kind::NotFound, "find secret", id)
                .because(format!("secret {id} is required and was not given"))
                .hint(format!("--secret id={id},src=FILE"))
                .into());
        }
        return Ok(());
    };
    let data = content(found)?;
    if let Some(name) = &spec.env {
        let name = if name.is_empty() { id } else { name };
        let value = String::from_utf8(data.clone())
            .ok()
            .filter(|text| !text.contains('\0'));
        let value = value.ok_or_else(|| {
            Error::usage("use secret as variable", name, "its content cannot be one")
        })?;
        config.process.env.push(EnvEntry {
            key: name.to_owned(),
            value: Some(value),
        });
    }
    if let Some(place) = place {
        mounts
            .targets
            .push(PathBuf::from(place.trim_start_matches('/')));
        let below = place
            .strip_prefix("/run/secrets/")
            .filter(|name| !name.contains('/'));
        mounts.secrets.push(SecretFile {
            target: below.map_or_else(|| place.clone(), str::to_owned),
            owner: (spec.uid.unwrap_or(0), spec.gid.unwrap_or(0)),
            mode: spec.mode.unwrap_or(0o400),
            data,
        });
    }
    Ok(())
}

fn ssh(
    solver: &Solver<'_>,
    spec: &MountSpec,
    workdir: &str,
    config: &mut Config,
    key: &mut Key,
    mounts: &mut Mounts,
) -> Result<()> {
    let id = spec.agent_id();
    let place = match spec.target.as_str() {
        "" => "/run/buildkit/ssh_agent.0".to_owned(),
        target => absolute(workdir, target),
    };
    key.add("mount ssh", [id, place.as_str()]);
    let Some(agent) = solver.request.ssh.iter().find(|agent| agent.id == id) else {
        if spec.required {
            return Err(Error::new(Kind::NotFound, "find ssh agent", id)
                .because(format!("ssh key {id} is required and was not given"))
                .hint(format!("--ssh {id}=SOCKET"))
                .into());
        }
        return Ok(());
    };
    config.process.env.push(EnvEntry {
        key: "SSH_AUTH_SOCK".to_owned(),
        value: Some(place.clone()),
    });
    let kind = ConfigKind::Bind {
        source: agent.socket.display().to_string(),
        options: BindOptions::default(),
    };
    add(config, mounts, place, kind, false);
    Ok(())
}

/// Makes the copies that a command sees and puts them into its configuration. For the command's
/// own process, which discards them at its end.
///
/// # Errors
/// What copying gave.
pub(super) fn copies(
    engine: &Engine<'_>,
    snapshots: &[Snapshot],
    config: &mut Config,
) -> Result<Vec<StepWork>> {
    let mut made = Vec::new();
    for snapshot in snapshots {
        let work = snapshot.plan.carry_out(engine)?;
        describe(engine, &work.dir.upper(), 0o755, (0, 0))?;
        show_at(config, snapshot.index, &work.dir.upper());
        made.push(work);
    }
    Ok(made)
}

pub(super) fn show_at(config: &mut Config, index: usize, path: &Path) {
    if let Some(mount) = config.mounts.get_mut(index)
        && let ConfigKind::Bind { source, .. } = &mut mount.kind
    {
        *source = path.display().to_string();
    }
}

/// Sets mode and owner of a directory that commands see.
pub(super) fn describe(
    engine: &Engine<'_>,
    path: &Path,
    mode: u32,
    owner: (u32, u32),
) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    identity::as_owner(engine, || {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode)
            .map_err(|error| Error::io("describe directory", path, error))?;
        if owner != (0, 0) {
            // With one id there is no other owner.
            let _ = std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1));
        }
        Ok(())
    })
}

/// The places of mounts, and of what leads to them, that the layers do not have: they are made
/// for the mounts alone. Deepest first.
pub(super) fn fresh(engine: &Engine<'_>, layers: &[PathBuf], targets: &[PathBuf]) -> Vec<PathBuf> {
    let mut made = Vec::new();
    for target in targets {
        for path in target
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
        {
            if shown(engine, layers.to_vec(), path).is_none() && !made.contains(&path.to_owned()) {
                made.push(path.to_owned());
            }
        }
    }
    made.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    made
}

/// Removes from what a command wrote the places that were made for its mounts, where they are
/// empty. No link there leads out of `upper`.
///
/// # Errors
/// What opening `upper` gave.
pub(super) fn clear(upper: &Path, fresh: &[PathBuf]) -> Result<()> {
    let root = Root::open(upper)?;
    for path in fresh {
        let parent = path.parent().unwrap_or(Path::new(""));
        let (Ok(dir), Some(name)) = (
            root.open_path(Path::new("/").join(parent)),
            path.file_name(),
        ) else {
            continue;
        };
        let Ok(facts) = node::stat_at(dir.as_fd(), name) else {
            continue;
        };
        let regular = facts.st_mode & libc::S_IFMT == libc::S_IFREG;
        if node::is_dir(&facts) {
            let _ = unlinkat(&dir, name, UnlinkatFlags::RemoveDir);
        } else if regular && facts.st_size == 0 {
            let _ = unlinkat(&dir, name, UnlinkatFlags::NoRemoveDir);
        }
    }
    Ok(())
}
