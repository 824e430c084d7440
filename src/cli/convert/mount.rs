//! Mount flags to mounts.

use super::Surroundings;
use crate::cli::args::MountArgs;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::common::{Error, Kind, Result};
use crate::spec::config::{Config, ImageVolumes, Mount, VolumesFrom};

/// Fills mounts, the read-only flag and the size of `/dev/shm`.
///
/// # Errors
/// Bad values, and two mounts on one path (docker: "Duplicate mount point"). A `--tmpfs` under a
/// `-v` of the same path is a duplicate too.
pub(crate) fn mounts(
    args: &MountArgs,
    around: &Surroundings<'_>,
    config: &mut Config,
) -> Result<()> {
    let place = &around.place;
    if let Some(option) = args.storage_opt.first() {
        return Err(Error::new(Kind::Unsupported, "use --storage-opt", option)
            .because("ketch's storage has no driver and no quota for a container's layer")
            .hint("--read-only with --tmpfs PATH:size=… bounds what a container writes"));
    }
    let mut mounts: Vec<Mount> = Vec::new();
    for text in &args.volume {
        mounts.push(parse::volume::parse(text, place)?);
    }
    for text in &args.mount {
        mounts.push(parse::mount::parse(text, place)?);
    }
    for text in &args.tmpfs {
        mounts.push(parse::tmpfs::parse(text, place.copy_up)?);
    }
    let mut mounts = distinct(mounts, around.personality)?;
    let writable = args.read_only_tmpfs;
    if args.read_only && writable.unwrap_or(around.personality == Personality::Podman) {
        add_scratch(&mut mounts)?;
    }
    config.mounts = mounts;
    for text in &args.volumes_from {
        config.volumes_from.push(volumes_from(text)?);
    }
    config.read_only = args.read_only;
    config.gives_new_volumes = around.personality == Personality::Podman;
    config.image_volumes = match args.image_volume.as_deref() {
        None | Some("" | "bind" | "anonymous") => ImageVolumes::Kept,
        Some("tmpfs") => ImageVolumes::Tmpfs,
        Some("ignore") => ImageVolumes::Ignored,
        Some(other) => {
            let why = "use bind, tmpfs or ignore";
            return Err(parse::bad("--image-volume", other, why));
        }
    };
    config.shm_size = match &args.shm_size {
        Some(text) => Some(parse::number::size("--shm-size", text)?).filter(|size| *size > 0),
        None => None,
    };
    Ok(())
}

/// One mount for each target. docker refuses a second one whatever it is, podman takes the same
/// again for what it has.
fn distinct(mounts: Vec<Mount>, personality: Personality) -> Result<Vec<Mount>> {
    let mut kept: Vec<Mount> = Vec::new();
    for mount in mounts {
        match kept.iter().find(|other| other.target == mount.target) {
            None => kept.push(mount),
            Some(same) if *same == mount && personality == Personality::Podman => {}
            Some(_) => {
                return Err(Error::new(Kind::Usage, "set up mounts", "")
                    .because(format!("Duplicate mount point: {}", mount.target)));
            }
        }
    }
    Ok(kept)
}

/// podman's `--read-only-tmpfs`: places that programs need to write to.
fn add_scratch(mounts: &mut Vec<Mount>) -> Result<()> {
    for text in ["/tmp", "/var/tmp", "/run:exec"] {
        let mount = parse::tmpfs::parse(text, true)?;
        if mounts.iter().all(|other| other.target != mount.target) {
            mounts.push(mount);
        }
    }
    Ok(())
}

/// `CONTAINER[:ro|rw|z|Z]`; labels are nothing where there is no SELinux.
fn volumes_from(text: &str) -> Result<VolumesFrom> {
    let (container, options) = text.split_once(':').unwrap_or((text, ""));
    if container.is_empty() {
        return Err(parse::bad(
            "--volumes-from",
            text,
            "the container is missing",
        ));
    }
    let mut read_only = false;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            "rw" | "z" | "Z" => {}
            _ => {
                return Err(parse::bad(
                    "--volumes-from",
                    text,
                    "invalid mode: use ro or rw",
                ));
            }
        }
    }
    Ok(VolumesFrom {
        container: container.to_owned(),
        read_only,
    })
}
