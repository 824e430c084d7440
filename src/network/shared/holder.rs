//! The process that holds N while anybody has a share in it.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use serde::{Deserialize, Serialize};

use super::uplink::Uplink;
use super::{Place, State};
use crate::common::{Error, Kind, Result, Ui};
use crate::network::space::{Answer, Space};
use crate::sys::file::{self, Sharing};
use crate::sys::process::{Child, Cloned, clone, exit_now, has_ended, start_time};
use crate::sys::{credentials, descriptor, exec, namespace, signal, socket};

/// What the holder says once, when it is ready.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ready {
    /// For the user.
    warnings: Vec<String>,
}

/// Starts a holder and waits until it is ready. With `left` it takes over that N instead of
/// making one. With the lock `making`.
pub(super) fn start(place: &Place<'_>, left: Option<Space>, ui: &dyn Ui) -> Result<()> {
    let (ours, theirs) = socket::message_pair()?;
    match clone(CloneFlags::empty(), None)? {
        Cloned::Child => {
            drop(ours);
            // Its child has no parent but the machine's first process: whoever started it may
            // live as long, and would have to reap it.
            match clone(CloneFlags::empty(), None) {
                Ok(Cloned::Child) => hold(place, left, theirs),
                Ok(Cloned::Parent(_)) => exit_now(0),
                Err(error) => {
                    tell(&theirs, Answer::of(Err(error)));
                    exit_now(1)
                }
            }
        }
        Cloned::Parent(between) => {
            drop((theirs, left));
            between.wait()?;
        }
    }
    let silent = |why: String| Error::new(Kind::System, "start", "shared network").because(why);
    let bytes = match socket::receive(ours.as_fd()) {
        Ok(Some((bytes, _))) => bytes,
        Ok(None) => return Err(silent("its holder has ended".to_owned())),
        Err(errno) => return Err(silent(errno.desc().to_owned())),
    };
    let answer: Answer<Ready> =
        serde_json::from_slice(&bytes).map_err(|error| silent(error.to_string()))?;
    for line in answer.into_result()?.warnings {
        ui.warn(&line);
    }
    Ok(())
}

/// False when nobody hears it.
fn tell(socket: &OwnedFd, answer: Answer<Ready>) -> bool {
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    socket::send(socket.as_fd(), &bytes, None).is_ok()
}

/// The whole life of a holder.
fn hold(place: &Place<'_>, left: Option<Space>, report: OwnedFd) -> ! {
    exec::set_session();
    signal::reset_all();
    let mut kept = vec![report.as_fd()];
    kept.extend(
        left.iter()
            .flat_map(|space| [space.user.as_fd(), space.network.as_fd()]),
    );
    let kept = descriptor::keep_only(&kept);
    // Their numbers mean others now.
    std::mem::forget((report, left));
    let Ok(mut kept) = kept else { exit_now(1) };
    let report = kept.remove(0);
    let left = match (kept.pop(), kept.pop()) {
        (Some(network), Some(user)) => Some(Space { user, network }),
        _ => None,
    };
    let (holder, ready) = match Holder::begin(place, left) {
        Ok(begun) => begun,
        Err(error) => {
            tell(&report, Answer::of(Err(error)));
            exit_now(1)
        }
    };
    exec::forget_environment();
    let _ = nix::unistd::chdir("/");
    // Killed meanwhile, who started it has no share, and nobody could know this one.
    let heard = tell(&report, Answer::Done(ready));
    drop(report);
    if heard {
        holder.watch();
    }
    let _ = std::fs::remove_file(place.dir.join("holder.json"));
    exit_now(0)
}

/// What a holder holds.
struct Holder {
    /// Locked while it lives.
    _own: std::fs::File,
    /// Locked by it alone when there are no members.
    members: std::fs::File,
    space: Space,
    uplink: Option<Uplink>,
}

impl Holder {
    fn begin(place: &Place<'_>, left: Option<Space>) -> Result<(Holder, Ready)> {
        let own = place.open("holder")?;
        let path = place.dir.join("holder");
        let failed = |error| Error::io("lock", &path, error);
        if !file::try_lock(&own, Sharing::Exclusive).map_err(failed)? {
            return Err(Error::new(Kind::Conflict, "start", "shared network")
                .because("it has a holder already"));
        }
        let members = place.open("members")?;
        let mut ready = Ready::default();
        let space = match left {
            Some(space) => space,
            None => {
                let (space, warning) = Space::make(place)?;
                ready.warnings.extend(warning);
                space
            }
        };
        let look = |fd: &OwnedFd| {
            namespace::identity(fd).map_err(|errno| Error::errno("look at", "namespace", errno))
        };
        let pid = std::process::id() as i32;
        let state = State {
            pid,
            start_time: start_time(pid).unwrap_or_default(),
            descriptors: (space.user.as_raw_fd(), space.network.as_raw_fd()),
            user: look(&space.user)?,
            network: look(&space.network)?,
        };
        let bytes = serde_json::to_vec(&state).unwrap_or_default();
        file::write_atomic(&place.dir.join("holder.json"), &bytes)?;
        let (uplink, warning) = Uplink::start(place.host, space.network.as_fd());
        ready.warnings.extend(warning);
        let holder = Holder {
            _own: own,
            members,
            space,
            uplink,
        };
        Ok((holder, ready))
    }

    /// Waits until there are no members any more, and keeps the way out open.
    fn watch(mut self) {
        let Ok(mut waiter) = self.wait_for_members() else {
            return;
        };
        loop {
            if !self.wait(&waiter) {
                return;
            }
            if let Some(uplink) = &mut self.uplink {
                uplink.tend(self.space.network.as_fd());
            }
            if !has_ended(waiter.pidfd.as_fd()) {
                continue;
            }
            let _ = waiter.wait();
            // The waiter has taken the lock for both; one that was killed has not.
            if file::try_lock(&self.members, Sharing::Exclusive).unwrap_or(true) {
                return;
            }
            match self.wait_for_members() {
                Ok(again) => waiter = again,
                Err(_) => return,
            }
        }
    }

    /// Waits for the end of a child, or until something is due; false when it cannot.
    fn wait(&self, waiter: &Child) -> bool {
        let uplink = self.uplink.as_ref();
        let due = uplink.and_then(Uplink::due);
        let timeout = due.map_or(PollTimeout::NONE, |due| {
            let left = due.saturating_duration_since(Instant::now());
            PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
        });
        let own = Some(waiter.pidfd.as_fd());
        let ends = own.into_iter().chain(uplink.and_then(Uplink::end));
        let mut fds: Vec<PollFd<'_>> = ends
            .map(|end| PollFd::new(end, PollFlags::POLLIN))
            .collect();
        matches!(poll(&mut fds, timeout), Ok(_) | Err(Errno::EINTR))
    }

    /// A child that waits for the lock of the members, which cannot be polled for, and ends when
    /// it has it: it shares the open file, and so the lock, with this process.
    fn wait_for_members(&self) -> Result<Child> {
        match clone(CloneFlags::empty(), None)? {
            Cloned::Parent(child) => Ok(child),
            Cloned::Child => {
                let _ = credentials::die_with_parent();
                let Ok(mut kept) = descriptor::keep_only(&[self.members.as_fd()]) else {
                    exit_now(1)
                };
                let locked = kept.pop().map(|fd| {
                    let members = std::fs::File::from(fd);
                    let locked = file::lock(&members, Sharing::Exclusive);
                    // Closing one's copy leaves the lock to the other.
                    std::mem::forget(members);
                    locked
                });
                exit_now(u8::from(!matches!(locked, Some(Ok(())))))
            }
        }
    }
}
