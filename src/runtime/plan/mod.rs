//! All decisions of a start, made before the fork: a pure function of the specification and of
//! what OCI's document cannot say (`Extras`).

mod caps;
mod entry;
mod mounts;
mod secret;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use nix::sched::CloneFlags;
use oci_spec::runtime::{
    Linux, LinuxDevice, LinuxDeviceType, LinuxIdMapping, LinuxNamespaceType, PosixRlimit, Process,
    Spec,
};

use crate::common::{Error, Kind, Mode, Result};
use crate::sys::credentials::CapSet;
use crate::sys::namespace::IdMap;

pub(crate) use entry::{Entry, entry};
pub(crate) use mounts::{MountStep, Source};
pub(crate) use secret::SecretFile;

/// What init does, in data.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// New namespaces, the user namespace included; the cgroup one is apart.
    pub(crate) namespaces: CloneFlags,
    /// A new cgroup namespace: made at the clone, or by init once it has joined its cgroup.
    pub(crate) cgroup_namespace: bool,
    /// Id maps of the new user namespace.
    pub(crate) maps: Option<Maps>,
    /// Where `/` comes from.
    pub(crate) rootfs: Rootfs,
    /// The root becomes read-only once everything is mounted.
    pub(crate) read_only: bool,
    /// Mounts in order.
    pub(crate) mounts: Vec<MountStep>,
    /// Devices beside the default ones.
    pub(crate) devices: Vec<DeviceStep>,
    /// Device nodes can be made; otherwise the host's are bound.
    pub(crate) make_devices: bool,
    /// Device nodes that the payload makes itself must not work: it has the host's CAP_MKNOD.
    pub(crate) guard_devices: bool,
    /// Hidden paths.
    pub(crate) masked: Vec<String>,
    /// Read-only paths.
    pub(crate) read_only_paths: Vec<String>,
    /// Kernel parameters of the new namespaces.
    pub(crate) sysctls: BTreeMap<String, String>,
    /// Host name of a new UTS namespace.
    pub(crate) hostname: Option<String>,
    /// NIS domain name, likewise.
    pub(crate) domainname: Option<String>,
    /// Bring up `lo`.
    pub(crate) loopback: bool,
    /// The caller connects the new network namespace.
    pub(crate) connect: Option<Connect>,
    /// A terminal of its own.
    pub(crate) terminal: bool,
    /// Standard input stays open.
    pub(crate) interactive: bool,
    /// Process 1 is a reaper.
    pub(crate) reaper: bool,
    /// Everything is made, and the first process waits for the word to become the payload.
    pub(crate) held: bool,
    /// Joins a container instead of making one, and inherits this many descriptors beside the
    /// standard streams; see [`entry`].
    pub(crate) entering: Option<u32>,
    /// Descriptors of the caller that the payload inherits, beside those of `entering`.
    pub(crate) preserve: Vec<i32>,
    /// Files below `/run/secrets`.
    pub(crate) secrets: Vec<SecretFile>,
    /// What cannot be given in full is a failure, not a warning.
    pub(crate) strict: bool,
    /// The payload.
    pub(crate) process: ProcessPlan,
}

/// A network namespace that is connected from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    /// Sockets for a resolver at 127.0.0.11 are wanted.
    pub(crate) resolver: bool,
}

/// One resource limit of the payload; `u64::MAX` is unlimited.
#[derive(Debug, Clone)]
pub(crate) struct Rlimit {
    /// The kernel's number.
    pub(crate) resource: u32,
    /// The name in `--ulimit`.
    pub(crate) name: &'static str,
    /// What counts.
    pub(crate) soft: u64,
    /// How far the payload may raise it.
    pub(crate) hard: u64,
}

impl Plan {
    /// The kernel's tie between the caller's end and the payload's is cut when the payload
    /// changes its user or executes a set-uid file. A reaper does neither, and with one id
    /// there is no other user.
    pub(crate) fn is_slippery(&self) -> bool {
        !self.reaper && !self.process.user.single_id
    }
}

