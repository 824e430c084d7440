//! The caller's side of a start: clone, id maps, and what init has to say until it execs.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::CloneFlags;

use super::below::clone_below;
use super::fuse;
use super::init;
use super::mapped::Trees;
use super::message::{Failure, FromInit, GO, ResolvedUser};
use super::neighbour::Neighbour;
use super::plan::{MapWriter, Maps, Overlay, Plan, Rootfs};
use crate::common::{Error, Kind, Result, Silent, Ui};
use crate::sys::namespace;
use crate::sys::process::{Child, Cloned, clone};
use crate::sys::socket;

/// Name of the step in errors that are not init's own.
const START: &str = "start";
/// Name of the part of a start in which the network is connected.
const NETWORK: &str = "network";

/// Where the container is placed: its cgroup, whose network it is in, below which user namespace.
#[derive(Debug, Default)]
pub(crate) struct Join<'a> {
    /// v2: directory to be born in.
    pub(crate) into: Option<BorrowedFd<'a>>,
    /// v1: `cgroup.procs` files to write to.
    pub(crate) procs: Vec<BorrowedFd<'a>>,
    /// Whose network namespace it gets; one of its own, or the caller's, where none.
    pub(crate) neighbour: Option<&'a Neighbour>,
    /// User namespace that the container's own becomes a child of; the caller's where none.
    pub(crate) below: Option<BorrowedFd<'a>>,
}

/// Standard streams of a payload without a terminal: input, output, errors; `None` is the
/// caller's own.
pub(crate) type Streams<'a> = [Option<BorrowedFd<'a>>; 3];

/// A container whose init runs.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its first process.
    pub(crate) child: Child,
    pub(super) socket: OwnedFd,
    /// The root file system, should it have to be served.
    pub(super) overlay: Option<Overlay>,
}

/// What a successful start hands over.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Who the payload is.
    pub(crate) user: ResolvedUser,
    /// Master of its terminal.
    pub(crate) console: Option<OwnedFd>,
    /// seccomp notifications.
    pub(crate) listener: Option<OwnedFd>,
}

/// A container's network namespace, to be connected.
#[derive(Debug)]
pub(crate) struct Unconnected {
    /// The namespace.
    pub(crate) namespace: OwnedFd,
    /// Sockets of 127.0.0.11:53 in it, where the plan wants them: UDP and TCP.
    pub(crate) resolver: Vec<OwnedFd>,
}

/// Connects a container's network.
pub(crate) trait Connecting {
    /// Connects the namespace; init builds the container meanwhile and waits in the end.
    ///
    /// # Errors
    /// What keeps the container from being started.
    fn connect(&mut self, ends: Unconnected) -> Result<()>;

    /// Does what can be done once init goes on, while it becomes the payload.
    ///
    /// # Errors
    /// As [`Connecting::connect`]; the payload may have begun, and is killed.
    fn attend(&mut self) -> Result<()>;
}

/// For a container that is not to be.
impl Connecting for () {
    fn connect(&mut self, _: Unconnected) -> Result<()> {
        Ok(())
    }

