//! Volumes of a container: chosen when it is created, found at each start, removed with it when
//! they have no name.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::common::{Error, Kind, Mode};
use crate::engine::{Engine, volume};
use crate::oci::ContainerConfig;
use crate::spec::VolumeSource;
use crate::spec::config::{BindOptions, Config, ImageVolumes, Mount, MountKind, VolumeMake};
use crate::store::{ContainerRecord, VolumeRecord};

/// Adds a volume for each path that the image declares and nothing is mounted at, and gives
/// anonymous volumes their names. Makes nothing.
///
/// # Errors
/// `NotFound` for a volume that has to be there and is not.
pub(super) fn choose(
    engine: &Engine<'_>,
    config: &mut Config,
    image: &ContainerConfig,
) -> Result<()> {
    declared(config, image);
    for mount in &mut config.mounts {
        let mapped = match &mount.kind {
            MountKind::Bind { source, options } if options.id_map => Some(source),
            MountKind::Volume {
                name, id_map: true, ..
            } => Some(name.as_ref().unwrap_or(&mount.target)),
            _ => None,
        };
        if let Some(source) = mapped
            && engine.mode != Mode::Root
        {
            return Err(Error::new(Kind::Unsupported, "map the owners of", source)
                .because("the kernel does that for root alone")
                .hint("--userns=keep-id shows your own files as yours, U changes the owners")
                .into());
        }
        if let MountKind::Volume {
            name: Some(name),
            no_create: true,
            ..
        } = &mount.kind
        {
            engine.store.volumes().named(name)?;
        }
        if let MountKind::Volume {
            make: Some(make),
            name,
            ..
        } = &mount.kind
        {
            check(&record(
                name.as_deref().unwrap_or(&mount.target),
                Some(make),
            ))?;
        }
        if let MountKind::Volume {
            name: name @ None, ..
        } = &mut mount.kind
        {
            *name = Some(volume::anonymous()?.name);
        }
    }
    Ok(())
}

/// An absolute path without `.` and `..`; `None` for the root, which is no place for a volume.
fn clean(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()),
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| format!("/{}", parts.join("/")))
}

/// What stands for each volume of the image that nothing is mounted at.
fn declared(config: &mut Config, image: &ContainerConfig) {
    let wanted = config.image_volumes;
    for path in image.volumes.keys() {
        let Some(target) = clean(path) else { continue };
        if wanted != ImageVolumes::Ignored
            && config.mounts.iter().all(|mount| mount.target != target)
        {
            config.mounts.push(Mount {
                target,
                kind: match wanted {
                    // podman: with what the image has there.
                    ImageVolumes::Tmpfs => MountKind::Tmpfs {
                        size: None,
                        mode: None,
                        copy_up: true,
                    },
                    _ => MountKind::Volume {
                        name: None,
                        anonymous: true,
                        no_copy: false,
                        chown: false,
                        overlay: false,
                        id_map: false,
                        no_create: false,
                        make: None,
                        subpath: None,
                    },
                },
                read_only: false,
                no_exec: false,
                no_suid: false,
                no_dev: false,
            });
        }
    }
}

/// Makes the volumes that are not there yet, and says where each comes from. The container is on
/// record already, so that nobody removes them meanwhile.
pub(super) fn sources(
    engine: &Engine<'_>,
    config: &Config,
) -> Result<BTreeMap<String, VolumeSource>> {
    let mut sources = BTreeMap::new();
    for mount in &config.mounts {
        let MountKind::Volume {
            name: Some(name),
            anonymous,
            make,
            ..
        } = &mount.kind
        else {
            continue;
        };
        let wanted = VolumeRecord {
            anonymous: *anonymous,
            ..record(name, make.as_ref())
        };
        let (record, made) = engine.store.volumes().ensure(&wanted)?;
        if made {
            volume::note(engine, &record, "create");
        }
        sources.insert(name.clone(), source(engine, &record)?);
    }
    Ok(sources)
}

/// A new volume as a mount asks for it.
fn record(name: &str, make: Option<&VolumeMake>) -> VolumeRecord {
    let plain = VolumeRecord::new(name);
    match make {
        None => plain,
        Some(make) => VolumeRecord {
            driver: make.driver.clone().unwrap_or(plain.driver),
            labels: make.labels.clone(),
            options: make.options.clone(),
            ..VolumeRecord::new(name)
        },
    }
}

