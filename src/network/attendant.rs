//! One small process beside a container on networks with a bridge: it answers for names and leads
//! ports of the host's loopback device. It is forked from the container's keeper and dies with it.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, getpid, getppid};

use super::dns::{Resolver, Server};
use super::forward::{Forward, Port};
use crate::common::Result;
use crate::sys::process::{Cloned, clone, exit_now, has_ended};
use crate::sys::{credentials, exec, signal};

/// What there is to do.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Names.
    pub(crate) resolver: Option<Resolver>,
    /// Ports.
    pub(crate) forwards: Vec<Forward>,
    /// The namespaces, user and network, from which the ports lead on, where they are not this
    /// process's own.
    pub(crate) enter: Option<(Option<OwnedFd>, OwnedFd)>,
    /// What is only held.
    pub(crate) held: Vec<OwnedFd>,
    /// The container's keeper (pidfd_open(2)), where that is not this process.
    pub(crate) keeper: Option<OwnedFd>,
}

impl Work {
    /// Whether there is anything.
    pub(crate) fn is_some(&self) -> bool {
        self.resolver.is_some() || !self.forwards.is_empty() || !self.held.is_empty()
    }

    fn descriptors(&self) -> BTreeSet<RawFd> {
        let mut all = BTreeSet::new();
        if let Some(resolver) = &self.resolver {
            all.insert(resolver.datagrams.as_raw_fd());
            all.insert(resolver.streams.as_raw_fd());
        }
        all.extend(self.forwards.iter().map(|forward| match forward {
            Forward::Tcp { listener, .. } => listener.as_raw_fd(),
            Forward::Udp { socket, .. } => socket.as_raw_fd(),
        }));
        all.extend(self.held.iter().map(AsRawFd::as_raw_fd));
        all.extend(self.keeper.iter().map(AsRawFd::as_raw_fd));
        if let Some((user, network)) = &self.enter {
            all.extend(user.iter().chain([network]).map(AsRawFd::as_raw_fd));
        }
        all
    }
}

/// Starts it; gives its process number. It is a child of this process, and ends with it unless it
/// has another keeper.
///
/// # Errors
/// fork(2)'s.
pub(crate) fn start(work: Work) -> Result<i32> {
    let keeper = getpid();
    match clone(CloneFlags::empty(), None)? {
        Cloned::Parent(child) => Ok(child.pid),
        Cloned::Child => {
            let _ = attend(work, keeper);
            exit_now(1)
        }
    }
}

/// Runs in the child; returns when it cannot go on.
fn attend(work: Work, keeper: Pid) -> Option<()> {
    // The terminal's Ctrl-C is for the payload.
    exec::set_session();
    signal::reset_all();
    // splice(2) has no flag that spares its caller.
    signal::ignore_broken_pipes();
    if work.keeper.is_none() {
        belong_to(keeper)?;
    }
    // Whoever looks for the shared namespace after its holder was killed finds it here.
    if work.held.is_empty() {
        credentials::not_dumpable().ok()?;
    }
    leave_all_but(&work.descriptors())?;
    // Every connection takes two descriptors.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let Work {
        resolver,
        forwards,
        enter,
        held,
        keeper: other,
    } = work;
    let mut server = resolver.map(Server::new).transpose().ok()?;
    if let Some((user, network)) = enter {
        if let Some(user) = user {
            nix::sched::setns(user, CloneFlags::CLONE_NEWUSER).ok()?;
        }
        nix::sched::setns(network, CloneFlags::CLONE_NEWNET).ok()?;
        // Joining a user namespace has taken both back.
        if other.is_none() {
            belong_to(keeper)?;
        }
        credentials::not_dumpable().ok()?;
    }
    let mut ports = forwards
        .into_iter()
        .map(Port::new)
        .collect::<std::io::Result<Vec<_>>>()
        .ok()?;
    let _held = held;
    loop {
        wait(server.as_ref(), &ports, other.as_ref())?;
        if let Some(server) = &mut server {
            server.serve();
        }
        ports.iter_mut().for_each(Port::serve);
    }
}

/// Ends this process with its keeper, also one that has ended already.
fn belong_to(keeper: Pid) -> Option<()> {
    credentials::die_with_parent().ok()?;
    (getppid() == keeper).then_some(())
}

/// Closes what belongs to the keeper: nobody who waits for the end of a pipe of its waits for
/// this process.
fn leave_all_but(kept: &BTreeSet<RawFd>) -> Option<()> {
    let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR, Mode::empty()).ok()?;
    for stream in 0..3 {
        exec::dup_onto(null.as_raw_fd(), stream).ok()?;
    }
    std::mem::forget(null);
    exec::close_all_but(3, kept);
    Some(())
}

/// Waits until there is something to do; `None` when there will be nothing any more.
fn wait(server: Option<&Server>, ports: &[Port], keeper: Option<&OwnedFd>) -> Option<()> {
    if keeper.is_some_and(|keeper| has_ended(keeper.as_fd())) {
        return None;
    }
    let mut descriptors = server.map(Server::descriptors).unwrap_or_default();
    descriptors.extend(keeper.map(AsFd::as_fd));
    descriptors.extend(ports.iter().flat_map(Port::descriptors));
    let due = server.and_then(Server::due);
    let due = ports.iter().filter_map(Port::due).chain(due).min();
    let timeout = due.map_or(PollTimeout::NONE, |due| {
        let left = due.saturating_duration_since(Instant::now());
        PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
    });
    let mut polled: Vec<PollFd<'_>> = descriptors
        .iter()
        .map(|descriptor| PollFd::new(descriptor.as_fd(), PollFlags::POLLIN))
        .collect();
    match poll(&mut polled, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Some(()),
        Err(_) => None,
    }
}
