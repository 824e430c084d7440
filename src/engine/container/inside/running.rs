//! Into a running container: its user and mount namespaces, by descriptors of the very process
//! that its record names.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use anyhow::Result;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode as Permissions, fstat, stat};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Tree, View, pause, settle};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::worker::{self, Where, Worker};
use crate::store::ContainerDir;
use crate::sys::path::Root;
use crate::sys::{credentials, mount, namespace, process};

/// The namespaces of a container's process.
pub(in crate::engine::container) struct Process {
    /// The user namespace that owns the mounts; `None` for ours.
    user: Option<OwnedFd>,
    mount: File,
}

impl Process {
    /// Its mount namespace.
    pub(in crate::engine::container) fn mount(&self) -> &File {
        &self.mount
    }
}

/// Opens the namespaces of the container's process; `None` while it has none.
pub(in crate::engine::container) fn find(dir: &ContainerDir) -> Result<Option<Process>> {
    let Some(state) = dir.state()? else {
        return Ok(None);
    };
    let Ok(pidfd) = process::pidfd_open(state.pid) else {
        return Ok(None);
    };
    // The descriptor is open: from here until the last look at it the number is this process's.
    if !state.is_running() {
        return Ok(None);
    }
    let path = format!("/proc/{}/ns/mnt", state.pid);
    let mount = match File::open(&path) {
        Ok(mount) => mount,
        // It is ending: its namespaces go before it can be waited for.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io("open", &path, error).into()),
    };
    // Not the process's own: with one id, a payload of another user is in a nested one.
    let user = namespace::owner(&mount).map_err(|e| Error::errno("find owner of", &path, e))?;
    if process::has_ended(pidfd.as_fd()) {
        return Ok(None);
    }
    let identity = |facts: nix::sys::stat::FileStat| (facts.st_dev, facts.st_ino);
    let own = stat("/proc/self/ns/user").map_err(|e| Error::errno("stat", "ns/user", e))?;
    let theirs = fstat(&user).map_err(|e| Error::errno("stat", "ns/user", e))?;
    Ok(Some(Process {
        user: (identity(own) != identity(theirs)).then_some(user),
        mount,
    }))
}

/// Forks a child that works there.
pub(super) fn spawn<T, F>(
    engine: &Engine<'_>,
    process: Process,
    view: View,
    ours: Option<OwnedFd>,
    deadline: Instant,
    work: F,
) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce(&Tree) -> Result<T>,
{
    let place = Where {
        namespaces: CloneFlags::empty(),
        maps: None,
        ours,
    };
    let mode = engine.mode;
    worker::spawn(engine, place, move |tie| {
        let root = join(&process, deadline)?;
        tie.tighten()?;
        settle();
        // A process of the container's could share our user namespace.
        credentials::not_dumpable()?;
        let root = match view {
            View::Whole => root,
            View::Bare => alone()?,
        };
        work(&Tree { root, mode })
    })
}

fn join(process: &Process, deadline: Instant) -> Result<Root> {
    let failed = |what: &'static str| move |errno| Error::errno("join namespace", what, errno);
    let identity = |facts: nix::sys::stat::FileStat| (facts.st_dev, facts.st_ino);
    let host = identity(stat("/").map_err(|errno| Error::errno("stat", "/", errno))?);
    if let Some(user) = &process.user {
        setns(user, CloneFlags::CLONE_NEWUSER).map_err(failed("user"))?;
    }
    loop {
        // Moves this process's root to that of the namespace.
        setns(&process.mount, CloneFlags::CLONE_NEWNS).map_err(failed("mnt"))?;
        let root = Root::open(std::path::Path::new("/"))?;
        let here = fstat(root.as_fd()).map_err(|errno| Error::errno("stat", "/", errno))?;
        if identity(here) != host {
            if process.user.is_some() {
                credentials::set_ids(0, 0)?;
                // Where one id is mapped they cannot be changed.
                let _ = credentials::set_groups(&[]);
            }
            return Ok(root);
        }
        // Its first process is still at building the root.
        if Instant::now() > deadline {
            return Err(Error::new(Kind::Conflict, "enter container", "")
                .because("it is still starting".to_owned())
                .hint("try again")
                .into());
        }
        pause();
    }
}

/// A copy of the root's mount without those in it.
fn alone() -> Result<Root> {
    let failed = |errno| Error::errno("look below the mounts of", "/", errno);
    let tree = mount::clone_tree(AT_FDCWD, std::path::Path::new("/"), false).map_err(failed)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let top = nix::fcntl::openat(&tree, ".", flags, Permissions::empty()).map_err(failed)?;
    // The copy lives as long as a descriptor of anything in it.
    drop(tree);
    Ok(Root::from_fd(top))
}
