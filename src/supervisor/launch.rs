//! The verbs that need a supervisor: `run`, `start` and `attach`.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::poll::{PollTimeout, poll};

use super::attached::{self, Stay, Viewer};
use super::clients::Bond;
use super::keeper::SOCKET;
use super::protocol::{Failure, FromSupervisor, ToSupervisor, Wanted};
use super::spawn;
use crate::common::{ContainerId, Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{
    self, Asked, ContainerState, Prepared, RunRequest, StopRequest, Timing,
};
use crate::logs::LogDriver;
use crate::store::{ContainerDir, ContainerLock};
use crate::sys::signal::Signals;
use crate::sys::{listener, socket};

/// Longest wait for a container that is just ending, or being changed by another command.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two tries for its lock, in milliseconds.
const PAUSE: u16 = 2;

/// How `run` goes about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunOptions {
    /// `-d`.
    pub(crate) detach: bool,
    /// The caller, in the foreground.
    pub(crate) viewer: Viewer,
}

/// What became of a container, as far as its caller saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It lives on: detached, or left by the detach keys.
    Alive(ContainerId),
    /// It ended.
    Ended(ExitStatus),
}

/// `run`. A container whose streams can be the caller's own and that nobody needs to know of
/// afterwards has no supervisor.
pub(crate) fn run(
    engine: &Engine<'_>,
    request: &RunRequest,
    options: RunOptions,
    timing: &mut Timing,
) -> Result<Outcome> {
    let prepared = container::find_and_prepare(engine, request, timing)?;
    start_required(engine, &prepared)?;
    if !options.detach && is_plain(&prepared, &options.viewer) {
        let status = container::run(engine, request, prepared, timing)?;
        return Ok(Outcome::Ended(status));
    }
    container::note(engine, &prepared.record, "create", &[]);
    let id = prepared.record.id.clone();
    let blind = options.viewer.is_blind();
    if options.detach {
        warn_of_logout(engine);
        spawn(engine, prepared, Bond::Visitor, Default::default())?;
        timing.lap("start");
        return Ok(Outcome::Alive(id));
    }
    // docker attaches before it starts.
    container::note(engine, &prepared.record, "attach", &[]);
    let terminal = prepared.asked.config.process.stdio.tty;
    let signals = Signals::block()?;
    let bond = if blind { Bond::Starter } else { Bond::Owner };
    let spawned = spawn(engine, prepared, bond, options.viewer.wanted)?;
    timing.lap("start");
    let stayed = attached::stay(
        &spawned.socket,
        options.viewer,
        &signals,
        (terminal, !blind),
    );
    timing.lap("run");
    if let Ok(Stay::Detached) = stayed {
        return Ok(Outcome::Alive(id));
    }
    // The end of the socket is the end of a container that still runs.
    drop(spawned.socket);
    spawned.child.wait()?;
    match stayed? {
        Stay::Ended(_) if blind => Ok(Outcome::Alive(id)),
        Stay::Ended(status) => Ok(Outcome::Ended(status)),
        Stay::Detached => Ok(Outcome::Alive(id)),
    }
}

/// `--requires`: starts what has to run first.
fn start_required(engine: &Engine<'_>, prepared: &Prepared) -> Result<()> {
    for id in &prepared.asked.config.requires {
        let name = &prepared.record.name;
        start(engine, id, None).with_context(|| format!("start what {name} requires"))?;
    }
    Ok(())
}

/// Starts a container with its supervisor, and says so to the manager of a service.
fn spawn(
    engine: &Engine<'_>,
    prepared: Prepared,
    bond: Bond,
    wanted: Wanted,
) -> Result<spawn::Spawned> {
    let notify = prepared.asked.config.lifecycle.notify;
    let spawned = spawn::spawn(engine, prepared, bond, wanted)?;
    // In the foreground the service is this process.
    let main = || match bond {
        Bond::Visitor => spawned.child.pid.unsigned_abs(),
        _ => std::process::id(),
    };
    container::notify_started(engine, notify, main);
    Ok(spawned)
}

