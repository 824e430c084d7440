//! Everything that is decided and written before a container's first process exists.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use oci_spec::runtime::Spec;

use super::image::Source;
use super::{RunRequest, etc, names, userns};
use crate::common::{ContainerId, Error, Kind, Mode, Timestamp};
use crate::engine::Engine;
use crate::host::IdMaps;
use crate::oci::ContainerConfig;
use crate::runtime::{self, Extras, MapWriter, Overlay, Plan, Rootfs, UserEntry, UserRequest};
use crate::seccomp::{self, Identity, ProfileChoice};
use crate::spec::config::{Config, NetworkMode, SeccompChoice, Userns};
use crate::spec::{self, Generated, Inputs};
use crate::store::{ContainerDir, ContainerLock, ContainerRecord};
use crate::sys::file;

/// A container that can be started.
pub(super) struct Prepared {
    /// Its record.
    pub(super) record: ContainerRecord,
    /// Its directory.
    pub(super) dir: ContainerDir,
    /// The right to run it.
    pub(super) lock: ContainerLock,
    /// Its specification.
    pub(super) spec: Spec,
    /// What init will do.
    pub(super) plan: Plan,
}

/// Names tried before giving up on finding a free one.
const NAME_ATTEMPTS: u32 = 8;

/// Makes the container's directory and plan. On an error nothing of it is left.
pub(super) fn prepare(
    engine: &Engine<'_>,
    request: &RunRequest,
    source: &Source,
) -> Result<Prepared> {
    let empty = ContainerConfig::default();
    let (image_config, image) = match source {
        Source::Image(record, config) => (&config.config, Some(record)),
        Source::Directory(_) => (&empty, None),
    };
    let config = &request.config;
    let command = spec::command(config, image_config)?;
    if config.network.mode == NetworkMode::Private {
        engine.ui.warn(
            "--network: private networks are not available yet, the container shares the host's; \
             --network none cuts it off, --network host says it is wanted",
        );
    }
    config.resources.limits.check()?;
    let userns::Chosen { maps, claim } = userns::choose(engine, config)?;
    let id = ContainerId::from_bytes(file::random()?);
    let mut labels = image_config.labels.clone();
    labels.extend(config.labels.clone());
    let record = ContainerRecord {
        id,
        name: String::new(),
        created: Timestamp::now(),
        image: request.image.clone(),
        manifest: image.map(|image| image.manifest),
        config: image.map(|image| image.config),
        layers: image.map(|image| image.layers.clone()).unwrap_or_default(),
        mode: engine.mode,
        rootfs: match source {
            Source::Directory(path) => Some(path.clone()),
            Source::Image(..) => None,
        },
        labels,
        command,
        asked: asked(request, maps.as_ref())?.into(),
    };
    let (record, dir, lock) = create(engine, request, record)?;
    // The record says from now on which host ids are taken.
    drop(claim);
    match plan(engine, request, source, image_config, &record, &dir, maps) {
        Ok((spec, plan)) => Ok(Prepared {
            record,
            dir,
            lock,
            spec,
            plan,
        }),
        Err(error) => {
            let _ = super::remove::delete(engine, &dir, lock);
            Err(error)
        }
    }
}

/// What `inspect` and a later start need to know of the request.
fn asked(request: &RunRequest, maps: Option<&IdMaps>) -> Result<serde_json::Value> {
    Ok(serde_json::json!({
        "remove": request.remove,
        "maps": maps.map(userns::to_json),
        "config": serde_json::to_value(&request.config)?,
    }))
}

