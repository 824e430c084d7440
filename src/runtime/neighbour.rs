//! A container in namespaces of another one: its network, its processes, its host name.
//!
//! The owner of such a namespace is a user namespace, and only root of that one may enter: the
//! container has the other one's user namespace too, with the same ids.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::fstat;

use super::between::clone_between;
use super::plan::{MapWriter, Plan};
use crate::common::{Error, Kind, Result};
use crate::sys::namespace;
use crate::sys::process::Cloned;

/// What keeps a caller from entering.
const NOT_YOURS: &str = "without root, only a namespace that you have made can be joined";

/// A namespace of somebody else.
#[derive(Debug)]
pub(crate) enum Space {
    /// That of ids.
    User(OwnedFd),
    /// Another one, and its kind.
    Other(OwnedFd, CloneFlags),
}

impl Space {
    /// A network namespace, which is looked at later.
    pub(crate) fn network(file: OwnedFd) -> Space {
        Space::Other(file, CloneFlags::CLONE_NEWNET)
    }

    /// The user namespace that its rights are in.
    fn owner(&self, name: &str) -> Result<OwnedFd> {
        let failed = |errno| Error::errno("join namespace", name, errno);
        match self {
            Space::User(user) => user
                .try_clone()
                .map_err(|error| Error::io("join namespace", name, error)),
            Space::Other(space, _) => namespace::owner(space).map_err(|errno| match errno {
                Errno::ENOTTY => {
                    Error::new(Kind::Usage, "join namespace", name).because("it is none".to_owned())
                }
                Errno::EPERM => failed(errno).hint(NOT_YOURS),
                other => failed(other),
            }),
        }
    }
}

/// Namespaces of somebody else, which one user namespace owns.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// That one, when it is not this process's own.
    user: Option<OwnedFd>,
    spaces: Vec<(OwnedFd, CloneFlags)>,
    /// A detached copy of the mount of the other one's shared memory.
    memory: Option<OwnedFd>,
}

impl Neighbour {
    /// What a container has to enter to be in `spaces`, each with its name in errors, with the shared
    /// memory `memory`; `None` where
    /// it is already there.
    ///
    /// # Errors
    /// `Denied` when one belongs to somebody else; `Usage` when one is no namespace; `Conflict`
    /// when they have several owners.
    pub(crate) fn of(
        spaces: Vec<(Space, String)>,
        memory: Option<OwnedFd>,
    ) -> Result<Option<Neighbour>> {
        let mut owner: Option<(OwnedFd, (u64, u64))> = None;
        let mut foreign = Vec::new();
        for (space, name) in spaces {
            let failed = |errno| Error::errno("join namespace", &name, errno);
            let user = space.owner(&name)?;
            let of_user = fstat(&user).map_err(failed)?;
            let identity = (of_user.st_dev, of_user.st_ino);
            if owner.as_ref().is_some_and(|(_, known)| *known != identity) {
                return Err(Error::new(Kind::Conflict, "join namespace", name)
                    .because("it is in another user namespace than the other ones".to_owned())
                    .hint("join the namespaces of one container, or of those that share its ids"));
            }
            if let Space::Other(space, flag) = space {
                // What is its own already needs no owner's rights.
                if flag == CloneFlags::CLONE_NEWNET
                    && namespace::is_own("net", &space).map_err(failed)?
                {
                    continue;
                }
                foreign.push((space, flag));
            }
            owner.get_or_insert((user, identity));
        }
        let Some((user, _)) = owner else {
            return Ok(None);
        };
        let is_own = namespace::is_own("user", &user)
            .map_err(|errno| Error::errno("join namespace", "user", errno))?;
        Ok(Some(Neighbour {
            user: (!is_own).then_some(user),
            spaces: foreign,
            memory,
        }))
    }

    /// Namespaces of `wanted` that are still to be made beside it.
    pub(super) fn spare(&self, wanted: CloneFlags) -> CloneFlags {
        match self.user {
            Some(_) => wanted - CloneFlags::CLONE_NEWUSER,
            None => wanted,
        }
    }

    /// The plan of a container beside it: its ids are the other one's.
    pub(super) fn plan(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        if let (Some(_), Some(maps)) = (&self.user, &mut plan.maps) {
            maps.writer = MapWriter::Nobody;
        }
        plan
    }

    /// The shared memory, for init to have in place of its own.
    pub(super) fn memory(&self) -> Result<Option<OwnedFd>> {
        let memory = self.memory.as_ref().map(OwnedFd::try_clone).transpose();
        memory.map_err(|error| Error::io("share", "/dev/shm", error))
    }

    /// Clones init into new namespaces and these.
    ///
    /// # Errors
    /// `Conflict` when its user namespace has other ids than the plan; nothing is left then.
    pub(super) fn clone_beside(
        &self,
        plan: &Plan,
        namespaces: CloneFlags,
        cgroup: Option<BorrowedFd<'_>>,
    ) -> Result<Cloned> {
        let cloned = clone_between(|| self.enter(), (namespaces, cgroup), |_, _| Ok(()));
        let (cloned, _) = cloned?;
        if let (Some(_), Cloned::Parent(init)) = (&self.user, &cloned) {
            // From here, as the plan has the numbers: the namespace may be several levels below.
            let maps = plan.maps.as_ref();
            let process = init.pid.to_string();
            if !maps.is_some_and(|maps| namespace::has_maps(&process, &maps.uids, &maps.gids)) {
                let _ = init.signal(libc::SIGKILL);
                let _ = init.wait();
                return Err(Error::new(Kind::Conflict, "join namespace", "")
                    .because("its user namespace has other ids than this container".to_owned())
                    .hint("use the same --userns for both, or make the namespace with these ids"));
            }
        }
        Ok(cloned)
    }

    fn enter(&self) -> Result<()> {
        let failed = |kind: &'static str| {
            move |errno| Error::errno("enter namespace of the other container", kind, errno)
        };
        if let Some(user) = &self.user {
            setns(user, CloneFlags::CLONE_NEWUSER).map_err(failed("user"))?;
        }
        for (space, flag) in &self.spaces {
            setns(space, *flag).map_err(|errno| match errno {
                Errno::EPERM => failed("joined")(errno).hint(NOT_YOURS),
                other => failed("joined")(other),
            })?;
        }
        Ok(())
    }
}
