//! From a container's record to what its first process will be: the OCI specification and
//! init's plan. Made anew for every start, so that nothing but the record has to be kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use oci_spec::runtime::Spec;

use super::asked::Asked;
use super::{complete, devices, etc, image_mount, network, notify, secret, userns, volume};
use crate::common::{ContainerId, Error, Mode};
use crate::engine::Engine;
use crate::host::IdMaps;
use crate::oci::ContainerConfig;
use crate::runtime::{self, Extras, MapWriter, Overlay, Plan, Rootfs, UserRequest};
use crate::seccomp::{self, Identity, ProfileChoice};
use crate::spec::config::{Config, NamespaceMode, NetworkMode, SeccompChoice, Userns};
use crate::spec::{self, Generated, Inputs};
use crate::store::{ContainerDir, ContainerRecord};
use crate::sys::file;

/// The compiled filter of a container with a profile of its user's.
pub(super) const SECCOMP: &str = "seccomp";

/// What a start does.
pub(crate) struct Planned {
    /// The container's specification.
    pub(crate) spec: Spec,
    /// What init will do.
    pub(crate) plan: Plan,
    /// The signal that asks the payload to end.
    pub(crate) stop_signal: i32,
}

/// Makes the plan of one start, and the files of `/etc` that it binds. `again`: it has run before.
pub(super) fn make(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    asked: &Asked,
    image: &ContainerConfig,
    dir: &ContainerDir,
    again: bool,
) -> Result<Planned> {
    let config = &*notify::given(engine, devices::named(engine, &asked.config)?);
    let maps = userns::from_json(&asked.maps);
    let hostname = hostname(engine, config, record);
    let mut files = etc::write(dir.path(), &hostname, &config.network, &config.process)?;
    files.containerenv = etc::containerenv(dir.path(), record, config)?;
    network::borrow_names(engine, &config.network, &files)?;
    let rootfs = rootfs_of_start(engine, record, asked, dir, again)?;
    let volumes = volume::sources(engine, config)?;
    let settled = image_mount::settled(engine, config)?;
    let inputs = Inputs {
        config: settled.as_ref(),
        image,
        rootless: engine.mode != Mode::Root,
        maps: maps.as_ref(),
        hostname,
        etc: Some(files),
        unified_cgroup: unified_cgroup(),
        rootfs: dir.rootfs(),
        container: dir.path().to_owned(),
        volumes: &volumes,
    };
    let Generated {
        spec,
        device_sources,
    } = spec::generate(&inputs)?;
    let identity = identity(engine.mode, config, maps.is_some());
    let seccomp = seccomp_program(engine, config, &spec, identity)?;
    if let SeccompChoice::File(_) = config.security.seccomp {
        // The file may change; every process of the container gets this one.
        file::write_unseen(&dir.path().join(SECCOMP), &seccomp)?;
    }
    let extras = Extras {
        rootfs,
        mode: engine.mode,
        writer: map_writer(engine, &maps)?,
        user: UserRequest {
            entry: complete::lines(engine, config, keeps(engine, engine.mode, config), dir)?,
            ..user(engine, engine.mode, config, image)
        },
        privileged: config.security.privileged,
        interactive: config.process.stdio.interactive,
        reaper: config.process.init,
        strict: engine.ui.is_strict(),
        listener: identity == Identity::Notify && !seccomp.is_empty(),
        seccomp,
        device_sources,
    };
    let mut plan = runtime::from_spec(&spec, extras)?;
    plan.connect = network::plan(&config.network);
    plan.process.makes_cwd = makes_workdir(config);
    plan.secrets = secret::files(config, dir)?;
    secret::set(&mut plan.process.env, secret::variables(config, dir)?);
    Ok(Planned {
        spec,
        plan,
        stop_signal: stop_signal(config, image),
    })
}

/// What lies below a mount is made under every name: podman leaves that to its runtime.
fn makes_workdir(config: &Config) -> bool {
    let asked = match &config.process.workdir {
        Some(dir) if config.process.workdir_is_there => Path::new(dir),
        _ => return true,
    };
    let mut mounts = config.mounts.iter();
    mounts.any(|mount| asked.starts_with(&mount.target))
}

