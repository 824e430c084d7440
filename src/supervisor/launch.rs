//! The verbs that need a supervisor: `run`, `start` and `attach`.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::poll::{PollTimeout, poll};

use super::attached::{self, Stay, Viewer};
use super::clients::Bond;
use super::keeper::SOCKET;
use super::protocol::{FromSupervisor, ToSupervisor, Wanted};
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
        if engine.host.kills_at_logout() {
            engine.ui.warn(
                "the container ends when you log out, as this host ends all processes of a \
                 session (KillUserProcesses); loginctl enable-linger lets them live",
            );
        }
        spawn::spawn(engine, prepared, Bond::Visitor, Default::default())?;
        timing.lap("start");
        return Ok(Outcome::Alive(id));
    }
    // docker attaches before it starts.
    container::note(engine, &prepared.record, "attach", &[]);
    let terminal = prepared.asked.config.process.stdio.tty;
    let signals = Signals::block()?;
    let bond = if blind { Bond::Starter } else { Bond::Owner };
    let spawned = spawn::spawn(engine, prepared, bond, options.viewer.wanted)?;
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
    viewer: Option<Viewer>,
) -> Result<Option<ExitStatus>> {
    let dir = engine.store.containers().find(name)?;
    let Some(lock) = lock_ended(&dir, name)? else {
        return match viewer {
            Some(viewer) => attach(engine, name, viewer),
            None => Ok(None),
        };
    };
    container::end_leftovers(&dir)?;
    container::refuse_mounted(&dir, name)?;
    let prepared = container::reopen(engine, dir, lock)?;
    start_required(engine, &prepared)?;
    let terminal = prepared.asked.config.process.stdio.tty;
    let Some(mut viewer) = viewer else {
        spawn::spawn(engine, prepared, Bond::Visitor, Default::default())?;
        return Ok(None);
    };
    viewer.wanted.stdin &= prepared.asked.config.process.stdio.interactive;
    let signals = Signals::block()?;
    let spawned = spawn::spawn(engine, prepared, Bond::Starter, viewer.wanted)?;
    match attached::stay(&spawned.socket, viewer, &signals, (terminal, false))? {
        Stay::Ended(status) => Ok(Some(status)),
        Stay::Detached => Ok(None),
    }
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

/// The lock of a container that does not run; `None` when it runs.
fn lock_ended(dir: &ContainerDir, name: &str) -> Result<Option<ContainerLock>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match dir.lock() {
            Ok(lock) => return Ok(Some(lock)),
            Err(error) if error.kind() == Kind::Conflict => match container::state(dir)? {
                ContainerState::Running | ContainerState::Restarting => return Ok(None),
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
        ContainerState::Running => {}
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
        return Err(
            anyhow!("the container's supervisor is gone").context(format!("attach to {name}"))
        );
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

fn connect(dir: &ContainerDir, name: &str) -> Result<OwnedFd> {
    listener::connect_at(dir.path(), SOCKET).map_err(|error| match error.kind() {
        Kind::NotFound => Error::new(Kind::Unsupported, "attach to", name)
            .because("its streams are those of the command that started it".to_owned())
            .hint("run it with -d, with -t or without --rm")
            .into(),
        _ => error.into(),
    })
}
