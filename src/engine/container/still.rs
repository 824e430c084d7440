//! A container held still while its files are read.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use anyhow::Result;
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;

use crate::cgroup::{Freezer, Place};
use crate::common::Error;
use crate::store::{ContainerDir, StateRecord};
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{exec, file, signal};

/// The container goes on when this is dropped, or when this process ends in whatever way: a
/// process of its own waits for that.
#[derive(Debug)]
pub(super) struct Still {
    hold: Option<OwnedFd>,
    keeper: Child,
}

impl Drop for Still {
    fn drop(&mut self) {
        drop(self.hold.take());
        let _ = self.keeper.wait();
    }
}

/// Freezes the container's cgroup. `None` when it has none of its own that can be frozen, or is
/// paused already.
pub(super) fn hold(dir: &ContainerDir, state: &StateRecord) -> Result<Option<Still>> {
    if state.paused {
        return Ok(None);
    }
    let read = || -> Option<Place> {
        let bytes = file::read_bounded(&dir.path().join("cgroup.json"), 1 << 16).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let Some(freezer) = read().as_ref().and_then(Freezer::of) else {
        return Ok(None);
    };
    let (waits, hold) =
        nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|e| Error::errno("make pipe", "", e))?;
    let still = match clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            drop(hold);
            thaw_at_end(&freezer, waits)
        }
        Cloned::Parent(keeper) => Still {
            hold: Some(hold),
            keeper,
        },
    };
    Ok(freezer.set(true).ok().map(|()| still))
}

/// The keeper: neither a signal to the group nor a closed terminal ends it.
fn thaw_at_end(freezer: &Freezer, waits: OwnedFd) -> ! {
    let _ = signal::block_all();
    exec::set_session();
    let _ = File::from(waits).read(&mut [0]);
    let _ = freezer.set(false);
    exit_now(0)
}
