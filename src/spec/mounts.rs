//! The mounts section: the file systems every container has, then the user's.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{Mount as OciMount, MountBuilder};

use super::config::{
    BindOptions, Config, HostsFile, Ipc, Mount, MountKind, NamespaceMode, Propagation, Systemd,
    Userns,
};
use super::generate::{Inputs, VolumeSource, built};
use crate::common::{Error, Kind, Result};
use crate::host::idmap;

/// The group of terminals in every distribution.
const TTY: u32 = 5;
/// docker's size of `/dev/shm`.
const SHM_SIZE: u64 = 64 << 20;

/// Option of a bind: its source is a volume of the store (mount(8) leaves such names to programs).
const VOLUME: &str = "x-ketch.volume";
/// Option of a bind: an empty source gets what the image has at the target.
const FILL: &str = "x-ketch.fill";
/// Option of a bind: as [`FILL`], and where the image has nothing there it is the payload's user's.
const GIVE: &str = "x-ketch.give";
/// Option of a bind: what below the source is mounted.
const SUBPATH: &str = "x-ketch.subpath=";

/// All mounts in the order they are made: a parent before what lies on it.
pub(super) fn mounts(inputs: &Inputs<'_>) -> Result<Vec<OciMount>> {
    let config = inputs.config;
    let mut list = defaults(inputs)?;
    let mut user: Vec<&Mount> = config.mounts.iter().collect();
    user.sort_by_key(|mount| {
        mount
            .target
            .split('/')
            .filter(|part| !part.is_empty())
            .count()
    });
    for mount in &user {
        list.retain(|default| default.destination() != Path::new(&mount.target));
    }
    for (index, mount) in user.iter().enumerate() {
        list.push(user_mount(
            inputs,
            mount,
            &inputs.container.join(format!("overlay-{index}")),
        )?);
    }
    if let Some(etc) = &inputs.etc {
        let network = &config.network;
        let own_hosts = !network.no_hosts && network.hosts_file != Some(HostsFile::Image);
        let own_resolvers = network.dns.iter().all(|server| server != "none");
        let files = [
            ("/etc/hosts", own_hosts.then_some(&etc.hosts)),
            ("/etc/hostname", etc.hostname.as_ref()),
            (
                "/etc/resolv.conf",
                own_resolvers.then_some(&etc.resolv_conf),
            ),
            ("/etc/localtime", etc.localtime.as_ref()),
            ("/run/.containerenv", etc.containerenv.as_ref()),
        ];
        let files = files
            .into_iter()
            .filter_map(|(target, source)| Some((target, source?)));
        for (target, source) in files {
            if user.iter().all(|mount| mount.target != target) {
                list.push(bind(
                    target,
                    source,
                    &["bind", "rprivate", "nosuid", "nodev"],
                )?);
            }
        }
    }
    Ok(list)
}

fn new(target: &str, fstype: &str, options: &[&str]) -> Result<OciMount> {
    let options: Vec<String> = options
        .iter()
        .filter(|o| !o.is_empty())
        .map(|o| (*o).to_owned())
        .collect();
    let mount = MountBuilder::default()
        .destination(target)
        .typ(fstype)
        .source(fstype)
        .options(options);
    built(mount.build())
}

fn bind(target: &str, source: &Path, options: &[&str]) -> Result<OciMount> {
    let options: Vec<String> = options.iter().map(|o| (*o).to_owned()).collect();
    let mount = MountBuilder::default()
        .destination(target)
        .typ("bind")
        .source(source)
        .options(options);
    built(mount.build())
}

/// moby's default mounts (`oci/defaults.go`), and for shared namespaces the host's own.
fn defaults(inputs: &Inputs<'_>) -> Result<Vec<OciMount>> {
    let config: &Config = inputs.config;
    let security = &config.security;
    let safe = ["nosuid", "noexec", "nodev"];
    let rootless = inputs.maps.is_some();
    let mut list = Vec::new();
    // The host's pid namespace belongs to the host's user namespace, where no new proc of it
    // can be mounted from below.
    if security.pid == NamespaceMode::Host && rootless {
        list.push(bind(
            "/proc",
            Path::new("/proc"),
            &["rbind", "rslave", "nosuid", "noexec", "nodev"],
        )?);
    } else {
        list.push(new("/proc", "proc", &safe)?);
    }
    list.push(new(
        "/dev",
        "tmpfs",
        &["nosuid", "mode=755", "size=65536k"],
    )?);
    // Group 5 (tty) exists for the kernel only where it is mapped.
    let has_tty = inputs
        .maps
        .is_none_or(|maps| idmap::outside(&maps.gids, TTY).is_some());
    let tty_group = if has_tty { "gid=5" } else { "" };
    list.push(new(
        "/dev/pts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            tty_group,
        ],
    )?);
    let sys_mode = if security.privileged { "rw" } else { "ro" };
    if config.network.mode.is_own() || !rootless {
        list.push(new(
            "/sys",
            "sysfs",
            &["nosuid", "noexec", "nodev", sys_mode],
        )?);
    } else {
        list.push(bind(
            "/sys",
            Path::new("/sys"),
            &["rbind", "rslave", "nosuid", "noexec", "nodev", sys_mode],
        )?);
    }
    let cgroup_mode = match config.process.systemd {
        Systemd::Always => "rw",
        _ => sys_mode,
    };
    if inputs.unified_cgroup {
        list.push(new(
            "/sys/fs/cgroup",
            "cgroup2",
            &["nosuid", "noexec", "nodev", cgroup_mode],
        )?);
    }
    list.extend(ipc_mounts(config)?);
    Ok(list)
}

