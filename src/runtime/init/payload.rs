//! The last steps: directory, limits, streams, privileges, and the payload itself.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sched::CloneFlags;
use nix::sys::stat::{Mode, umask};
use nix::unistd::Uid;

use super::{Init, devices, reaper};
use crate::common::{Error, Kind, Result};
use crate::oci::DEFAULT_PATH;
use crate::runtime::message::FromInit;
use crate::sys::descriptor::path_of;
use crate::sys::namespace::IdMap;
use crate::sys::path::Links;
use crate::sys::{credentials, exec, namespace, seccomp, socket, tty};

/// Enters the working directory, or makes it first where the plan says so. A name such as
/// `/proc/self/fd/7/x` could lead to a directory of the host that ketch has open, and make `x`
/// there (CVE-2024-21626), so the resolver that follows no such links finds it.
pub(super) fn enter_directory(init: &mut Init<'_>) -> Result<()> {
    let cwd = Path::new(&init.plan.process.cwd);
    if cwd == Path::new("/") {
        // Where entering the root has left it.
        return Ok(());
    }
    let dir = match init.plan.process.makes_cwd {
        true => init.root()?.make_dirs(cwd, 0o755)?,
        false => {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
            let found = init.root()?.lookup(cwd, flags, Links::Follow);
            found.map_err(|errno| Error::errno("enter working directory", cwd, errno))?
        }
    };
    nix::unistd::fchdir(&dir)
        .map_err(|errno| Error::errno("enter working directory", cwd, errno))?;
    // Behind the pivot every path of the container starts at its root; one outside has none.
    match nix::unistd::getcwd() {
        Ok(path) if path.is_absolute() => Ok(()),
        _ => Err(Error::new(
            Kind::Denied,
            "enter working directory",
            cwd.display().to_string(),
        )
        .because("it lies outside the container's root".to_owned())),
    }
}

/// Before this process is hidden: then its own score is not its to write.
pub(super) fn set_oom_score(init: &mut Init<'_>) -> Result<()> {
    if let Some(score) = init.plan.process.oom_score_adj
        && let Err(error) = std::fs::write("/proc/self/oom_score_adj", score.to_string())
    {
        init.warn(format!(
            "--oom-score-adj {score}: {error}; lowering it takes CAP_SYS_RESOURCE"
        ));
    }
    Ok(())
}

/// Resource limits, OOM score and umask. A limit that may not be raised is clamped and said.
pub(super) fn set_limits(init: &mut Init<'_>) -> Result<()> {
    for limit in &init.plan.process.rlimits {
        let name = limit.name;
        match exec::set_rlimit(limit.resource, limit.soft, limit.hard) {
            Ok(None) => {}
            // Said when the container was made.
            Ok(Some(_)) if init.plan.entering.is_some() => {}
            Ok(Some((_, hard))) => init.warn(format!(
                "--ulimit {name}: stays at the caller's hard limit {hard}; raise it with `ulimit -H` first"
            )),
            Err(errno) => return Err(Error::errno("set resource limit", name, errno)),
        }
    }
    umask(Mode::from_bits_truncate(init.plan.process.umask));
    Ok(())
}

/// A session of its own, so that no terminal of the caller can be typed into, and the streams.
pub(super) fn set_streams(init: &mut Init<'_>) -> Result<()> {
    let failed = |errno| Error::errno("set up", "standard streams", errno);
    exec::set_session();
    if let Some(terminal) = init.terminal.take() {
        tty::make_controlling(terminal.as_fd()).map_err(failed)?;
        for stream in 0..=2 {
            exec::dup_onto(terminal.as_raw_fd(), stream).map_err(failed)?;
        }
    } else {
        for (stream, own) in (0..).zip(init.streams) {
            if let Some(own) = own {
                // runc: a payload that is another user can open /dev/stdout anew. Not every
                // descriptor has an owner that may be changed, and that is no failure.
                let _ = nix::unistd::fchown(own, Some(Uid::from_raw(init.user.uid)), None);
                exec::dup_onto(own.as_raw_fd(), stream).map_err(failed)?;
            }
        }
        if !init.plan.interactive && init.plan.entering.is_none() {
            let null = open_null(init)?;
            exec::dup_onto(null.as_raw_fd(), 0).map_err(failed)?;
        }
    }
    exec::close_on_exec_from(3 + init.plan.entering.unwrap_or(0) as i32);
    for number in &init.plan.preserve {
        exec::keep_open(*number).map_err(failed)?;
    }
    Ok(())
}