/// Refuses what no driver can give.
///
/// # Errors
/// `Usage` or `Unsupported`, saying what.
pub(crate) fn check(record: &VolumeRecord) -> Result<(), Error> {
    parse(record).map(drop)
}

/// Where a volume's content comes from, by its driver and options.
enum Content {
    Own,
    Path(PathBuf, Vec<String>),
    Tmpfs(Vec<String>),
}

fn source(engine: &Engine<'_>, record: &VolumeRecord) -> Result<VolumeSource> {
    Ok(match parse(record)? {
        Content::Own => VolumeSource::Own(engine.store.volumes().data(&record.name)),
        Content::Path(path, options) => VolumeSource::Path(path, options),
        Content::Tmpfs(options) => VolumeSource::Tmpfs(options),
    })
}

/// The words of `mount -t TYPE -o O DEVICE` as docker's local driver takes them.
fn parse(record: &VolumeRecord) -> Result<Content, Error> {
    let refused =
        |kind: Kind, why: String| Err(Error::new(kind, "make volume", &record.name).because(why));
    let mut options = record.options.clone();
    let o = options.remove("o").unwrap_or_default();
    let device = options.remove("device");
    let kind = options.remove("type").unwrap_or_default();
    if let Some(unknown) = options.keys().next() {
        return refused(
            Kind::Usage,
            format!("unknown option {unknown:?}: type, device and o are known"),
        );
    }
    let words: Vec<String> = o
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let bind = words.iter().any(|word| word == "bind" || word == "rbind");
    match (record.driver.as_str(), kind.as_str()) {
        ("tmpfs", "" | "tmpfs") | ("local", "tmpfs") => Ok(Content::Tmpfs(words)),
        ("local", "" | "none" | "bind") if bind || kind == "bind" => match device {
            Some(device) if Path::new(&device).is_absolute() => {
                let mut words = words;
                if !bind {
                    words.push("rbind".to_owned());
                }
                Ok(Content::Path(PathBuf::from(device), words))
            }
            _ => refused(Kind::Usage, "a bind needs device=/absolute/path".to_owned()),
        },
        ("local", "") if device.is_none() && words.is_empty() => Ok(Content::Own),
        ("local", "" | "none") => refused(
            Kind::Usage,
            "say type=none, o=bind and device=/path, or type=tmpfs".to_owned(),
        ),
        ("local", other) => refused(
            Kind::Unsupported,
            format!(
                "file systems of type {other} are not mounted for containers; mount it on the host, and use o=bind with device=/path"
            ),
        ),
        (driver, _) => refused(
            Kind::Usage,
            format!("there is no driver {driver}: local and tmpfs are known"),
        ),
    }
}

/// The same mounts with volumes as binds of where their content is, for who opens the files of a
/// container that does not run; a tmpfs holds nothing then.
pub(super) fn as_binds(engine: &Engine<'_>, mounts: Vec<Mount>) -> Vec<Mount> {
    let bind = |mut mount: Mount| {
        let MountKind::Volume {
            name: Some(name),
            subpath: None,
            overlay: false,
            ..
        } = &mount.kind
        else {
            return Some(mount).filter(|mount| !matches!(mount.kind, MountKind::Volume { .. }));
        };
        let record = engine.store.volumes().named(name).ok()?;
        let source = match source(engine, &record).ok()? {
            VolumeSource::Own(path) | VolumeSource::Path(path, _) => path.display().to_string(),
            VolumeSource::Tmpfs(_) => return None,
        };
        let options = BindOptions::default();
        mount.kind = MountKind::Bind { source, options };
        Some(mount)
    };
    mounts.into_iter().filter_map(bind).collect()
}

/// Removes the volumes without a name of a container that is gone, unless another one borrows
/// them. Returns what only its owner can delete.
pub(super) fn discard_anonymous(
    engine: &Engine<'_>,
    record: &ContainerRecord,
) -> Vec<(PathBuf, Error)> {
    let mut left = Vec::new();
    for mount in volume::mounts(record) {
        let MountKind::Volume {
            name: Some(name),
            anonymous: true,
            ..
        } = mount.kind
        else {
            continue;
        };
        // One that another container borrows, or that is gone, is no failure of this removal.
        let users = || volume::users_of(engine, &name);
        if let Ok(purged) = engine.store.volumes().remove(&name, users) {
            volume::note(engine, &VolumeRecord::new(&name), "destroy");
            left.extend(purged.left);
        }
    }
    left
}