/// Message queues and shared memory: the container's own, or the host's with its IPC namespace.
/// Another container's memory takes the place of the own one when its namespaces are entered.
fn ipc_mounts(config: &Config) -> Result<Vec<OciMount>> {
    let safe = ["nosuid", "noexec", "nodev"];
    if config.security.ipc == Ipc::Host {
        return ["/dev/mqueue", "/dev/shm"]
            .into_iter()
            .filter(|path| Path::new(path).is_dir())
            .map(|path| {
                bind(
                    path,
                    Path::new(path),
                    &["rbind", "nosuid", "noexec", "nodev"],
                )
            })
            .collect();
    }
    let size = format!("size={}", config.shm_size.unwrap_or(SHM_SIZE));
    let shm = ["nosuid", "noexec", "nodev", "mode=1777", &size];
    let mut list = vec![new("/dev/mqueue", "mqueue", &safe)?];
    if config.security.ipc != Ipc::None {
        list.push(new("/dev/shm", "tmpfs", &shm)?);
    }
    Ok(list)
}

/// One mount that was asked for; `own` is where changes to it may go.
fn user_mount(inputs: &Inputs<'_>, mount: &Mount, own: &Path) -> Result<OciMount> {
    let mut options: Vec<String> = Vec::new();
    let mut flag = |on: bool, word: &str| {
        if on {
            options.push(word.to_owned());
        }
    };
    flag(mount.read_only, "ro");
    flag(mount.no_exec, "noexec");
    flag(mount.no_suid, "nosuid");
    flag(mount.no_dev, "nodev");
    match &mount.kind {
        MountKind::Tmpfs {
            size,
            mode,
            copy_up,
        } => {
            if let Some(mode) = mode {
                options.push(format!("mode={mode:o}"));
            }
            if let Some(size) = size {
                options.push(format!("size={size}"));
            }
            if *copy_up {
                options.push("tmpcopyup".to_owned());
            }
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            new(&mount.target, "tmpfs", &options)
        }
        MountKind::Bind {
            source,
            options: bind_options,
        } => host_path(mount, (source, bind_options), options, own),
        MountKind::Layers {
            lowers,
            attributes_of_user,
        } => {
            if *attributes_of_user {
                options.push("userxattr".to_owned());
            }
            layers(mount, lowers, options, own)
        }
        MountKind::Volume { .. } => volume(inputs, mount, options, own),
        MountKind::Image { name, .. } => {
            Err(Error::new(Kind::Bug, "mount image", name).because("nobody has looked it up"))
        }
    }
}