fn open_null(init: &Init<'_>) -> Result<OwnedFd> {
    let failed = |errno| Error::errno("open", "/dev/null", errno);
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    if let Some(dev) = init.fresh_tmpfs("/dev") {
        let null = openat(dev, "null", flags | OFlag::O_NOFOLLOW, Mode::empty());
        return null.map_err(failed);
    }
    // With a /dev of the caller's own this could be anything: a fifo that blocks us, a link.
    let node = devices::open_device(Path::new("/dev/null"), 1, 3)?;
    open(path_of(&node).as_str(), flags, Mode::empty()).map_err(failed)
}

/// A container that is only initialized waits here for its start, however long. Who waits with it
/// is its supervisor, and it ends with that.
pub(super) fn wait_for_start(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.held {
        return Ok(());
    }
    init.tell(&FromInit::Held, None);
    match socket::receive(init.socket.as_fd()) {
        Ok(Some(_)) => Ok(()),
        _ => crate::sys::process::exit_now(1),
    }
}

/// From user 0 with every capability to the payload's identity. The filter is loaded while
/// the right to load it is still there; with `no_new_privs` it is loaded last of all.
pub(super) fn drop_privileges(init: &mut Init<'_>) -> Result<()> {
    let process = &init.plan.process;
    let user = init.user.clone();
    let other = process.user.single_id && (user.uid, user.gid) != (0, 0);
    if other && init.plan.entering.is_none() {
        nest(&user, None)?;
    }
    credentials::drop_bounding(process.caps)?;
    if !process.no_new_privileges {
        load_filter(init)?;
    }
    if !process.user.single_id {
        if !process.user.keep_groups {
            credentials::set_groups(&user.groups).map_err(|errno| {
                Error::errno(
                    "set supplementary groups",
                    format!("{:?}", user.groups),
                    errno,
                )
            })?;
        }
        if (user.uid, user.gid) != (0, 0) || init.plan.maps.is_none() {
            let leaves_root = user.uid != 0;
            if leaves_root {
                credentials::keep_caps(true)?;
            }
            credentials::set_ids(user.uid, user.gid).map_err(|error| id_error(error, &user))?;
            if leaves_root {
                credentials::keep_caps(false)?;
            }
        }
    }
    let caps = if user.uid == 0 { process.caps } else { 0 };
    let caps = caps & credentials::permitted_caps()?;
    credentials::set_caps(caps, caps, 0)?;
    credentials::clear_ambient();
    credentials::not_dumpable()?;
    credentials::die_with_parent()?;
    // Killed before that call, the caller would not be missed.
    if socket::is_deserted(init.socket.as_fd()) {
        crate::sys::process::exit_now(1);
    }
    if process.no_new_privileges {
        credentials::no_new_privs()?;
        load_filter(init)?;
    }
    Ok(())
}

fn id_error(error: Error, user: &super::ResolvedUser) -> Error {
    if error.raw_os_error() == Some(libc::EINVAL) {
        return error.hint(format!(
            "user {}:{} is not mapped in this user namespace; a larger range in /etc/subuid and /etc/subgid maps it",
            user.uid, user.gid
        ));
    }
    error
}

