//! A container in the network namespace of another one.
//!
//! The owner of a network namespace is a user namespace, and only root of that one may enter: the
//! container has the other one's user namespace too, with the same ids.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::between::clone_between;
use super::plan::{MapWriter, Plan};
use crate::common::{Error, Kind, Result};
use crate::sys::namespace;
use crate::sys::process::Cloned;

/// What keeps a caller from entering.
const NOT_YOURS: &str = "without root, only a namespace that you have made can be joined";

/// Somebody else's network namespace.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// The user namespace that owns it, when it is not this process's own.
    user: Option<OwnedFd>,
    network: OwnedFd,
}

impl Neighbour {
    /// What a container has to enter to be in `network`, called `name` in errors; `None` where it
    /// is already there.
    ///
    /// # Errors
    /// `Denied` when it belongs to somebody else; `Usage` when it is no network namespace.
    pub(crate) fn of(network: OwnedFd, name: &str) -> Result<Option<Neighbour>> {
        let failed = |errno| Error::errno("join network namespace", name, errno);
        let user = namespace::owner(&network).map_err(|errno| match errno {
            Errno::ENOTTY => Error::new(Kind::Usage, "join network namespace", name)
                .because("it is none".to_owned()),
            Errno::EPERM => failed(errno).hint(NOT_YOURS),
            other => failed(other),
        })?;
        if namespace::is_own("net", &network).map_err(failed)? {
            return Ok(None);
        }
        let is_own = namespace::is_own("user", &user).map_err(failed)?;
        Ok(Some(Neighbour {
            user: (!is_own).then_some(user),
            network,
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

    /// Clones init into new namespaces and this network.
    ///
    /// # Errors
    /// `Conflict` when its user namespace has other ids than the plan; nothing is left then.
    pub(super) fn clone_beside(
        &self,
        plan: &Plan,
        namespaces: CloneFlags,
        cgroup: Option<BorrowedFd<'_>>,
    ) -> Result<Cloned> {
        let cloned = clone_between(|| self.enter(plan), (namespaces, cgroup), |_, _| Ok(()));
        cloned.map(|(cloned, _)| cloned)
    }

    fn enter(&self, plan: &Plan) -> Result<()> {
        let failed = |kind: &'static str| {
            move |errno| Error::errno("enter namespace of the other network", kind, errno)
        };
        if let Some(user) = &self.user {
            setns(user, CloneFlags::CLONE_NEWUSER).map_err(failed("user"))?;
            let maps = plan.maps.as_ref();
            if !maps.is_some_and(|maps| namespace::has_maps(&maps.uids, &maps.gids)) {
                return Err(Error::new(Kind::Conflict, "join network namespace", "")
                    .because("its user namespace has other ids than this container".to_owned())
                    .hint("use the same --userns for both, or make the namespace with these ids"));
            }
        }
        setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
            Errno::EPERM => failed("network")(errno).hint(NOT_YOURS),
            other => failed("network")(other),
        })
    }
}
