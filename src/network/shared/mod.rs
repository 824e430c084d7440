//! One network namespace for all containers of a store whose user is not root: their bridges are
//! in it, and one uplink.
//!
//! ```text
//!   host's namespaces                  N: user and network namespace
//!     holder: descriptors of N, uplink     bridges, one end of each veth pair
//!     keeper of a container: the lock,       container: user namespace below N's, own network
//!       descriptors of N, helpers in N         namespace with the other end
//! ```
//!
//! The holder belongs to nobody: whoever needs N first starts it, and it ends when the lock that
//! its members share is free. Members hold N by descriptors too: when the holder is killed, N and
//! the traffic in it go on without an uplink until the next member starts another holder for the
//! same N. In the directory of N are:
//!
//! | file | meaning |
//! |---|---|
//! | `members` | locked together by all members; alone by a holder that ends |
//! | `making` | locked by who looks for the holder or starts one |
//! | `holder` | locked by the holder while it lives |
//! | `holder.json` | where the holder has the descriptors |

mod holder;
mod space;
#[cfg(test)]
mod tests;
mod uplink;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::common::{Error, Kind, Mode, Result, Ui};
use crate::host::Host;
use crate::network::space::Space;
use crate::sys::file::{self, Sharing};
use crate::sys::process::{has_ended, pidfd_open, start_time};

/// Largest `holder.json`, in bytes.
const MAX_STATE: usize = 4096;

/// Where N is, and who it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Its directory.
    pub(crate) dir: &'a Path,
    /// The machine.
    pub(crate) host: &'a Host,
    /// The identity mode: N has all ids that a container can have.
    pub(crate) mode: Mode,
}

/// A share in N: it lives at least as long as this.
#[derive(Debug)]
pub(crate) struct Membership {
    lock: OwnedFd,
    space: Space,
}

/// What `holder.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    pid: i32,
    start_time: u64,
    /// Numbers of the descriptors in the holder: user namespace, network namespace.
    descriptors: (i32, i32),
    /// Device and inode of them.
    user: (u64, u64),
    network: (u64, u64),
}

impl Place<'_> {
    /// Takes a share in N; makes N when nobody has one.
    ///
    /// # Errors
    /// What making namespaces, their id maps or the uplink gave; nothing is left then.
    pub(crate) fn join(&self, ui: &dyn Ui) -> Result<Membership> {
        file::make_private_dir(self.dir)?;
        // Waits for a holder that ends.
        let lock = self.lock("members", Sharing::Shared)?;
        let making = self.lock("making", Sharing::Exclusive)?;
        if let Some(space) = self.look()? {
            return Ok(Membership::of(lock, space));
        }
        holder::start(self, self.left(), ui)?;
        let space = self.look()?;
        drop(making);
        let space = space.ok_or_else(|| {
            Error::new(Kind::System, "use shared network", "").because("its holder ended at once")
        })?;
        Ok(Membership::of(lock, space))
    }

    /// Takes a share in N when there is one. One whose holder was killed gets another.
    ///
    /// # Errors
    /// What reading its directory gave, or starting another holder.
    pub(crate) fn visit(&self, ui: &dyn Ui) -> Result<Option<Membership>> {
        if !self.dir.join("holder.json").exists() {
            return Ok(None);
        }
        let lock = self.lock("members", Sharing::Shared)?;
        let _making = self.lock("making", Sharing::Exclusive)?;
        if let Some(space) = self.look()? {
            return Ok(Some(Membership::of(lock, space)));
        }
        let Some(left) = self.left() else {
            return Ok(None);
        };
        holder::start(self, Some(left), ui)?;
        Ok(self.look()?.map(|space| Membership::of(lock, space)))
    }

    /// N, whose holder is gone, while somebody has it still. With `making` locked.
    fn left(&self) -> Option<Space> {
        let left = space::rescue(&self.state()?);
        if left.is_none() {
            // Nobody has it any more, and nobody needs to look again.
            let _ = file::remove_file(&self.dir.join("holder.json"));
        }
        left
    }

    /// N, while its holder lives. With `making` and a share of `members` locked, so that none is
    /// being made and none ends.
    fn look(&self) -> Result<Option<Space>> {
        let path = self.dir.join("holder");
        let failed = |error| Error::io("lock", &path, error);
        let holder = self.open("holder")?;
        if file::try_lock(&holder, Sharing::Shared).map_err(failed)? {
            return Ok(None);
        }
        let state = self.state();
        if let Some(state) = &state
            && let Ok(space) = Space::of(state)
        {
            return Ok(Some(space));
        }
        if let Some(state) = state
            && let Ok(pidfd) = pidfd_open(state.pid)
            && start_time(state.pid) == Some(state.start_time)
            // A killed one that nobody has reaped yet is still listed.
            && !has_ended(pidfd.as_fd())
        {
            return Err(Error::new(Kind::Denied, "enter shared network", "")
                .because(format!("its holder, process {}, is closed", state.pid))
                .hint("it belongs to another user or was started with other rights; end the containers of that network first"));
        }
        // Killed a moment ago, or before it was ready: its lock goes with it.
        file::lock(&holder, Sharing::Shared).map_err(failed)?;
        Ok(None)
    }

    fn state(&self) -> Option<State> {
        let bytes = file::read_bounded(&self.dir.join("holder.json"), MAX_STATE).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn open(&self, name: &str) -> Result<File> {
        let path = self.dir.join(name);
        file::open_or_create(&path).map_err(|error| Error::io("open", &path, error))
    }

    fn lock(&self, name: &str, sharing: Sharing) -> Result<File> {
        let opened = self.open(name)?;
        file::lock(&opened, sharing)
            .map_err(|error| Error::io("lock", self.dir.join(name), error))?;
        Ok(opened)
    }
}

impl Membership {
    fn of(lock: File, space: Space) -> Membership {
        Membership {
            lock: lock.into(),
            space,
        }
    }

    /// N itself.
    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    /// N's user namespace, of which a container's has to be a child.
    pub(crate) fn user(&self) -> BorrowedFd<'_> {
        self.space.user.as_fd()
    }

    /// N's network namespace.
    pub(crate) fn network(&self) -> BorrowedFd<'_> {
        self.space.network.as_fd()
    }

    /// What another process needs to keep the share.
    pub(crate) fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.lock.as_fd(), self.user(), self.network()]
    }
}
