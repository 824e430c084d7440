//! Another process in a container that runs: joins its namespaces, then takes the last steps of
//! a first process.
//!
//! Everything that needs the host's own `/proc` or devices is done before a namespace is joined:
//! what the container shows under those names may be its own invention.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode, stat, umask};

use super::{Init, Plan, Step, console, enter_cgroup, payload, user};
use crate::common::{Error, Kind, Result};
use crate::runtime::message::FromInit;
use crate::runtime::target::{Target, ended};
use crate::sys::path::Root;
use crate::sys::process::{Cloned, clone, exit_now};
use crate::sys::{credentials, exec, signal};

/// What the joining process carries beside `Init`.
struct Joining<'a> {
    init: Init<'a>,
    target: &'a Target,
    output: Option<BorrowedFd<'a>>,
    /// This process in the host's proc.
    proc: Option<OwnedFd>,
}

/// A step of the process that joins, as [`Step`].
type JoiningStep = (&'static str, fn(&mut Joining<'_>) -> Result<()>);

/// What the process does that joins.
const JOINING: &[JoiningStep] = &[
    ("streams", set_streams),
    ("limits", prepare_limits),
    ("cgroup", |joining| enter_cgroup(&mut joining.init)),
    ("namespaces", join),
    ("user", |joining| user::resolve(&mut joining.init)),
    ("identity", nest),
];

/// What its child in the container does.
const STEPS: &[Step] = &[
    ("terminal", console::open_another),
    ("working directory", payload::enter_directory),
    ("limits", payload::set_limits),
    ("streams", payload::set_streams),
    ("privileges", payload::drop_privileges),
];

/// Runs in the forked child. Never returns.
pub(in crate::runtime) fn main(
    plan: &Plan,
    socket: OwnedFd,
    target: &Target,
    cgroups: Vec<BorrowedFd<'_>>,
    output: Option<BorrowedFd<'_>>,
) -> ! {
    // Before proc can no longer be trusted, and before the process is hidden from itself.
    exec::close_on_exec_from(3 + plan.entering.unwrap_or(0) as i32);
    signal::reset_all();
    let _ = credentials::die_with_parent();
    umask(Mode::empty());
    let mut joining = Joining {
        init: Init::new(plan, socket, cgroups),
        target,
        output,
        proc: None,
    };
    for (name, step) in JOINING {
        if let Err(error) = step(&mut joining) {
            joining.init.fail(name, &error);
        }
    }
    let mut init = joining.init;
    match clone(CloneFlags::CLONE_PARENT, None) {
        Ok(Cloned::Parent(child)) => {
            init.tell(&FromInit::Entered(child.pid), Some(child.pidfd.as_fd()));
            exit_now(0)
        }
        Ok(Cloned::Child) => {}
        Err(error) => init.fail("namespaces", &explain_clone(error)),
    }
    credentials::new_session_keyring();
    let _ = credentials::die_with_parent();
    for (name, step) in STEPS {
        if let Err(error) = step(&mut init) {
            init.fail(name, &error);
        }
    }
    payload::run(init)
}

/// The host's null device instead of an input that is not wanted, and the output that is.
fn set_streams(joining: &mut Joining<'_>) -> Result<()> {
    let failed = |errno| Error::errno("set up", "standard streams", errno);
    if !joining.init.plan.interactive {
        let null = open(
            "/dev/null",
            OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| Error::errno("open", "/dev/null", errno))?;
        exec::dup_onto(null.as_raw_fd(), 0).map_err(failed)?;
    }
    if let Some(output) = joining.output {
        exec::dup_onto(output.as_raw_fd(), 1).map_err(failed)?;
        exec::dup_onto(output.as_raw_fd(), 2).map_err(failed)?;
    }
    Ok(())
}

fn prepare_limits(joining: &mut Joining<'_>) -> Result<()> {
    if let Some(score) = joining.init.plan.process.oom_score_adj {
        // What could not be given was said when the container was made.
        let _ = std::fs::write("/proc/self/oom_score_adj", score.to_string());
    }
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let proc = open("/proc/self", flags, Mode::empty())
        .map_err(|errno| Error::errno("open", "/proc/self", errno))?;
    joining.proc = Some(proc);
    Ok(())
}

/// Joins the namespaces, the user's first: it brings the rights to join the others. From before
/// the first of them nothing of this process can be traced or written to.
fn join(joining: &mut Joining<'_>) -> Result<()> {
    credentials::not_dumpable()?;
    let failed = |name: &str, errno: Errno| {
        Error::errno("join namespace", name, errno).hint(
            "it may belong to a namespace that this process is not in; run it where the container was started",
        )
    };
    let request = &joining.init.plan.process.user;
    if let Some(user) = &joining.target.user {
        setns(user, CloneFlags::CLONE_NEWUSER).map_err(|errno| failed("user", errno))?;
        if !request.single_id {
            credentials::set_ids(0, 0)?;
            if !request.keep_groups {
                credentials::set_groups(&[])
                    .map_err(|errno| Error::errno("drop supplementary groups", "", errno))?;
            }
        }
        credentials::not_dumpable()?;
    }
    for (name, space, flag) in &joining.target.spaces {
        setns(space, *flag).map_err(|errno| failed(name, errno))?;
    }
    let root = stat("/").map_err(|errno| Error::errno("look at", "/", errno))?;
    if (root.st_dev, root.st_ino) == joining.target.outside {
        // It has made its namespaces and not entered its root yet: what is here is the host's.
        return Err(Error::new(Kind::Conflict, "join", "container")
            .because("it is just being started".to_owned()));
    }
    joining.init.root = Some(Root::open("/".as_ref())?);
    Ok(())
}

/// Another user of a container with one id gets the nested user namespace here and not in the
/// container's pid namespace, where others could reach this process while its maps are written.
fn nest(joining: &mut Joining<'_>) -> Result<()> {
    let user = &joining.init.user;
    if !joining.init.plan.process.user.single_id || (user.uid, user.gid) == (0, 0) {
        return Ok(());
    }
    payload::nest(user, joining.proc.as_ref().map(AsFd::as_fd))?;
    credentials::not_dumpable()
}

/// A pid namespace whose first process has ended takes no more.
fn explain_clone(error: Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOMEM) => ended(),
        Some(libc::EAGAIN) => error.hint("the limit of processes is reached (--pids-limit)"),
        _ => error,
    }
}
