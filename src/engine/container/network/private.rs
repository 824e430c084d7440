//! Containers of ordinary users on a private network: a program carries their packets.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use anyhow::Result;

use crate::common::{self, Error, Kind};
use crate::engine::Engine;
use crate::network::Published;
use crate::network::user::{self, Program, Wanted};
use crate::spec::config::{Network, NetworkMode};
use crate::sys::process;

/// Killed helpers that are children of this process still: who starts a container again and again
/// is not to gather them.
static ENDING: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// Reaps those that have gone meanwhile.
fn reap() {
    let is_there = |pid: &i32| {
        let seen = waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
        seen == Ok(WaitStatus::StillAlive)
    };
    let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    ending.retain(is_there);
}

/// A program that serves a container, for the time after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Helper {
    /// Process number.
    pid: i32,
    /// When it began, in the kernel's ticks: numbers come again.
    start_time: u64,
}

impl Helper {
    /// A child of this process.
    pub(super) fn of(pid: i32) -> Helper {
        reap();
        Helper {
            pid,
            start_time: process::start_time(pid).unwrap_or_default(),
        }
    }

    /// Ends it and waits until it has let go of what it has; one that has ended is no error.
    pub(super) fn end(&self) {
        if self.kill() {
            // Only for who has started it.
            let _ = waitpid(Pid::from_raw(self.pid), None);
        }
    }

    /// Ends it where nothing that it has is needed again: the kernel takes some twenty
    /// milliseconds to give up its device.
    pub(super) fn dismiss(&self) {
        if self.kill() {
            let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
            ending.push(self.pid);
        }
    }

    /// Whether it was there.
    fn kill(&self) -> bool {
        let pidfd = self.pidfd();
        if let Some(pidfd) = &pidfd {
            let _ = process::signal_pidfd(pidfd, libc::SIGKILL);
        }
        pidfd.is_some()
    }

    /// To wait for it; `None` when it is gone.
    pub(super) fn pidfd(&self) -> Option<OwnedFd> {
        let pidfd = process::pidfd_open(self.pid).ok()?;
        (process::start_time(self.pid) == Some(self.start_time)).then_some(pidfd)
    }
}

/// Settles on a private network where this machine can give one, else on the host's.
///
/// # Errors
/// The program that was asked for is not there.
pub(super) fn choose(engine: &Engine<'_>, network: &mut Network) -> Result<()> {
    let why = match program(engine, network) {
        Ok(_) => match user::lack() {
            None => {
                network.mode = NetworkMode::Private;
                return Ok(());
            }
            Some(why) => why,
        },
        Err(error) if network.helper.is_some() => return Err(error.into()),
        Err(_) => "neither pasta (package passt) nor slirp4netns is installed".to_owned(),
    };
    engine.ui.warn(&format!(
        "network: {why}; the container shares the host's (--network none cuts it off)"
    ));
    network.mode = NetworkMode::Host;
    network.attachments.clear();
    Ok(())
}

/// The program that a container's network comes from.
///
/// # Errors
/// `NotFound` when it is not installed.
pub(super) fn program(engine: &Engine<'_>, network: &Network) -> common::Result<Program> {
    let wanted = network
        .helper
        .as_ref()
        .map(|helper| helper.program.as_str());
    user::program(engine.host.search_path().as_deref(), wanted).ok_or_else(|| {
        let name = wanted.unwrap_or("pasta or slirp4netns");
        Error::new(Kind::NotFound, "connect network with", name)
            .because("it is not installed".to_owned())
            .hint("install the package passt or slirp4netns, or use --network host or none")
    })
}

/// Says what does not work of a container's ports with this program.
pub(super) fn warn_of_ports(engine: &Engine<'_>, program: &Program, published: &[Published]) {
    let lacking = published
        .iter()
        .find_map(|port| Some((port, program.lack(port)?)));
    if let Some((port, lack)) = lacking {
        let line = format!("--publish {}:{}/udp: {lack}", port.host_port, port.port);
        engine.ui.warn(&line);
    }
}

/// Starts it for a container's namespace.
pub(super) fn connect(
    program: &Program,
    network: &Network,
    ports: &[Published],
    namespace: BorrowedFd<'_>,
) -> common::Result<Helper> {
    let mut options = match &network.helper {
        Some(helper) => helper.options.clone(),
        None => Vec::new(),
    };
    if network.wants_host() {
        options.push(program.host_words().to_owned());
    }
    // Beside others it is not to have the name of one of them.
    if network.is_on_named() {
        options.extend(program.name_words("eth0", &options));
    }
    let child = program.start(&Wanted {
        namespace,
        published: ports,
        names: network.dns.is_empty(),
        options: &options,
    })?;
    Ok(Helper::of(child.pid))
}
