//! The container's terminal.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;

use super::{Init, devices};
use crate::common::{Error, Kind, Result};
use crate::runtime::message::FromInit;
use crate::sys::path::Links;
use crate::sys::tty;

/// Opens a terminal of the container's own devpts, so that its name there is right, sends the
/// master to the parent and binds the other side onto `/dev/console` by descriptor.
pub(super) fn open(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.terminal {
        return Ok(());
    }
    // The devpts is our own and new, so that nothing but its multiplexer can be there.
    let (master, peer) = pair(init)?;
    let console = init.root()?.make_file("/dev/console", 0o620)?;
    devices::bind_device(peer.as_fd(), console.as_fd())
        .map_err(|errno| Error::errno("bind terminal onto", "/dev/console", errno))?;
    hand_over(init, &master, peer);
    Ok(())
}

/// Opens one more terminal of the container's devpts, for another process. Whoever is root in
/// there has had time to put something else in its place.
pub(super) fn open_another(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.terminal {
        return Ok(());
    }
    let (master, peer) = pair(init)?;
    hand_over(init, &master, peer);
    Ok(())
}

/// The two ends of a new terminal.
fn pair(init: &Init<'_>) -> Result<(OwnedFd, OwnedFd)> {
    let failed = |errno| Error::errno("open terminal", "/dev/ptmx", errno);
    let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let master = init
        .root()?
        .lookup(Path::new("/dev/pts/ptmx"), flags, Links::Follow)
        .map_err(failed)?;
    if !tty::is_multiplexer(master.as_fd()) {
        return Err(Error::new(Kind::Denied, "open terminal", "/dev/pts/ptmx")
            .because("something else is in its place".to_owned()));
    }
    tty::unlock_peer(master.as_fd()).map_err(failed)?;
    let peer = tty::open_peer(master.as_fd()).map_err(failed)?;
    Ok((master, peer))
}

fn hand_over(init: &mut Init<'_>, master: &OwnedFd, peer: OwnedFd) {
    // Here and not by the parent: the payload may ask for it at once.
    if let Some(size) = tty::own_window_size() {
        tty::set_window_size(peer.as_fd(), size);
    }
    init.tell(&FromInit::Console, Some(master.as_fd()));
    init.terminal = Some(peer);
}
