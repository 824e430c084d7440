//! The caller's side of another process in a container that runs.
//!
//! ```text
//!   caller                                 runner (forked, in the container's cgroup)
//!     enter ---- clone -------------------->|
//!                                           | init::entry::JOINING: streams, namespaces, user
//!       <------------- User ----------------|---- clone (as a child of the caller, in the
//!       <------------- Entered(pidfd) ------|     container's pid namespace) --> payload
//!     reaps the runner                     exit                                  |
//!       <------------- Console, Listener ------------------ init::entry::STEPS ---|
//!       <------------- Failed, or end of file = running ------------------------ execve
//! ```
//!
//! A pid namespace holds only processes that are born in it, hence the second clone; being the
//! caller's own child, the payload dies with it and is waited for as the first process is.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sched::CloneFlags;

use super::init::entry;
use super::message::{Failure, FromInit};
use super::parent::{Join, Running, StartFailure, Started};
use super::plan::Plan;
use super::target::Target;
use crate::common::{Error, Kind, Result, Ui};
use crate::sys::process::{Child, Cloned, clone};
use crate::sys::socket;

/// Name of the step in errors that are not init's own.
const ENTER: &str = "enter";

/// Starts the process of `plan` in the container of `target` and waits until it runs. With
/// `output` its standard output and error go there.
///
/// # Errors
/// The failure of the step that failed, with its name; nothing is left running then.
pub(crate) fn enter(
    plan: &Plan,
    target: &Target,
    join: Join<'_>,
    output: Option<BorrowedFd<'_>>,
    ui: &dyn Ui,
) -> std::result::Result<(Started, Running), StartFailure> {
    let failed = |error| StartFailure {
        step: ENTER.to_owned(),
        error,
    };
    let (ours, theirs) = socket::message_pair().map_err(failed)?;
    let runner = match clone(CloneFlags::empty(), join.into).map_err(failed)? {
        Cloned::Child => {
            drop(ours);
            entry::main(plan, theirs, target, join.procs, output)
        }
        Cloned::Parent(runner) => runner,
    };
    drop(theirs);
    let mut heard = Heard::default();
    // Both processes speak, in no order between them, until one is gone and the other has become
    // the program.
    let listened = heard.until_the_end(ours.as_fd(), ui);
    let _ = runner.wait();
    let Some(child) = heard.child else {
        let ended = || {
            Error::new(Kind::Conflict, "enter", "container")
                .because("it ended meanwhile".to_owned())
        };
        return Err(match heard.failure {
            Some(failure) => StartFailure::of(failure),
            None => failed(listened.err().unwrap_or_else(ended)),
        });
    };
    let started = Started {
        child,
        socket: ours,
        overlay: None,
    };
    match (heard.failure, listened) {
        (None, Ok(())) => Ok((started, heard.running)),
        (Some(failure), _) => {
            let _ = started.child.wait();
            Err(StartFailure::of(failure))
        }
        (None, Err(error)) => {
            started.abandon();
            Err(failed(error))
        }
    }
}

/// What the two processes have said.
#[derive(Default)]
struct Heard {
    running: Running,
    child: Option<Child>,
    failure: Option<Failure>,
}

impl Heard {
    fn until_the_end(&mut self, socket: BorrowedFd<'_>, ui: &dyn Ui) -> Result<()> {
        let broken =
            |why: String| Error::new(Kind::Bug, "hear from", "the new process").because(why);
        loop {
            let message =
                socket::receive(socket).map_err(|errno| broken(errno.desc().to_owned()))?;
            let Some((bytes, descriptor)) = message else {
                return Ok(());
            };
            match serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))? {
                FromInit::Warn(line) => ui.warn(&line),
                FromInit::Console => self.running.console = descriptor,
                FromInit::Listener => self.running.listener = descriptor,
                FromInit::User(user) => self.running.user = user,
                FromInit::Entered(pid) => {
                    self.child = descriptor.map(|pidfd| Child { pid, pidfd });
                }
                // Of a container that is built, which this one is.
                FromInit::UserNamespace
                | FromInit::Serve
                | FromInit::Held
                | FromInit::Resolver
                | FromInit::NetworkNamespace => {}
                FromInit::Failed(failure) => self.failure = Some(failure),
            }
        }
    }
}