fn rootfs_of_start(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    asked: &Asked,
    dir: &ContainerDir,
    again: bool,
) -> Result<Rootfs> {
    if again && asked.remove {
        set_work_aside(dir)?;
    }
    let mut rootfs = rootfs(engine, record, asked, dir)?;
    if let Rootfs::Overlay(overlay) = &mut rootfs {
        overlay.shown = again;
    }
    Ok(rootfs)
}

/// A volatile overlay's work directory serves one mount (overlayfs.rst, "Volatile mount"): the
/// next run has a new one, and the old one goes with the container.
pub(super) fn set_work_aside(dir: &ContainerDir) -> Result<()> {
    let work = dir.work();
    let aside = format!("work-{}", ContainerId::from_bytes(file::random()?).short());
    match std::fs::rename(&work, dir.path().join(aside)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("set aside", &work, error).into());
        }
        _ => {}
    }
    Ok(file::make_private_dir(&work)?)
}

/// The flag's, else the image's, else SIGTERM; an image's word that is none counts as nothing.
fn stop_signal(config: &Config, image: &ContainerConfig) -> i32 {
    let asked = config.process.stop_signal.as_ref();
    asked
        .or(image.stop_signal.as_ref())
        .and_then(|text| crate::sys::signal::parse(text).ok())
        .unwrap_or(libc::SIGTERM)
}