fn create(
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

type Planned = (Spec, Plan);

fn plan(
    engine: &Engine<'_>,
    request: &RunRequest,
    source: &Source,
    image: &ContainerConfig,
    record: &ContainerRecord,
    dir: &ContainerDir,
    maps: Option<IdMaps>,
) -> Result<Planned> {
    let config = &request.config;
    let hostname = hostname(config, record);
    let files = etc::write(dir.path(), &hostname, &config.network)?;
    // A root's container with ids of its own: everybody else's files have these owners on disk.
    let mapped = engine.mode == Mode::Root && maps.is_some();
    let rootfs = rootfs(engine, request, source, dir, mapped)?;
    let inputs = Inputs {
        config,
        image,
        maps: maps.as_ref(),
        hostname,
        etc: Some(files),
        unified_cgroup: unified_cgroup(),
        rootfs: dir.rootfs(),
        container: dir.path().to_owned(),
    };
    let Generated {
        spec,
        device_sources,
    } = spec::generate(&inputs)?;
    crate::sys::process::forget_code();
    let identity = identity(engine, config, maps.is_some());
    let seccomp = seccomp_program(engine, config, &spec, identity)?;
    let extras = Extras {
        rootfs,
        mode: engine.mode,
        writer: map_writer(engine, &maps)?,
        user: user(engine, config, image, dir),
        privileged: config.security.privileged,
        interactive: config.process.stdio.interactive,
        reaper: config.process.init,
        strict: engine.ui.is_strict(),
        listener: identity == Identity::Notify && !seccomp.is_empty(),
        seccomp,
        device_sources,
    };
    let plan = runtime::from_spec(&spec, extras)?;
    Ok((spec, plan))
}

fn unified_cgroup() -> bool {
    // The one file whose presence says "version 2 and nothing else" (cgroups(7)); reading
    // mountinfo would cost every start a page of text.
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn hostname(config: &Config, record: &ContainerRecord) -> String {
    if let Some(name) = &config.process.hostname {
        return name.clone();
    }
    // docker: on the host's network the host's name stays.
    match config.network.mode {
        NetworkMode::Host => nix::unistd::gethostname()
            .ok()
            .and_then(|name| name.into_string().ok())
            .unwrap_or_else(|| record.id.short().to_owned()),
        _ => record.id.short().to_owned(),
    }
}

fn rootfs(
    engine: &Engine<'_>,
    request: &RunRequest,
    source: &Source,
    dir: &ContainerDir,
    mapped: bool,
) -> Result<Rootfs> {
    let mut overlay = Overlay {
        base: engine.store.layers().dir(),
        lowers: Vec::new(),
        folders: Vec::new(),
        container: dir.path().to_owned(),
        on_tmpfs: false,
        volatile: request.remove,
        userxattr: mapped || engine.mode != Mode::Root || engine.host.euid() != 0,
        mapped,
        search: engine.host.search_path(),
    };
    match source {
        Source::Image(record, _) => {
            let shown = record.layers.iter().skip(record.stack.hidden);
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
            let folders = record.stack.folders.iter().map(|folder| {
                let path = PathBuf::from(&folder.path);
                let source = Path::new(&folder.from.hex()).join(&path);
                (path, source)
            });
            overlay.folders = folders.collect();
            Ok(Rootfs::Overlay(overlay))
        }
        // The host itself, under an overlay so that nothing of it changes. The writable layer
        // cannot lie inside its own lower directory, so it is a tmpfs.
        Source::Directory(path) if path == Path::new("/") => {
            overlay.base = PathBuf::from("/");
            overlay.lowers.push(PathBuf::from("/"));
            overlay.on_tmpfs = true;
            Ok(Rootfs::Overlay(overlay))
        }
        Source::Directory(path) => Ok(Rootfs::Directory(path.clone())),
    }
}

fn user(
    engine: &Engine<'_>,
    config: &Config,
    image: &ContainerConfig,
    dir: &ContainerDir,
) -> UserRequest {
    let keep = match (&config.security.userns, engine.mode) {
        (Userns::KeepId { uid, gid }, Mode::Subid | Mode::Single) => Some((
            uid.unwrap_or(engine.host.euid()),
            gid.unwrap_or(engine.host.egid()),
        )),
        _ => None,
    };
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
        keep_groups: config.process.keep_groups || engine.mode == Mode::Single,
        single_id: engine.mode == Mode::Single,
        default_ids: keep,
        entry: keep.map(|(uid, _)| UserEntry {
            name: engine
                .host
                .user_name()
                .map_or_else(|| uid.to_string(), str::to_owned),
            dir: dir.path().to_owned(),
        }),
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
fn identity(engine: &Engine<'_>, config: &Config, userns: bool) -> Identity {
    let root = !matches!(config.security.userns, Userns::KeepId { .. });
    if engine.mode == Mode::Single && userns && root {
        Identity::best()
    } else {
        Identity::Real
    }
}

fn seccomp_program(
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