    fn attend(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Clones init and gives it its identity. On an error nothing is left running.
pub(crate) fn start(plan: &Plan, join: Join<'_>, streams: Streams<'_>) -> Result<Started> {
    let (ours, theirs) = socket::message_pair()?;
    let beside = join.neighbour.map(|neighbour| neighbour.plan(plan));
    let plan = beside.as_ref().unwrap_or(plan);
    let trees = Trees::of(plan)?;
    let memory = join.neighbour.map(Neighbour::memory).transpose()?.flatten();
    let mut namespaces = plan.namespaces;
    if let Some(neighbour) = join.neighbour {
        namespaces = neighbour.spare(namespaces);
    }
    if plan.cgroup_namespace && join.procs.is_empty() {
        namespaces |= CloneFlags::CLONE_NEWCGROUP;
    }
    // newuidmap and newgidmap take longer than making the namespaces: init makes most of them
    // meanwhile. It cannot enter a process namespace of its own, and keeps owning them all.
    let helped = join.below.is_none()
        && plan
            .maps
            .as_ref()
            .is_some_and(|maps| matches!(maps.writer, MapWriter::Helpers { .. }));
    let first = match helped {
        true => namespaces & (CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID),
        false => namespaces,
    };
    let (cloned, translated) = match (join.neighbour, join.below) {
        (Some(neighbour), _) => (neighbour.clone_beside(plan, first, join.into)?, None),
        (None, Some(user)) => clone_below(user, plan, first, join.into)?,
        (None, None) => {
            let cloned = clone(first, join.into).map_err(|error| explain_clone(error, first))?;
            (cloned, None)
        }
    };
    match cloned {
        Cloned::Child => {
            drop(ours);
            let inherited = init::Inherited {
                socket: theirs,
                cgroups: join.procs,
                streams,
                trees,
                memory,
                namespaces: namespaces - first,
            };
            init::main(translated.as_ref().unwrap_or(plan), inherited)
        }
        Cloned::Parent(child) => {
            drop(theirs);
            let started = Started {
                child,
                socket: ours,
                overlay: match &plan.rootfs {
                    Rootfs::Overlay(overlay) => Some(overlay.clone()),
                    Rootfs::Directory(_) => None,
                },
            };
            if let Some(maps) = &plan.maps
                && let Err(error) = started.map(maps, trees.as_ref(), join.below.is_some())
            {
                return Err(started.why_unmapped(error));
            }
            Ok(started)
        }
    }
}

impl Started {
    /// Has the id maps written, unless they are, and lets an init go on that waits for them.
    fn map(&self, maps: &Maps, trees: Option<&Trees>, written: bool) -> Result<()> {
        let pid = self.child.pid;
        match &maps.writer {
            MapWriter::Init => return Ok(()),
            MapWriter::Nobody => trees.map_or(Ok(()), |trees| trees.map(pid))?,
            _ if written => {}
            MapWriter::Parent => {
                namespace::write_maps(&pid.to_string(), &maps.uids, &maps.gids, false)?;
                trees.map_or(Ok(()), |trees| trees.map(pid))?;
            }
            MapWriter::Helpers {
                newuidmap,
                newgidmap,
            } => {
                namespace::run_map_helpers(pid, newuidmap, &maps.uids, newgidmap, &maps.gids)?;
            }
        }
        socket::send(self.socket.as_fd(), GO, None)
            .map_err(|errno| Error::errno("start", "init", errno))
    }

    /// Ends an init that got no id maps. When it had failed itself, that is the reason, and what
    /// the helpers said of a process that was gone is not.
    fn why_unmapped(&self, error: Error) -> Error {
        let _ = self.child.signal(libc::SIGKILL);
        match self.ready(&Silent, &mut ()) {
            Err(failure) if failure.step != START => failure.error,
            _ => {
                self.abandon();
                error
            }
        }
    }

    /// Kills and reaps a container that will not be.
    pub(crate) fn abandon(&self) {
        let _ = self.child.signal(libc::SIGKILL);
        let _ = self.child.wait();
    }

    /// The process, and the gate it waits at where the plan has one.
    pub(crate) fn into_held(self) -> (Child, Gate) {
        (self.child, Gate(self.socket))
    }

    /// Reads what init says until it has become the payload, or waits at the gate that the plan
    /// asks for. `network` is called once for a plan that wants its network connected.
    ///
    /// # Errors
    /// The failure of the step that failed, with its name; the process is reaped then.
    pub(crate) fn ready(
        &self,
        ui: &dyn Ui,
        network: &mut dyn Connecting,
    ) -> std::result::Result<Running, StartFailure> {
        let mut running = Running::default();
        let (mut userns, mut resolver) = (None, Vec::new());
        let broken = |why: String| StartFailure {
            step: START.to_owned(),
            error: Error::new(Kind::Bug, "hear from init", "").because(why),
        };
        loop {
            let message = match socket::receive(self.socket.as_fd()) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(errno) => return Err(broken(errno.desc().to_owned())),
            };
            let (bytes, descriptor) = message;
            match serde_json::from_slice(&bytes) {
                Ok(FromInit::Warn(line)) => ui.warn(&line),
                Ok(FromInit::Console) => running.console = descriptor,
                Ok(FromInit::Listener) => running.listener = descriptor,
                Ok(FromInit::User(user)) => running.user = user,
                Ok(FromInit::Entered(_)) => {}
                Ok(FromInit::Held) => break,
                Ok(FromInit::Resolver) => resolver.extend(descriptor),
                Ok(FromInit::NetworkNamespace) => {
                    let resolver = std::mem::take(&mut resolver);
                    self.connect(descriptor, resolver, network)?;
                }
                // What goes wrong closes the device: init sees that and does without.
                Ok(FromInit::UserNamespace) => userns = descriptor,
                Ok(FromInit::Serve) => {
                    if let (Some(device), Some(overlay)) = (descriptor, &self.overlay) {
                        let _ = fuse::serve(overlay, &device, userns.as_ref());
                    }
                }
                Ok(FromInit::Failed(failure)) => {
                    let _ = self.child.wait();
                    return Err(StartFailure::of(failure));
                }
                Err(error) => return Err(broken(error.to_string())),
            }
        }
        Ok(running)
    }

    /// Has the network connected and lets init go on.
    fn connect(
        &self,
        namespace: Option<OwnedFd>,
        resolver: Vec<OwnedFd>,
        network: &mut dyn Connecting,
    ) -> std::result::Result<(), StartFailure> {
        let namespace = namespace.ok_or_else(|| {
            Error::new(Kind::Bug, "hear from init", "").because("no network namespace".to_owned())
        });
        let connected = namespace.and_then(|namespace| {
            network.connect(Unconnected {
                namespace,
                resolver,
            })
        });
        let attended = connected.and_then(|()| {
            // An init that has failed meanwhile says so itself.
            let _ = socket::send(self.socket.as_fd(), GO, None);
            network.attend()
        });
        attended.map_err(|error| {
            self.abandon();
            StartFailure {
                step: NETWORK.to_owned(),
                error,
            }
        })
    }
}

/// Where a first process waits for the word to become the payload.
#[derive(Debug)]
pub(crate) struct Gate(OwnedFd);

impl Gate {
    /// A gate that this process had in another image.
    pub(crate) fn adopt(socket: OwnedFd) -> Gate {
        Gate(socket)
    }