/// The payload's own settings.
#[derive(Debug, Clone)]
pub(crate) struct ProcessPlan {
    /// Program and arguments; never empty.
    pub(crate) args: Vec<String>,
    /// `KEY=value`; `HOME` is added from the passwd file when missing.
    pub(crate) env: Vec<String>,
    /// Working directory.
    pub(crate) cwd: String,
    /// It is made when missing.
    pub(crate) makes_cwd: bool,
    /// Who.
    pub(crate) user: UserRequest,
    /// Capabilities of a process that is root inside.
    pub(crate) caps: CapSet,
    /// No rights by exec.
    pub(crate) no_new_privileges: bool,
    /// Resource limits.
    pub(crate) rlimits: Vec<Rlimit>,
    /// oom_score_adj.
    pub(crate) oom_score_adj: Option<i32>,
    /// umask; 022 when not asked.
    pub(crate) umask: u32,
    /// seccomp program as raw `sock_filter`s; empty for none.
    pub(crate) seccomp: Vec<u8>,
    /// The program has notifications: a listener goes to the parent.
    pub(crate) listener: bool,
}

/// Who the payload runs as, before the image's passwd file was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserRequest {
    /// `user[:group]`, empty for root.
    pub(crate) text: String,
    /// `--group-add`, names or numbers.
    pub(crate) groups: Vec<String>,
    /// The caller's supplementary groups stay.
    pub(crate) keep_groups: bool,
    /// The map has this one id for users and groups: another user gets a nested user
    /// namespace in which it is the one.
    pub(crate) single_id: bool,
    /// Ids that win over `text` when it is empty (`--userns keep-id`).
    pub(crate) default_ids: Option<(u32, u32)>,
    /// Lines for the image's passwd and group files, where they lack them.
    pub(crate) entry: Option<UserEntry>,
}

/// Users that an image may not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserEntry {
    /// Login name of `default_ids`.
    pub(crate) caller: Option<String>,
    /// A number that was asked for gets a line too.
    pub(crate) numbers: bool,
    /// Users of the host that are known inside.
    pub(crate) hosts: Vec<HostUser>,
    /// The line of passwd(5) with variables to replace; `None` for podman's.
    pub(crate) passwd: Option<String>,
    /// The line of group(5), likewise.
    pub(crate) group: Option<String>,
    /// Directory of the container's own for the completed files.
    pub(crate) dir: PathBuf,
}

/// A user of the host, with its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostUser {
    /// Login name.
    pub(crate) name: String,
    /// User id.
    pub(crate) uid: u32,
    /// Group id.
    pub(crate) gid: u32,
    /// What the person is called.
    pub(crate) comment: String,
    /// Home directory.
    pub(crate) home: String,
    /// Name of the group.
    pub(crate) group: String,
}

/// Id maps and who writes them.
#[derive(Debug, Clone)]
pub(crate) struct Maps {
    /// User ids.
    pub(crate) uids: Vec<IdMap>,
    /// Group ids.
    pub(crate) gids: Vec<IdMap>,
    /// Who writes them.
    pub(crate) writer: MapWriter,
}

/// Who may write a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MapWriter {
    /// Init itself: one id, its own.
    Init,
    /// The parent, as root.
    Parent,
    /// They are written: the user namespace is another container's.
    Nobody,
    /// newuidmap and newgidmap.
    Helpers {
        /// Path of newuidmap.
        newuidmap: PathBuf,
        /// Path of newgidmap.
        newgidmap: PathBuf,
    },
}

/// Where the container's root comes from.
#[derive(Debug, Clone)]
pub(crate) enum Rootfs {
    /// A directory as it is.
    Directory(PathBuf),
    /// An overlay that init mounts, so that the host's mount table never grows.
    Overlay(Overlay),
}

