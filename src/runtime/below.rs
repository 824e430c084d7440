//! A container whose user namespace is a child of another than the caller's, so that root of that
//! one rules the container's network namespace too.

use std::os::fd::BorrowedFd;

use nix::sched::{CloneFlags, setns};

use super::between::clone_between;
use super::plan::{MapWriter, Maps, Plan};
use crate::common::{Error, Kind, Result};
use crate::sys::namespace;
use crate::sys::process::Cloned;

/// Clones init into new namespaces below `user`, with its id maps written unless init does that
/// itself. In the child the plan comes with maps in the terms of `user`.
///
/// # Errors
/// `Conflict` when `user` lacks an id that the container has; nothing is left running then.
pub(super) fn clone_below(
    user: BorrowedFd<'_>,
    plan: &Plan,
    namespaces: CloneFlags,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<(Cloned, Option<Plan>)> {
    clone_between(
        || enter(user, plan),
        (namespaces, cgroup),
        |init, plan| match &plan.maps {
            Some(maps) if maps.writer != MapWriter::Init => {
                namespace::write_maps(&init.pid.to_string(), &maps.uids, &maps.gids, false)
            }
            _ => Ok(()),
        },
    )
}

/// Enters the user namespace; gives the plan in its terms.
fn enter(user: BorrowedFd<'_>, plan: &Plan) -> Result<Plan> {
    setns(user, CloneFlags::CLONE_NEWUSER)
        .map_err(|errno| Error::errno("enter namespace of the shared network", "user", errno))?;
    let mut plan = plan.clone();
    if let Some(maps) = &mut plan.maps {
        *maps = translated(maps)?;
    }
    Ok(plan)
}

fn translated(maps: &Maps) -> Result<Maps> {
    let through = |lines, path| {
        namespace::through(lines, &namespace::own_map(path)?).ok_or_else(|| {
            Error::new(Kind::Conflict, "map ids in", "shared network")
                .because("it was made with other ids than this container has")
                .hint("end the containers of its networks first; the next one makes it anew")
        })
    };
    Ok(Maps {
        uids: through(&maps.uids, "/proc/self/uid_map")?,
        gids: through(&maps.gids, "/proc/self/gid_map")?,
        writer: maps.writer.clone(),
    })
}