    /// Lets the process go on, and waits until it is the payload. The seccomp notifications of
    /// a payload that has some are returned.
    ///
    /// # Errors
    /// The failure of the step that failed; the process ends by itself then.
    pub(crate) fn open(&self) -> std::result::Result<Option<OwnedFd>, StartFailure> {
        let broken = |why: String| StartFailure {
            step: START.to_owned(),
            error: Error::new(Kind::System, "start", "init").because(why),
        };
        socket::send(self.0.as_fd(), GO, None).map_err(|errno| broken(errno.desc().to_owned()))?;
        let mut listener = None;
        while let Some((bytes, descriptor)) =
            socket::receive(self.0.as_fd()).map_err(|errno| broken(errno.desc().to_owned()))?
        {
            match serde_json::from_slice(&bytes) {
                Ok(FromInit::Listener) => listener = descriptor,
                Ok(FromInit::Failed(failure)) => return Err(StartFailure::of(failure)),
                // What could be warned of was, before the gate.
                Ok(_) => {}
                Err(error) => return Err(broken(error.to_string())),
            }
        }
        Ok(listener)
    }
}

impl AsFd for Gate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A start that failed, and in which step.
#[derive(Debug)]
pub(crate) struct StartFailure {
    /// Name in init's table.
    pub(crate) step: String,
    /// What failed.
    pub(crate) error: Error,
}

impl StartFailure {
    pub(super) fn of(failure: Failure) -> StartFailure {
        StartFailure {
            step: failure.step.clone(),
            error: failure.into_error(),
        }
    }
}

/// Adds what usually keeps a user from making namespaces.
pub(super) fn explain_clone(error: Error, namespaces: CloneFlags) -> Error {
    let userns = namespaces.contains(CloneFlags::CLONE_NEWUSER);
    match error.raw_os_error() {
        Some(libc::EPERM) if userns => error.hint(
            "user namespaces are not allowed for ordinary users here; `ketch doctor` names the setting",
        ),
        Some(libc::EPERM) => error.hint("root without CAP_SYS_ADMIN cannot make namespaces"),
        Some(libc::ENOSPC) => error.hint(
            "the limit of namespaces is reached; see /proc/sys/user/max_user_namespaces",
        ),
        _ => error,
    }
}
