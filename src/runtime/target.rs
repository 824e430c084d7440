//! The namespaces of a container that runs, held by descriptors.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{FileStat, fstat, stat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};

use super::neighbour::Space;
use crate::common::{Error, Kind, Result};
use crate::sys::path::{Links, Root};
use crate::sys::process::{Cloned, clone, exit_now};
use crate::sys::{credentials, file, mount, namespace, socket};

/// Namespaces beside the user's, in the order they are joined.
const SPACES: [(&str, CloneFlags); 6] = [
    ("mnt", CloneFlags::CLONE_NEWNS),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("net", CloneFlags::CLONE_NEWNET),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
];

/// What another process has to join to be in the container.
#[derive(Debug)]
pub(crate) struct Target {
    /// The user namespace, when it is not this process's own.
    pub(super) user: Option<OwnedFd>,
    /// Those that differ from this process's own.
    pub(super) spaces: Vec<(&'static str, OwnedFd, CloneFlags)>,
    /// Device and inode of this process's own root: where a joined one must not be.
    pub(super) outside: (u64, u64),
}

impl Target {
    /// The namespaces of the container whose first process has the number `pid`; `is_it` says
    /// whether that number still means that process.
    ///
    /// # Errors
    /// `Conflict` when the container has ended; `Denied` when its namespaces may not be seen,
    /// as while it is being started.
    pub(crate) fn of(pid: i32, is_it: &dyn Fn() -> bool) -> Result<Target> {
        let target = match spaces(pid) {
            // The reaper of `--init` is ketch itself, which nobody may look into: what it has
            // started is in the same namespaces.
            Err(Errno::EACCES | Errno::EPERM) => children(pid)
                .into_iter()
                .find_map(|child| spaces(child).ok())
                .ok_or(Errno::EACCES),
            other => other,
        };
        // Asked afterwards: a number that means the same now has meant it all the while.
        if !is_it() {
            return Err(ended());
        }
        target.map_err(|errno| match errno {
            Errno::ENOENT | Errno::ESRCH => ended(),
            _ => Error::errno("look into", "the container's first process", errno)
                .hint("a container that is just being started cannot be joined yet"),
        })
    }

    /// One of its namespaces by the kernel's name for it, when that is not this process's own.
    pub(crate) fn into_space(self, kind: &str) -> Option<Space> {
        if kind == "user" {
            return self.user.map(Space::User);
        }
        let mut spaces = self.spaces.into_iter();
        spaces.find_map(|(name, space, flag)| (name == kind).then_some(Space::Other(space, flag)))
    }

    /// A detached copy of the mount that the container has at /dev/shm. Another process goes there
    /// for it: none comes back from a user namespace.
    ///
    /// # Errors
    /// `Conflict` when there is no shared memory; the container has ended.
    pub(crate) fn shared_memory(&self, name: &str) -> Result<OwnedFd> {
        let broken = |why: &str| {
            Error::new(Kind::Conflict, "share /dev/shm of container", name).because(why.to_owned())
        };
        let (ours, theirs) = socket::message_pair()?;
        match clone(CloneFlags::empty(), None)? {
            Cloned::Child => {
                let copy = self.copy_memory();
                let (bytes, copy): (Vec<u8>, _) = match &copy {
                    Ok(copy) => (Vec::from(*b"ok"), Some(copy.as_fd())),
                    Err(errno) => (errno.desc().into(), None),
                };
                let _ = socket::send(theirs.as_fd(), &bytes, copy);
                exit_now(0)
            }
            Cloned::Parent(child) => {
                drop(theirs);
                let heard = socket::receive(ours.as_fd());
                let _ = child.wait();
                match heard {
                    Ok(Some((_, Some(copy)))) => Ok(copy),
                    Ok(Some((bytes, None))) => Err(broken(&String::from_utf8_lossy(&bytes))),
                    _ => Err(broken("the process that was to fetch it has ended")),
                }
            }
        }
    }

    fn copy_memory(&self) -> nix::Result<OwnedFd> {
        let _ = credentials::die_with_parent();
        // In there others could look into this process, which has descriptors of the host's.
        credentials::not_dumpable().map_err(|_| Errno::EPERM)?;
        if let Some(user) = &self.user {
            setns(user, CloneFlags::CLONE_NEWUSER)?;
            credentials::not_dumpable().map_err(|_| Errno::EPERM)?;
        }
        let mut spaces = self.spaces.iter();
        let (_, mounts, flag) = spaces
            .find(|(name, ..)| *name == "mnt")
            .ok_or(Errno::ESRCH)?;
        setns(mounts, *flag)?;
        let root = Root::open("/".as_ref()).map_err(|_| Errno::ENOENT)?;
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let memory = root.lookup("dev/shm".as_ref(), flags, Links::Refuse)?;
        // A folder of its image instead would let the other one write there.
        if fstatfs(&memory)?.filesystem_type() != TMPFS_MAGIC {
            return Err(Errno::ENODEV);
        }
        mount::clone_tree(memory.as_fd(), "".as_ref(), false)
    }

    /// Device and inode of its pid namespace, when that is its own.
    pub(crate) fn pid_namespace(&self) -> Option<(u64, u64)> {
        let mut spaces = self.spaces.iter();
        let (_, space, _) = spaces.find(|(name, ..)| *name == "pid")?;
        let found = fstat(space).ok()?;
        Some((found.st_dev, found.st_ino))
    }
}

/// The container was alive a moment ago. In docker's words, as when nobody had looked in between.
pub(super) fn ended() -> Error {
    Error::new(Kind::Conflict, "join", "container")
        .because("the container has just ended and is not running".to_owned())
}

fn spaces(pid: i32) -> nix::Result<Target> {
    let folder = format!("/proc/{pid}/ns");
    let root = stat("/")?;
    let mut target = Target {
        user: None,
        spaces: Vec::with_capacity(SPACES.len()),
        outside: (root.st_dev, root.st_ino),
    };
    for (name, flag) in SPACES {
        let theirs = match File::open(format!("{folder}/{name}")) {
            Ok(file) => OwnedFd::from(file),
            // A kernel without this kind has it for nobody.
            Err(error) if name != "mnt" && error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(errno(&error)),
        };
        if is_own(name, &fstat(&theirs)?) {
            continue;
        }
        if name == "mnt" {
            // Not the user namespace of the process: a payload that is another user of a
            // container with one id lives in one below the container's.
            let owner = match namespace::owner(&theirs) {
                // Owned by one that this process is below of: it must be its own affair.
                Err(Errno::EPERM) => None,
                other => Some(other?),
            };
            target.user = match owner {
                Some(owner) if !is_own("user", &fstat(&owner)?) => Some(owner),
                _ => None,
            };
        }
        target.spaces.push((name, theirs, flag));
    }
    Ok(target)
}

/// Whether a namespace is this process's own.
fn is_own(name: &str, theirs: &FileStat) -> bool {
    stat(Path::new("/proc/self/ns").join(name).as_path())
        .is_ok_and(|own| (own.st_dev, own.st_ino) == (theirs.st_dev, theirs.st_ino))
}

/// Numbers of the children of a process, where the kernel tells.
fn children(pid: i32) -> Vec<i32> {
    let bytes = file::read_kernel(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let numbers = text.split_ascii_whitespace();
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_ended_meanwhile_is_refused_in_the_words_of_one_that_had() {
        let own = std::process::id() as i32;
        let error = Target::of(own, &|| false).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.to_string().contains("is not running"), "{error}");
    }
}