fn warn_of_logout(engine: &Engine<'_>) {
    if engine.host.kills_at_logout() {
        engine.ui.warn(
            "the container ends when you log out, as this host ends all processes of a session \
             (KillUserProcesses); loginctl enable-linger lets them live",
        );
    }
}

/// Whether a foreground run gives its caller all that a supervisor would: its log is of no use
/// once it is removed, and there is nothing to leave, to check or to start again.
fn is_plain(prepared: &Prepared, viewer: &Viewer) -> bool {
    let config = &prepared.asked.config;
    let log = config.lifecycle.log.driver;
    let all = Wanted {
        stdin: config.process.stdio.interactive,
        stdout: true,
        stderr: true,
    };
    prepared.asked.remove
        && !config.process.stdio.tty
        && container::check(&prepared.record, config).is_none()
        && viewer.wanted == all
        && log.is_none_or(|driver| matches!(driver, LogDriver::None | LogDriver::Passthrough))
}

/// `start`: the next run of a container. With a viewer the caller stays with it; one that runs
/// already is left alone.
pub(crate) fn start(
    engine: &Engine<'_>,
    name: &str,
    mut viewer: Option<Viewer>,
) -> Result<Option<ExitStatus>> {
    let dir = engine.store.containers().find(name)?;
    let lock = match (lock_ended(&dir, name)?, viewer.take()) {
        (Found::Ended(lock), asked) => {
            viewer = asked;
            lock
        }
        (Found::Held, viewer) => return release(&dir, name, viewer),
        (Found::Running, Some(viewer)) => return attach(engine, name, viewer),
        (Found::Running, None) => return Ok(None),
    };
    let prepared = reopen(engine, dir, lock, name)?;
    start_required(engine, &prepared)?;
    let terminal = prepared.asked.config.process.stdio.tty;
    let Some(mut viewer) = viewer else {
        spawn(engine, prepared, Bond::Visitor, Default::default())?;
        return Ok(None);
    };
    viewer.wanted.stdin &= prepared.asked.config.process.stdio.interactive;
    let signals = Signals::block()?;
    let spawned = spawn(engine, prepared, Bond::Starter, viewer.wanted)?;
    match attached::stay(&spawned.socket, viewer, &signals, (terminal, false))? {
        Stay::Ended(status) => Ok(Some(status)),
        Stay::Detached => Ok(None),
    }
}

fn reopen(
    engine: &Engine<'_>,
    dir: ContainerDir,
    lock: ContainerLock,
    name: &str,
) -> Result<Prepared> {
    container::end_leftovers(&dir)?;
    container::refuse_mounted(&dir, name)?;
    container::reopen(engine, dir, lock)
}

/// `container init`: makes everything of a container, and a first process that waits for `start`
/// to become the payload.
///
/// # Errors
/// `Conflict` for one that runs or waits already; whatever would keep it from being started.
pub(crate) fn initialize(engine: &Engine<'_>, name: &str) -> Result<()> {
    let dir = engine.store.containers().find(name)?;
    let refused = |why: &str| {
        Error::new(Kind::Conflict, "initialize container", name).because(why.to_owned())
    };
    let lock = match lock_ended(&dir, name)? {
        Found::Ended(lock) => lock,
        Found::Held => return Err(refused("it waits for its start already").into()),
        Found::Running => return Err(refused("it is running already").into()),
    };
    let mut prepared = reopen(engine, dir, lock, name)?;
    prepared.planned.plan.held = true;
    warn_of_logout(engine);
    spawn(engine, prepared, Bond::Visitor, Default::default())?;
    Ok(())
}