/// An overlay to mount.
#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    /// Directory that `lowers` are relative to: short names, since mount(2) takes one page.
    pub(crate) base: PathBuf,
    /// Lower directories, topmost first.
    pub(crate) lowers: Vec<PathBuf>,
    /// Directories, parents first, that the upper directory has to show: path below the root
    /// (empty for the root itself), and below `base` the directory whose owner, mode, times and
    /// attributes it gets. The root of an overlay is always the upper directory's.
    pub(crate) folders: Vec<(PathBuf, PathBuf)>,
    /// Directory with `upper`, `work` and the mount point `rootfs`.
    pub(crate) container: PathBuf,
    /// The upper directory shows them already: an earlier start has made them, and what the
    /// container did to them since is its own.
    pub(crate) shown: bool,
    /// Upper and work live on a tmpfs of the container's own.
    pub(crate) on_tmpfs: bool,
    /// Skip syncing at unmount: what is written may be lost in a crash.
    pub(crate) volatile: bool,
    /// `user.` instead of `trusted.` attributes.
    pub(crate) userxattr: bool,
    /// The store's files belong to true owners and are shown to a user namespace as its own.
    pub(crate) mapped: bool,
    /// Where helper programs are looked for, as in `PATH`.
    pub(crate) search: Option<OsString>,
}

/// A device for the container.
#[derive(Debug, Clone)]
pub(crate) struct DeviceStep {
    /// Path in the container.
    pub(crate) target: String,
    /// Path on the host.
    pub(crate) source: PathBuf,
    /// `S_IFCHR` or `S_IFBLK`, with permissions.
    pub(crate) mode: u32,
    /// Major number.
    pub(crate) major: u32,
    /// Minor number.
    pub(crate) minor: u32,
}

/// What a specification cannot say.
#[derive(Debug, Clone)]
pub(crate) struct Extras {
    /// The rootfs.
    pub(crate) rootfs: Rootfs,
    /// Identity mode.
    pub(crate) mode: Mode,
    /// Who writes the id maps.
    pub(crate) writer: MapWriter,
    /// The user, unresolved.
    pub(crate) user: UserRequest,
    /// Every device of the host is within reach.
    pub(crate) privileged: bool,
    /// `-i`.
    pub(crate) interactive: bool,
    /// `--init`.
    pub(crate) reaper: bool,
    /// `--strict`.
    pub(crate) strict: bool,
    /// Compiled seccomp program.
    pub(crate) seccomp: Vec<u8>,
    /// The program has notifications.
    pub(crate) listener: bool,
    /// Host paths of the devices in the specification, by container path.
    pub(crate) device_sources: BTreeMap<String, PathBuf>,
}

/// Makes the plan.
///
/// # Errors
/// `Usage` or `Unsupported` for a specification that asks for what cannot be done.
pub(crate) fn from_spec(spec: &Spec, extras: Extras) -> Result<Plan> {
    let bad =
        |what: &str| Error::new(Kind::Usage, "read specification", "").because(what.to_owned());
    let linux = spec
        .linux()
        .as_ref()
        .ok_or_else(|| bad("no linux section"))?;
    let process = spec.process().as_ref().ok_or_else(|| bad("no process"))?;
    let args = process.args().clone().unwrap_or_default();
    if args.is_empty() {
        return Err(bad("no command"));
    }
    let (namespaces, cgroup_namespace) = namespaces(linux);
    let userns = namespaces.contains(CloneFlags::CLONE_NEWUSER);
    let process_plan = process_plan(process, args, &extras);
    let devices = devices(linux, &extras);
    Ok(Plan {
        namespaces,
        cgroup_namespace,
        maps: userns.then(|| Maps {
            uids: map_lines(linux.uid_mappings()),
            gids: map_lines(linux.gid_mappings()),
            writer: extras.writer,
        }),
        rootfs: extras.rootfs,
        read_only: spec
            .root()
            .as_ref()
            .and_then(|root| root.readonly())
            .unwrap_or(false),
        mounts: spec
            .mounts()
            .iter()
            .flatten()
            .map(mounts::step)
            .collect::<Result<_>>()?,
        devices,
        make_devices: !userns && extras.mode == Mode::Root && extras.privileged,
        guard_devices: !userns && !extras.privileged,
        masked: linux.masked_paths().clone().unwrap_or_default(),
        read_only_paths: linux.readonly_paths().clone().unwrap_or_default(),
        sysctls: linux
            .sysctl()
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        hostname: spec.hostname().clone(),
        domainname: spec.domainname().clone(),
        loopback: namespaces.contains(CloneFlags::CLONE_NEWNET),
        connect: None,
        terminal: process.terminal().unwrap_or(false),
        interactive: extras.interactive,
        reaper: extras.reaper,
        held: false,
        entering: None,
        preserve: Vec::new(),
        secrets: Vec::new(),
        strict: extras.strict,
        process: process_plan,
    })
}

