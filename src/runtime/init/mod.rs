//! The first process of a container, from the clone to the payload's exec.
//!
//! Runs in the cloned child with the caller's rights and, step by step, fewer of them. It ends
//! by exec, or by reporting one failure and exiting; it never returns into the caller's code.
//! Every path inside the rootfs goes through `sys::path::Root`, since the image and processes
//! that share a volume may change the tree under it.

mod console;
mod devices;
pub(super) mod entry;
mod fill;
mod fresh;
mod identity;
mod masks;
mod mounts;
mod names;
mod network;
mod payload;
mod reaper;
mod rootfs;
mod secrets;
mod tmpfs;
mod user;

pub(in crate::runtime) use mounts::subtree;
pub(crate) use rootfs::mount_stopped;
pub(crate) use user::find as find_user;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;
use nix::sched::CloneFlags;

use fresh::Fresh;

use super::mapped::Trees;
use super::message::{Failure, FromInit, ResolvedUser};
use super::parent::Streams;
use super::plan::{MapWriter, Plan, Rootfs, Source};
use crate::common::{Error, Kind, Result, strictly};
use crate::sys::path::Root;
use crate::sys::{credentials, mount, signal, socket};

/// What init carries from step to step.
pub(super) struct Init<'a> {
    plan: &'a Plan,
    socket: OwnedFd,
    /// Those still to be made, while the caller has the id maps written.
    namespaces: CloneFlags,
    /// Opened `cgroup.procs` files to write "0" to (cgroup v1).
    cgroups: Vec<BorrowedFd<'a>>,
    /// The payload's, where they are not the caller's.
    streams: Streams<'a>,
    /// Copies of the store's mounts, for a container with ids of its own.
    trees: Option<Trees>,
    /// Shared memory of another container, until it is a source.
    memory: Option<OwnedFd>,
    /// Where they go.
    places: Vec<OwnedFd>,
    /// Detached bind mounts by index of `plan.mounts`, taken before the host's mounts are cut off.
    sources: Vec<Option<mounts::BoundSource>>,
    root: Option<Root>,
    /// File systems made here that nobody else has touched yet.
    fresh: Vec<Fresh>,
    /// Targets of volumes that nobody has put anything into, to be given to the payload's user.
    unowned: Vec<&'a str>,
    /// Descriptors that only have to be gone in the payload: its exec closes them, for less than
    /// a call each.
    spent: Vec<OwnedFd>,
    /// How many of them the limit of open files leaves room for.
    spare: usize,
    /// The container's side of its terminal.
    terminal: Option<OwnedFd>,
    user: ResolvedUser,
}

/// What init has of its caller.
pub(super) struct Inherited<'a> {
    /// To the caller.
    pub(super) socket: OwnedFd,
    /// Opened `cgroup.procs` files.
    pub(super) cgroups: Vec<BorrowedFd<'a>>,
    /// The payload's streams.
    pub(super) streams: Streams<'a>,
    /// Copies of the store's mounts.
    pub(super) trees: Option<Trees>,
    /// Shared memory of another container.
    pub(super) memory: Option<OwnedFd>,
    /// Namespaces still to be made.
    pub(super) namespaces: CloneFlags,
}

/// A step: its name for error messages, and its work.
type Step = (&'static str, fn(&mut Init<'_>) -> Result<()>);

/// Everything init does, in order.
const STEPS: &[Step] = &[
    ("namespaces", identity::make_namespaces),
    ("reach of the caller", mounts::open_as_caller),
    ("chance in a shortage of memory", payload::set_oom_score),
    ("identity", identity::enter),
    ("network devices", network::announce),
    ("cgroup", enter_cgroup),
    ("store", attach_store),
    ("mount sources", mounts::open_sources),
    ("mount propagation", cut_propagation),
    ("root file system", rootfs::mount),
    ("mounts", mounts::mount_all),
    ("secrets", secrets::place),
    ("user files", names::complete),
    ("devices", devices::populate),
    ("terminal", console::open),
    ("kernel parameters", masks::write_sysctls),
    ("masked paths", masks::mask),
    ("host name", set_hostname),
    ("new root", rootfs::enter),
    ("user", user::resolve),
    ("ownership of mounts", mounts::give_to_user),
    ("working directory", payload::enter_directory),
    ("network", network::wait),
    ("limits", payload::set_limits),
    ("streams", payload::set_streams),
    ("start", payload::wait_for_start),
    ("privileges", payload::drop_privileges),
];

/// Runs in the cloned child. Never returns.
pub(super) fn main(plan: &Plan, inherited: Inherited<'_>) -> ! {
    let Inherited {
        socket,
        cgroups,
        streams,
        trees,
        memory,
        namespaces,
    } = inherited;
    signal::reset_all();
    credentials::new_session_keyring();
    // Until the last change of user, which takes it back; `drop_privileges` asks again.
    let _ = credentials::die_with_parent();
    // Nodes and directories of the container get the permissions written here, not the
    // caller's taste; the payload's own mask is set with its limits.
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    let mut init = Init {
        namespaces,
        streams,
        trees,
        memory,
        ..Init::new(plan, socket, cgroups)
    };
    for (name, step) in STEPS {
        if let Err(error) = step(&mut init) {
            init.fail(name, &init.explain(error));
        }
    }
    payload::run(init)
}