/// The start of an initialized container.
fn release(dir: &ContainerDir, name: &str, viewer: Option<Viewer>) -> Result<Option<ExitStatus>> {
    let stdio = Asked::of(&dir.record()?)?.config.process.stdio;
    let mut wanted = viewer.as_ref().map_or(Wanted::default(), |one| one.wanted);
    wanted.stdin &= stdio.interactive;
    let signals = viewer.as_ref().map(|_| Signals::block()).transpose()?;
    let socket = connect(dir, name)?;
    socket::send(socket.as_fd(), &ToSupervisor::Start(wanted).encode(), None)
        .map_err(|errno| Error::errno("start container", name, errno))?;
    let answer = socket::receive(socket.as_fd()).ok().flatten();
    match answer
        .as_ref()
        .map(|(packet, _)| FromSupervisor::decode(packet))
    {
        Some(Some(FromSupervisor::Ready)) => {}
        Some(Some(FromSupervisor::Failed(text))) => {
            let failure: Failure = serde_json::from_slice(text)?;
            return Err(failure.into_error());
        }
        _ => return Err(gone(&format!("start container {name}"))),
    }
    let (Some(mut viewer), Some(signals)) = (viewer, signals) else {
        return Ok(None);
    };
    viewer.wanted = wanted;
    match attached::stay(&socket, viewer, &signals, (stdio.tty, false))? {
        Stay::Ended(status) => Ok(Some(status)),
        Stay::Detached => Ok(None),
    }
}

fn gone(what: &str) -> anyhow::Error {
    anyhow!("the container's supervisor is gone").context(what.to_owned())
}

/// `restart`: stops what runs, all at once, and starts each container; one result for each name,
/// in order. One that did not run is started.
pub(crate) fn restart(engine: &Engine<'_>, request: &StopRequest) -> Vec<(String, Result<()>)> {
    let begun: Vec<Result<()>> = request
        .containers
        .iter()
        .map(|name| keep(engine, name))
        .collect();
    let ready = request.containers.iter().zip(&begun);
    let stops = StopRequest {
        containers: ready
            .filter(|(_, begun)| begun.is_ok())
            .map(|(name, _)| name.clone())
            .collect(),
        ..request.clone()
    };
    let mut stopped = container::stop(engine, &stops).into_iter();
    let one = |(name, begun): (&String, Result<()>)| {
        begun?;
        if let Some((_, stopped)) = stopped.next() {
            stopped?;
        }
        start(engine, name, None)?;
        let record = engine.store.containers().find(name)?.record()?;
        container::note(engine, &record, "restart", &[]);
        Ok(())
    };
    let done: Vec<Result<()>> = request.containers.iter().zip(begun).map(one).collect();
    request.containers.iter().cloned().zip(done).collect()
}

/// Sees to it that a container is still there when it has been stopped.
fn keep(engine: &Engine<'_>, name: &str) -> Result<()> {
    let dir = engine.store.containers().find(name)?;
    if !Asked::of(&dir.record()?)?.remove || !container::state(&dir)?.is_active() {
        return Ok(());
    }
    if !dir.path().join(SOCKET).exists() {
        return Err(Error::new(Kind::Unsupported, "restart container", name)
            .because("it is bound to the command that started it, and goes with it".to_owned())
            .hint("run it with -d or without --rm")
            .into());
    }
    Ok(dir.mark_kept()?)
}

/// A container that is to be started.
enum Found {
    /// It does not run.
    Ended(ContainerLock),
    /// It waits for this.
    Held,
    /// It runs.
    Running,
}

fn lock_ended(dir: &ContainerDir, name: &str) -> Result<Found> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match dir.lock() {
            Ok(lock) => return Ok(Found::Ended(lock)),
            Err(error) if error.kind() == Kind::Conflict => match container::state(dir)? {
                ContainerState::Running | ContainerState::Restarting => return Ok(Found::Running),
                ContainerState::Initialized => return Ok(Found::Held),
                ContainerState::Paused => {
                    return Err(Error::new(Kind::Conflict, "start container", name)
                        .because("cannot start a paused container, try unpause instead".to_owned())
                        .into());
                }
                _ if Instant::now() >= deadline => return Err(error.into()),
                _ => {}
            },
            Err(error) => return Err(error.into()),
        }
        // The kernel can wait for such a lock only without a deadline.
        let _ = poll(&mut [], PollTimeout::from(PAUSE));
    }
}