fn devices(linux: &Linux, extras: &Extras) -> Vec<DeviceStep> {
    let step = |device: &LinuxDevice| {
        let target = device.path().display().to_string();
        let kind = if device.typ() == LinuxDeviceType::B {
            libc::S_IFBLK
        } else {
            libc::S_IFCHR
        };
        DeviceStep {
            source: extras
                .device_sources
                .get(&target)
                .cloned()
                .unwrap_or_else(|| device.path().clone()),
            mode: device.file_mode().unwrap_or(0o666) | kind,
            major: device.major() as u32,
            minor: device.minor() as u32,
            target,
        }
    };
    linux.devices().iter().flatten().map(step).collect()
}

fn process_plan(process: &Process, args: Vec<String>, extras: &Extras) -> ProcessPlan {
    let caps = process
        .capabilities()
        .as_ref()
        .and_then(|caps| caps.bounding().as_ref());
    let limit = |limit: &PosixRlimit| {
        let (resource, name) = caps::rlimit(limit.typ());
        Rlimit {
            resource,
            name,
            soft: limit.soft(),
            hard: limit.hard(),
        }
    };
    ProcessPlan {
        args,
        env: process.env().clone().unwrap_or_default(),
        cwd: process.cwd().display().to_string(),
        makes_cwd: true,
        user: extras.user.clone(),
        caps: caps
            .into_iter()
            .flatten()
            .fold(0, |bits, cap| bits | 1 << caps::oci_number(*cap)),
        no_new_privileges: process.no_new_privileges().unwrap_or(false),
        rlimits: process.rlimits().iter().flatten().map(limit).collect(),
        oom_score_adj: process.oom_score_adj(),
        umask: process.user().umask().unwrap_or(0o022),
        seccomp: extras.seccomp.clone(),
        listener: extras.listener,
    }
}

fn namespaces(linux: &Linux) -> (CloneFlags, bool) {
    let mut flags = CloneFlags::empty();
    let mut cgroup = false;
    for namespace in linux.namespaces().iter().flatten() {
        flags |= match namespace.typ() {
            LinuxNamespaceType::Mount => CloneFlags::CLONE_NEWNS,
            LinuxNamespaceType::Uts => CloneFlags::CLONE_NEWUTS,
            LinuxNamespaceType::Ipc => CloneFlags::CLONE_NEWIPC,
            LinuxNamespaceType::User => CloneFlags::CLONE_NEWUSER,
            LinuxNamespaceType::Pid => CloneFlags::CLONE_NEWPID,
            LinuxNamespaceType::Network => CloneFlags::CLONE_NEWNET,
            LinuxNamespaceType::Cgroup => {
                cgroup = true;
                CloneFlags::empty()
            }
            // Time namespaces are entered by children only; nothing asks for one yet.
            LinuxNamespaceType::Time => CloneFlags::empty(),
        };
    }
    (flags, cgroup)
}

fn map_lines(lines: &Option<Vec<LinuxIdMapping>>) -> Vec<IdMap> {
    let line = |m: &LinuxIdMapping| IdMap {
        inside: m.container_id(),
        outside: m.host_id(),
        count: m.size(),
    };
    lines.iter().flatten().map(line).collect()
}