pub(super) fn unified_cgroup() -> bool {
    // The one file whose presence says "version 2 and nothing else" (cgroups(7)); reading
    // mountinfo would cost every start a page of text.
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn hostname(engine: &Engine<'_>, config: &Config, record: &ContainerRecord) -> String {
    if let Some(name) = &config.process.hostname {
        return name.clone();
    }
    // docker: on the host's network the host's name stays, in another container's that one's.
    let found = match (&config.security.uts, &config.network.mode) {
        (NamespaceMode::Container(name), _) | (_, NetworkMode::Container(name)) => {
            network::hostname(engine, name)
        }
        (NamespaceMode::Host, _) | (_, NetworkMode::Host) => nix::unistd::gethostname()
            .ok()
            .and_then(|name| name.into_string().ok()),
        _ => None,
    };
    found.unwrap_or_else(|| record.id.short().to_owned())
}

/// Where a container's root comes from.
pub(super) fn rootfs(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    asked: &Asked,
    dir: &ContainerDir,
) -> Result<Rootfs> {
    // A root's container with ids of its own: everybody else's files have these owners on disk.
    let mapped = engine.mode == Mode::Root && !asked.maps.is_null();
    let mut overlay = Overlay {
        base: engine.store.layers().dir(),
        lowers: Vec::new(),
        folders: Vec::new(),
        shown: false,
        container: dir.path().to_owned(),
        on_tmpfs: false,
        volatile: asked.remove,
        userxattr: mapped || engine.mode != Mode::Root || engine.host.euid() != 0,
        mapped,
        search: engine.host.search_path(),
    };
    match &record.rootfs {
        None => {
            let shown = record.layers.iter().skip(asked.stack.hidden);
            for layer in shown.rev() {
                let name = PathBuf::from(layer.hex());
                // The same layer twice changes nothing, and overlay refuses it.
                if !overlay.lowers.contains(&name) {
                    overlay.lowers.push(name);
                }
            }
            overlay.lowers.extend(engine.store.layers().places());
            if overlay.lowers.is_empty() {
                file::make_private_dir(&dir.rootfs())?;
                overlay.lowers.push(dir.rootfs());
            }
            let folders = asked.stack.folders.iter().map(|folder| {
                let path = PathBuf::from(&folder.path);
                let source = Path::new(&folder.from.hex()).join(&path);
                (path, source)
            });
            overlay.folders = folders.collect();
            Ok(Rootfs::Overlay(overlay))
        }
        // The host itself, under an overlay so that nothing of it changes. The writable layer
        // cannot lie inside its own lower directory, so it is a tmpfs.
        Some(path) if path == Path::new("/") => {
            overlay.base = PathBuf::from("/");
            overlay.lowers.push(PathBuf::from("/"));
            overlay.on_tmpfs = true;
            Ok(Rootfs::Overlay(overlay))
        }
        Some(path) => Ok(Rootfs::Directory(path.clone())),
    }
}

/// The ids that a caller who keeps its own has inside.
fn keeps(engine: &Engine<'_>, mode: Mode, config: &Config) -> Option<(u32, u32)> {
    match (&config.security.userns, mode) {
        (Userns::KeepId { uid, gid }, Mode::Subid | Mode::Single) => Some((
            uid.unwrap_or(engine.host.euid()),
            gid.unwrap_or(engine.host.egid()),
        )),
        _ => None,
    }
}

pub(super) fn user(
    engine: &Engine<'_>,
    mode: Mode,
    config: &Config,
    image: &ContainerConfig,
) -> UserRequest {
    let keep = keeps(engine, mode, config);
    UserRequest {
        text: config.process.user.clone().unwrap_or_else(|| {
            // podman: with keep-id the caller's own number wins over the image's user.
            if keep.is_some() {
                String::new()
            } else {
                image.user.clone()
            }
        }),
        groups: config.process.groups.clone(),
        keep_groups: config.process.keep_groups || mode == Mode::Single,
        single_id: mode == Mode::Single,
        default_ids: keep,
        entry: None,
    }
}

fn map_writer(engine: &Engine<'_>, maps: &Option<IdMaps>) -> Result<MapWriter> {
    match (maps, engine.mode) {
        (None, _) | (_, Mode::Single) => Ok(MapWriter::Init),
        (_, Mode::Root) => Ok(MapWriter::Parent),
        (_, Mode::Subid) if engine.host.owns_ids() => Ok(MapWriter::Parent),
        (_, Mode::Subid) => {
            let (newuidmap, newgidmap) = engine
                .host
                .map_helpers()
                .context("newuidmap is not installed")?;
            Ok(MapWriter::Helpers {
                newuidmap: newuidmap.to_owned(),
                newgidmap: newgidmap.to_owned(),
            })
        }
    }
}

/// With one id, a root inside needs its identity calls answered; anyone else has no right to
/// make them.
pub(super) fn identity(mode: Mode, config: &Config, userns: bool) -> Identity {
    let root = !matches!(config.security.userns, Userns::KeepId { .. });
    if mode == Mode::Single && userns && root {
        Identity::best()
    } else {
        Identity::Real
    }
}

pub(super) fn seccomp_program(
    engine: &Engine<'_>,
    config: &Config,
    spec: &Spec,
    identity: Identity,
) -> Result<Vec<u8>> {
    let security = &config.security;
    let confined = !security.privileged && security.seccomp != SeccompChoice::Unconfined;
    let text;
    let profile = match &security.seccomp {
        SeccompChoice::File(path) => {
            text = std::fs::read_to_string(path)
                .map_err(|error| Error::io("read seccomp profile", path, error))?;
            ProfileChoice::Text(&text)
        }
        _ if confined => ProfileChoice::Default,
        // The emulation is wanted even where nothing is forbidden.
        _ if identity != Identity::Real => {
            ProfileChoice::Text(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#)
        }
        _ => return Ok(Vec::new()),
    };
    let bounding = spec
        .process()
        .as_ref()
        .and_then(|process| process.capabilities().as_ref())
        .and_then(|caps| caps.bounding().as_ref());
    let names: Vec<String> = bounding
        .into_iter()
        .flatten()
        .map(|cap| format!("CAP_{}", cap.to_string().trim_start_matches("CAP_")))
        .collect();
    let mut caps: Vec<&str> = names.iter().map(String::as_str).collect();
    caps.sort_unstable();
    let request = seccomp::Request {
        profile,
        caps: &caps,
        identity,
    };
    let program =
        seccomp::cached(&engine.store.root().join("seccomp"), &request).map_err(|error| {
            let error = anyhow::Error::new(error);
            match &security.seccomp {
                SeccompChoice::File(path) => error.context(format!("use {path}")),
                _ => error,
            }
        })?;
    Ok(program.to_bytes())
}
