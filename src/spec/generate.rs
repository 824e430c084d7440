//! The order in which a specification is put together.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use oci_spec::runtime::{
    LinuxBuilder, LinuxIdMappingBuilder, LinuxNamespaceBuilder, LinuxNamespaceType, RootBuilder,
    Spec, SpecBuilder,
};

use super::config::{Config, NamespaceMode};
use super::{devices, mounts, process, security};
use crate::common::{Error, Kind, Result};
use crate::host::IdMaps;
use crate::oci::ContainerConfig;
use crate::sys::namespace::IdMap;

/// What a specification is made from.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    /// What was asked.
    pub(crate) config: &'a Config,
    /// The image's defaults.
    pub(crate) image: &'a ContainerConfig,
    /// Networks are carried by a user's program, not by the kernel's bridges alone.
    pub(crate) rootless: bool,
    /// Maps of a new user namespace; `None` to stay in the caller's.
    pub(crate) maps: Option<&'a IdMaps>,
    /// Host name, decided by the caller.
    pub(crate) hostname: String,
    /// Generated files for `/etc`.
    pub(crate) etc: Option<EtcFiles>,
    /// The host has only cgroup v2.
    pub(crate) unified_cgroup: bool,
    /// Where the rootfs will be, for the record.
    pub(crate) rootfs: PathBuf,
    /// Directory for things the container owns (overlay volumes).
    pub(crate) container: PathBuf,
    /// Where each volume of `config` comes from, by name.
    pub(crate) volumes: &'a BTreeMap<String, VolumeSource>,
}

/// Where the content of a volume comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VolumeSource {
    /// A directory of the store.
    Own(PathBuf),
    /// A path of the host, by the volume's options, with mount options.
    Path(PathBuf, Vec<String>),
    /// A fresh tmpfs with these mount options.
    Tmpfs(Vec<String>),
}

/// Files of the container's own that are bound into its root.
#[derive(Debug, Clone)]
pub(crate) struct EtcFiles {
    /// `hosts`.
    pub(crate) hosts: PathBuf,
    /// `hostname`; `None` leaves the image's.
    pub(crate) hostname: Option<PathBuf>,
    /// `resolv.conf`.
    pub(crate) resolv_conf: PathBuf,
    /// `localtime`, when a time zone was asked for.
    pub(crate) localtime: Option<PathBuf>,
    /// podman's sign of a container, when it was asked for.
    pub(crate) containerenv: Option<PathBuf>,
}

/// A specification, and the host paths of its devices.
#[derive(Debug)]
pub(crate) struct Generated {
    /// The document.
    pub(crate) spec: Spec,
    /// Host path by container path.
    pub(crate) device_sources: BTreeMap<String, PathBuf>,
}

/// Turns a builder's complaint into ours: it can only be a field we forgot.
pub(super) fn built<T>(result: std::result::Result<T, oci_spec::OciSpecError>) -> Result<T> {
    result
        .map_err(|error| Error::new(Kind::Bug, "make specification", "").because(error.to_string()))
}

/// Makes the specification.
///
/// # Errors
/// `Usage` for a request that contradicts itself, `NotFound` for a missing device or bind source.
pub(crate) fn generate(inputs: &Inputs<'_>) -> Result<Generated> {
    let config = inputs.config;
    security::validate(config)?;
    let (nodes, device_sources) = devices::collect(&config.security)?;
    let mut linux = LinuxBuilder::default()
        .namespaces(namespaces(inputs)?)
        .masked_paths(security::masked_paths(inputs))
        .readonly_paths(security::read_only_paths(&config.security))
        .devices(nodes);
    if let Some(IdMaps { uids, gids }) = inputs.maps {
        linux = linux
            .uid_mappings(mappings(uids)?)
            .gid_mappings(mappings(gids)?);
    }
    let parameters = security::kernel_parameters(inputs);
    if !parameters.is_empty() {
        linux = linux.sysctl(parameters);
    }
    let root = built(
        RootBuilder::default()
            .path(&inputs.rootfs)
            .readonly(config.read_only)
            .build(),
    )?;
    let mut spec = SpecBuilder::default()
        .version("1.2.0")
        .root(root)
        .process(process::process(inputs)?)
        .mounts(mounts::mounts(inputs)?)
        .linux(built(linux.build())?);
    if config.security.uts == NamespaceMode::Private {
        spec = spec.hostname(inputs.hostname.clone());
        if let Some(name) = &config.process.domainname {
            spec = spec.domainname(name.clone());
        }
    }
    if !config.annotations.is_empty() {
        let annotations: HashMap<String, String> = config
            .annotations
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        spec = spec.annotations(annotations);
    }
    let mut spec = built(spec.build())?;
    if config.security.uts != NamespaceMode::Private {
        // The builder has a name of its own, which would become the host's or the other one's.
        spec.set_hostname(None);
    }
    Ok(Generated {
        spec,
        device_sources,
    })
}

fn namespaces(inputs: &Inputs<'_>) -> Result<Vec<oci_spec::runtime::LinuxNamespace>> {
    let security = &inputs.config.security;
    let private = |mode: &NamespaceMode| *mode == NamespaceMode::Private;
    let wanted = [
        (LinuxNamespaceType::Mount, true),
        (LinuxNamespaceType::User, inputs.maps.is_some()),
        (LinuxNamespaceType::Pid, private(&security.pid)),
        (LinuxNamespaceType::Ipc, !security.ipc.is_joined()),
        (LinuxNamespaceType::Uts, private(&security.uts)),
        (LinuxNamespaceType::Cgroup, private(&security.cgroup)),
        (
            LinuxNamespaceType::Network,
            inputs.config.network.mode.is_own(),
        ),
    ];
    wanted
        .into_iter()
        .filter(|(_, new)| *new)
        .map(|(kind, _)| built(LinuxNamespaceBuilder::default().typ(kind).build()))
        .collect()
}

fn mappings(lines: &[IdMap]) -> Result<Vec<oci_spec::runtime::LinuxIdMapping>> {
    let one = |line: &IdMap| {
        let mapping = LinuxIdMappingBuilder::default()
            .container_id(line.inside)
            .host_id(line.outside)
            .size(line.count);
        built(mapping.build())
    };
    lines.iter().map(one).collect()
}