impl<'a> Init<'a> {
    fn new(plan: &'a Plan, socket: OwnedFd, cgroups: Vec<BorrowedFd<'a>>) -> Init<'a> {
        Init {
            plan,
            socket,
            namespaces: CloneFlags::empty(),
            cgroups,
            streams: [None; 3],
            trees: None,
            memory: None,
            places: Vec::new(),
            sources: Vec::new(),
            root: None,
            fresh: Vec::new(),
            unowned: Vec::new(),
            spent: Vec::new(),
            spare: spare_descriptors(),
            terminal: None,
            user: ResolvedUser::default(),
        }
    }
}

impl Init<'_> {
    /// The container's root, once mounted.
    fn root(&self) -> Result<&Root> {
        self.root.as_ref().ok_or_else(|| {
            Error::new(Kind::Bug, "use root", "").because("not mounted yet".to_owned())
        })
    }

    /// Leaves a descriptor to the payload's exec, unless there are too many already.
    fn spend(&mut self, descriptor: OwnedFd) {
        if self.spent.len() < self.spare {
            self.spent.push(descriptor);
        }
    }

    /// Where this process finds what lies at `path` of the container's own directory.
    fn own(&self, path: &Path) -> PathBuf {
        let mapped = self.trees.as_ref().and_then(|trees| trees.within(path));
        mapped.unwrap_or_else(|| path.to_owned())
    }

    /// Whether `path` is one of the files that ketch itself has put into the container's directory.
    fn is_own_file(&self, path: &Path) -> bool {
        let Rootfs::Overlay(overlay) = &self.plan.rootfs else {
            return false;
        };
        ["hosts", "hostname", "resolv.conf", "localtime"]
            .iter()
            .any(|name| path.file_name() == Some(name.as_ref()))
            && path.parent() == Some(overlay.container.as_path())
    }

    /// Says why a plain directory can be closed to a container with ids of its own.
    fn explain(&self, error: Error) -> Error {
        let maps = self.plan.maps.as_ref();
        let own_ids = maps.is_some_and(|maps| maps.writer == MapWriter::Parent);
        let plain = matches!(self.plan.rootfs, Rootfs::Directory(_));
        match error.kind() {
            Kind::Denied if own_ids && plain && error.advice().is_none() => error.hint(
                "files of the directory belong to ids that this container does not have: leave \
                 out --userns=auto, or give the directory to the container's ids",
            ),
            _ => error,
        }
    }

    /// Sends a message; when nobody listens any more the caller is dead and so is init.
    fn tell(&self, message: &FromInit, descriptor: Option<BorrowedFd<'_>>) {
        let bytes = serde_json::to_vec(message).unwrap_or_default();
        if socket::send(self.socket.as_fd(), &bytes, descriptor).is_err() {
            crate::sys::process::exit_now(1);
        }
    }

    fn warn(&self, line: String) {
        if self.plan.strict {
            self.fail("strict", &strictly(line));
        }
        self.tell(&FromInit::Warn(line), None);
    }

    /// Reports a failure and ends.
    fn fail(&self, step: &str, error: &Error) -> ! {
        self.tell(&FromInit::Failed(Failure::of(step, error)), None);
        crate::sys::process::exit_now(1)
    }
}

/// Descriptors that init does not need for its work, of those that the caller's limit allows.
fn spare_descriptors() -> usize {
    use nix::sys::resource::{Resource, getrlimit};
    const NEEDED: u64 = 32;
    const MOST: u64 = 64;
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
    soft.saturating_sub(NEEDED).min(MOST) as usize
}

/// Puts the mapped copies of the store's mounts where only this container sees them.
fn attach_store(init: &mut Init<'_>) -> Result<()> {
    match &init.trees {
        Some(trees) => trees.attach(&init.places),
        None => Ok(()),
    }
}

/// Joins v1 cgroups, and only then takes a cgroup namespace, whose root is where it was taken.
fn enter_cgroup(init: &mut Init<'_>) -> Result<()> {
    for procs in &init.cgroups {
        nix::unistd::write(procs, b"0").map_err(|errno| Error::errno("join cgroup", "", errno))?;
    }
    if init.plan.cgroup_namespace && !init.cgroups.is_empty() {
        nix::sched::unshare(CloneFlags::CLONE_NEWCGROUP)
            .map_err(|errno| Error::errno("make namespace", "cgroup", errno))?;
    }
    Ok(())
}

/// From here on mounts of the host arrive here, as bind mounts may want, but none leaves.
fn cut_propagation(_: &mut Init<'_>) -> Result<()> {
    // Inside a user namespace the kernel has made the copied tree a slave already, but only
    // where it was shared; one call says it for all.
    mount::set_propagation("/", MsFlags::MS_REC | MsFlags::MS_SLAVE)
        .map_err(|errno| Error::errno("cut mount propagation of", "/", errno))
}

fn set_hostname(init: &mut Init<'_>) -> Result<()> {
    if let Some(name) = &init.plan.hostname {
        nix::unistd::sethostname(name)
            .map_err(|errno| Error::errno("set host name", name, errno))?;
    }
    match &init.plan.domainname {
        Some(name) => crate::sys::namespace::set_domain_name(name),
        None => Ok(()),
    }
}

/// Whether a mount of the plan is made by type (`proc`, `tmpfs`, …).
fn is_new(source: &Source, wanted: &str) -> bool {
    matches!(source, Source::New { fstype, .. } if fstype == wanted)
}