/// With one mapped id, another user is that id under another number: a nested user namespace.
/// `proc` is this process's folder in a proc that shows it, when `/proc` does not.
pub(super) fn nest(user: &super::ResolvedUser, proc: Option<BorrowedFd<'_>>) -> Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER)
        .map_err(|errno| Error::errno("make nested namespace", "user", errno))?;
    let line = |inside| {
        [IdMap {
            inside,
            outside: 0,
            count: 1,
        }]
    };
    credentials::dumpable()?;
    let (uids, gids) = (line(user.uid), line(user.gid));
    match proc {
        Some(proc) => namespace::write_maps_at(proc, &uids, &gids),
        None => namespace::write_maps("self", &uids, &gids, true),
    }
}

fn load_filter(init: &Init<'_>) -> Result<()> {
    let process = &init.plan.process;
    if process.seccomp.is_empty() {
        return Ok(());
    }
    let listener = seccomp::load(&process.seccomp, process.listener)
        .map_err(|errno| Error::errno("load filter", "seccomp", errno))?;
    if let Some(listener) = listener {
        init.tell(&FromInit::Listener, Some(listener.as_fd()));
    }
    Ok(())
}

/// Becomes the payload, or its reaper. Never returns.
pub(super) fn run(init: Init<'_>) -> ! {
    let plan = init.plan;
    let (program, args, env) = match words(&init) {
        Ok(words) => words,
        Err(error) => init.fail("exec", &error),
    };
    if plan.reaper {
        match reaper::split() {
            Ok(reaper::Side::Payload) => {}
            Ok(reaper::Side::Reaper(child)) => {
                drop(init);
                reaper::watch(child)
            }
            Err(error) => init.fail("init", &error),
        }
    }
    let error = execute(&program, &args, &env);
    init.fail("exec", &error)
}

type Words = (String, Vec<CString>, Vec<CString>);

fn words(init: &Init<'_>) -> Result<Words> {
    let c = |text: &String| {
        CString::new(text.as_bytes()).map_err(|_| {
            Error::usage(
                "pass to the container",
                format!("{text:?}"),
                "it holds a NUL byte",
            )
        })
    };
    let process = &init.plan.process;
    let args = process.args.iter().map(c).collect::<Result<Vec<_>>>()?;
    let mut env = process.env.iter().map(c).collect::<Result<Vec<_>>>()?;
    if !process.env.iter().any(|entry| entry.starts_with("HOME=")) {
        env.push(c(&format!("HOME={}", init.user.home))?);
    }
    Ok((process.args[0].clone(), args, env))
}

/// execvp(3) over the container's `PATH`; returns the error that matters most.
fn execute(program: &str, args: &[CString], env: &[CString]) -> Error {
    if program.contains('/') {
        let errno = attempt(program, args, env);
        return exec_error(program, errno);
    }
    let path = env
        .iter()
        .filter_map(|entry| entry.to_str().ok()?.strip_prefix("PATH="))
        .next_back()
        .unwrap_or(DEFAULT_PATH);
    let mut worst = Errno::ENOENT;
    for dir in path.split(':') {
        let dir = if dir.is_empty() { "." } else { dir };
        match attempt(&format!("{dir}/{program}"), args, env) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            errno => worst = errno,
        }
    }
    if worst == Errno::ENOENT {
        return Error::new(Kind::NotFound, "exec", program)
            .because(std::io::Error::from_raw_os_error(libc::ENOENT))
            .hint("executable file not found in $PATH");
    }
    exec_error(program, worst)
}

fn attempt(path: &str, args: &[CString], env: &[CString]) -> Errno {
    match CString::new(path) {
        Ok(path) => exec::execve(&path, args, env),
        Err(_) => Errno::ENOENT,
    }
}

fn exec_error(program: &str, errno: Errno) -> Error {
    let error = Error::errno("exec", program, errno);
    match errno {
        Errno::ENOEXEC => {
            error.hint("exec format error: not a program for this machine, or a script without #!")
        }
        _ => error,
    }
}
