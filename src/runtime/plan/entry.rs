//! The plan of another process in a container that runs: everything about the process, and
//! nothing about file systems or namespaces, which are the container's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nix::sched::CloneFlags;
use oci_spec::runtime::Spec;

use super::{Extras, MapWriter, Plan, Rootfs, UserRequest, process_plan};
use crate::common::{Error, Kind, Mode, Result};

/// What is asked of a process beside the container's own specification.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Program and arguments; never empty.
    pub(crate) args: Vec<String>,
    /// `KEY=value`, complete but for `HOME`.
    pub(crate) env: Vec<String>,
    /// Working directory; the container's own when not asked.
    pub(crate) cwd: Option<String>,
    /// Who, looked up in the container as it is now.
    pub(crate) user: UserRequest,
    /// Identity mode of the container.
    pub(crate) mode: Mode,
    /// Every capability.
    pub(crate) privileged: bool,
    /// A terminal of its own.
    pub(crate) terminal: bool,
    /// Standard input stays open.
    pub(crate) interactive: bool,
    /// Descriptors from 3 on that it inherits.
    pub(crate) preserve: u32,
    /// Compiled seccomp program of the container.
    pub(crate) seccomp: Vec<u8>,
    /// The program has notifications.
    pub(crate) listener: bool,
}

/// Makes the plan of a process in the container of `spec`.
///
/// # Errors
/// `Usage` for a specification without a process or a request without a command.
pub(crate) fn entry(spec: &Spec, asked: Entry) -> Result<Plan> {
    let bad =
        |what: &str| Error::new(Kind::Usage, "read specification", "").because(what.to_owned());
    let process = spec.process().as_ref().ok_or_else(|| bad("no process"))?;
    if asked.args.is_empty() {
        return Err(bad("no command"));
    }
    let extras = Extras {
        rootfs: Rootfs::Directory(PathBuf::from("/")),
        mode: asked.mode,
        writer: MapWriter::Init,
        user: asked.user,
        privileged: asked.privileged,
        interactive: asked.interactive,
        reaper: false,
        strict: false,
        seccomp: asked.seccomp,
        listener: asked.listener,
        device_sources: BTreeMap::new(),
    };
    let mut process = process_plan(process, asked.args, &extras);
    process.env = asked.env;
    if let Some(cwd) = asked.cwd {
        process.cwd = cwd;
    }
    // docker: only a first process gets its directory made.
    process.makes_cwd = false;
    if process.cwd.is_empty() {
        process.cwd = "/".to_owned();
    }
    if asked.privileged {
        process.caps = u64::MAX;
    }
    Ok(Plan {
        namespaces: CloneFlags::empty(),
        cgroup_namespace: false,
        maps: None,
        rootfs: extras.rootfs,
        read_only: false,
        mounts: Vec::new(),
        devices: Vec::new(),
        make_devices: false,
        guard_devices: false,
        masked: Vec::new(),
        read_only_paths: Vec::new(),
        sysctls: BTreeMap::new(),
        hostname: None,
        domainname: None,
        loopback: false,
        connect: None,
        terminal: asked.terminal,
        interactive: asked.interactive,
        reaper: false,
        held: false,
        entering: Some(asked.preserve),
        preserve: Vec::new(),
        secrets: Vec::new(),
        strict: false,
        process,
    })
}
