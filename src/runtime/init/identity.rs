//! Taking the identity of the user namespace.

use std::os::fd::AsFd;

use super::Init;
use crate::common::{Error, Kind, Result};
use crate::runtime::parent::explain_clone;
use crate::runtime::plan::MapWriter;
use crate::sys::{credentials, namespace, socket};

/// Makes the namespaces that the clone left out, while the caller has the id maps written.
pub(super) fn make_namespaces(init: &mut Init<'_>) -> Result<()> {
    if init.namespaces.is_empty() {
        return Ok(());
    }
    nix::sched::unshare(init.namespaces).map_err(|errno| {
        let error = Error::errno("make", "namespaces", errno);
        explain_clone(error, init.namespaces)
    })
}

/// Gets the id maps in place and becomes user 0 of the new namespace where there is one.
pub(super) fn enter(init: &mut Init<'_>) -> Result<()> {
    let Some(maps) = &init.plan.maps else {
        return credentials::not_dumpable();
    };
    if maps.writer == MapWriter::Init {
        namespace::write_maps("self", &maps.uids, &maps.gids, true)?;
    } else {
        match socket::receive(init.socket.as_fd()) {
            Ok(Some(_)) => {}
            // The parent failed to write the maps and says so itself.
            _ => crate::sys::process::exit_now(1),
        }
        credentials::set_ids(0, 0)?;
        if !init.plan.process.user.keep_groups
            && let Err(errno) = credentials::set_groups(&[])
        {
            return Err(
                Error::errno("drop supplementary groups", "", errno).with_kind(Kind::Denied)
            );
        }
    }
    // From here on nothing of this process can be traced or written to through /proc.
    credentials::not_dumpable()
}