/// A bind of a path of the host.
fn host_path(
    mount: &Mount,
    (source, bind_options): (&str, &BindOptions),
    mut options: Vec<String>,
    own: &Path,
) -> Result<OciMount> {
    prepare_source(source, bind_options)?;
    options.push(
        if bind_options.non_recursive {
            "bind"
        } else {
            "rbind"
        }
        .to_owned(),
    );
    options.push(propagation(bind_options.propagation).to_owned());
    if bind_options.recursive_read_only {
        options.push("rro".to_owned());
    }
    if bind_options.id_map {
        options.push("idmap".to_owned());
    }
    if bind_options.overlay {
        options.push(overlay(own)?);
    }
    if bind_options.chown {
        options.push("U".to_owned());
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    bind(&mount.target, Path::new(source), &options)
}

/// A tree of several layers; what is changed is dropped with `own`.
fn layers(
    mount: &Mount,
    lowers: &[PathBuf],
    mut options: Vec<String>,
    own: &Path,
) -> Result<OciMount> {
    let lowers: Vec<String> = lowers
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    options.push(format!("lowerdir={}", lowers.join(":")));
    if !mount.read_only {
        overlay(own)?;
        let own = own.display();
        options.push(format!("upperdir={own}/upper"));
        options.push(format!("workdir={own}/work"));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    new(&mount.target, "overlay", &options)
}

/// Makes the place for what a container changes of a mount; the option that says so.
fn overlay(own: &Path) -> Result<String> {
    for name in ["upper", "work"] {
        let dir = own.join(name);
        std::fs::create_dir_all(&dir).map_err(|error| Error::io("make directory", &dir, error))?;
    }
    Ok(format!("O={}", own.display()))
}

/// A volume: a bind of its directory, which init fills first with what the image has there.
fn volume(
    inputs: &Inputs<'_>,
    mount: &Mount,
    mut options: Vec<String>,
    own: &Path,
) -> Result<OciMount> {
    let MountKind::Volume {
        name: Some(name),
        no_copy,
        chown,
        overlay: aside,
        id_map,
        subpath,
        ..
    } = &mount.kind
    else {
        return Err(
            Error::new(Kind::Bug, "mount volume at", &mount.target).because("nobody has named it")
        );
    };
    let source = inputs
        .volumes
        .get(name)
        .ok_or_else(|| Error::new(Kind::Bug, "mount volume", name).because("nobody has made it"))?;
    if *chown {
        options.push("U".to_owned());
    }
    let (path, more) = match source {
        VolumeSource::Tmpfs(_) if *aside || *id_map || subpath.is_some() => {
            return Err(Error::new(Kind::Usage, "mount volume", name)
                .because("a tmpfs has neither parts, an overlay nor owners on disk"));
        }
        VolumeSource::Tmpfs(data) => {
            check_owner(inputs, name, data)?;
            options.extend(data.iter().cloned());
            if !no_copy {
                options.push("tmpcopyup".to_owned());
            }
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            return new(&mount.target, "tmpfs", &options);
        }
        VolumeSource::Own(path) => (path, vec!["rbind".to_owned(), VOLUME.to_owned()]),
        VolumeSource::Path(path, more) => (path, more.clone()),
    };
    options.extend(more);
    options.push("rprivate".to_owned());
    if *id_map {
        options.push("idmap".to_owned());
    }
    if *aside {
        options.push(overlay(own)?);
    }
    if let Some(below) = subpath {
        options.push(format!("{SUBPATH}{below}"));
    }
    if !no_copy && !aside && subpath.is_none() {
        options.push(FILL.to_owned());
        let is_keeping = matches!(inputs.config.security.userns, Userns::KeepId { .. });
        if inputs.config.gives_new_volumes || is_keeping {
            options.push(GIVE.to_owned());
        }
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    bind(&mount.target, path, &options)
}

/// Whether the container has the ids that a tmpfs is to belong to: the kernel says of others no
/// more than that an argument is invalid.
fn check_owner(inputs: &Inputs<'_>, volume: &str, data: &[String]) -> Result<()> {
    let refused = |why: String| Error::new(Kind::Usage, "mount volume", volume).because(why);
    for option in data {
        let (kind, number) = match option.split_once('=') {
            Some(("uid", number)) => ("user", number),
            Some(("gid", number)) => ("group", number),
            _ => continue,
        };
        let id: u32 = number
            .parse()
            .map_err(|_| refused(format!("its option {option} has no number")))?;
        let Some(maps) = inputs.maps else { continue };
        let map = if kind == "user" {
            &maps.uids
        } else {
            &maps.gids
        };
        if idmap::outside(map, id).is_none() {
            let why = format!(
                "its option {option} is not possible: the container's {kind} ids are {}",
                idmap::words(map)
            );
            return Err(refused(why).hint(format!(
                "make the volume with one of those, or without {}=",
                &option[..3]
            )));
        }
    }
    Ok(())
}

/// docker makes a missing source of `-v`; `--mount` and podman refuse it.
fn prepare_source(source: &str, options: &BindOptions) -> Result<()> {
    let path = Path::new(source);
    match path.symlink_metadata() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && options.create_source => {
            std::fs::create_dir_all(path)
                .map_err(|error| Error::io("make bind source", path, error))
        }
        Err(error) => Err(Error::io("bind", path, error)
            .hint("make the source first, or use -v, which makes a missing directory")),
    }
}

fn propagation(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::RPrivate => "rprivate",
        Propagation::Private => "private",
        Propagation::RSlave => "rslave",
        Propagation::Slave => "slave",
        Propagation::RShared => "rshared",
        Propagation::Shared => "shared",
        Propagation::RUnbindable => "runbindable",
        Propagation::Unbindable => "unbindable",
    }
}