/// `attach`: stays with a container that runs; `None` when the caller left it.
pub(crate) fn attach(
    engine: &Engine<'_>,
    name: &str,
    mut viewer: Viewer,
) -> Result<Option<ExitStatus>> {
    let dir = engine.store.containers().find(name)?;
    let refused = |why: &str| Error::new(Kind::Conflict, "attach to", name).because(why.to_owned());
    match container::state(&dir)? {
        ContainerState::Running | ContainerState::Initialized => {}
        ContainerState::Paused => {
            let why = "you cannot attach to a paused container, unpause it first";
            return Err(refused(why).into());
        }
        ContainerState::Restarting => {
            let why = "you cannot attach to a restarting container, wait until it is running";
            return Err(refused(why).into());
        }
        _ => {
            let why = "you cannot attach to a stopped container, start it first";
            return Err(refused(why).into());
        }
    }
    let record = dir.record()?;
    let stdio = Asked::of(&record)?.config.process.stdio;
    viewer.wanted.stdin &= stdio.interactive;
    let signals = Signals::block()?;
    let socket = connect(&dir, name)?;
    socket::send(
        socket.as_fd(),
        &ToSupervisor::Attach(viewer.wanted).encode(),
        None,
    )
    .map_err(|errno| Error::errno("attach to", name, errno))?;
    let ready = socket::receive(socket.as_fd()).ok().flatten();
    let ready = ready
        .is_some_and(|(packet, _)| FromSupervisor::decode(&packet) == Some(FromSupervisor::Ready));
    if !ready {
        return Err(gone(&format!("attach to {name}")));
    }
    container::note(engine, &record, "attach", &[]);
    match attached::stay(&socket, viewer, &signals, (stdio.tty, false))? {
        Stay::Ended(status) => Ok(Some(status)),
        Stay::Detached => {
            container::note(engine, &record, "detach", &[]);
            Ok(None)
        }
    }
}

/// Tells the supervisor of a container that runs that its health check is another one.
///
/// # Errors
/// When it cannot be reached; one without a supervisor is told of at its next start.
pub(crate) fn check_anew(engine: &Engine<'_>, name: &str) -> Result<()> {
    if !tell(engine, name, &ToSupervisor::CheckAnew)? {
        let line = format!("the new health check of {name} holds from its next start on");
        engine.ui.warn(&line);
    }
    Ok(())
}

/// Tells the supervisor of a container that runs that it has come to another network, whose
/// processes are to be watched. Without a supervisor nobody watches them.
///
/// # Errors
/// When it cannot be reached.
pub(crate) fn serve_anew(engine: &Engine<'_>, name: &str) -> Result<()> {
    tell(engine, name, &ToSupervisor::ServeAnew).map(drop)
}

/// False for a container that runs without a supervisor; one that does not run needs no word.
fn tell(engine: &Engine<'_>, name: &str, word: &ToSupervisor<'_>) -> Result<bool> {
    let dir = engine.store.containers().find(name)?;
    if !container::state(&dir)?.has_process() {
        return Ok(true);
    }
    match listener::connect_at(dir.path(), SOCKET) {
        Ok(socket) => socket::send(socket.as_fd(), &word.encode(), None)
            .map(|()| true)
            .map_err(|errno| Error::errno("tell the supervisor of", name, errno).into()),
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn connect(dir: &ContainerDir, name: &str) -> Result<OwnedFd> {
    listener::connect_at(dir.path(), SOCKET).map_err(|error| match error.kind() {
        Kind::NotFound => Error::new(Kind::Unsupported, "attach to", name)
            .because("its streams are those of the command that started it".to_owned())
            .hint("run it with -d, with -t or without --rm")
            .into(),
        _ => error.into(),
    })
}
