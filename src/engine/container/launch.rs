//! The moment a container's first process comes to be, and the records of its run and end.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};

use super::asked::Asked;
use super::create::Prepared;
use super::failure::RunFailure;
use super::network::{self, Connection};
use super::plan::{self, Planned};
use super::{event, join, userns};
use crate::cgroup::{self, Cgroup};
use crate::common::{Error, ExitStatus, Kind, Timestamp, strictly};
use crate::engine::Engine;
use crate::network::shared::Membership;
use crate::oci::ContainerConfig;
use crate::runtime::{self, Gate, Join, Running, Started, Streams};
use crate::spec::config::Config;
use crate::store::{ContainerDir, ContainerLock, ContainerRecord, ExitRecord, Phase, StateRecord};
use crate::sys::file;

/// A container whose payload runs.
pub(crate) struct Live {
    /// Its first process.
    pub(crate) started: Started,
    /// Who the payload is, its terminal and its emulation.
    pub(crate) running: Running,
    /// Its cgroup, which goes with it.
    pub(crate) cgroup: Cgroup,
    /// When it began.
    pub(crate) began: Timestamp,
}

/// How a run came to its end.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// Code or signal.
    pub(crate) status: ExitStatus,
    /// When it had begun; `None` when it could not be started.
    pub(crate) started: Option<Timestamp>,
    /// The kernel killed it for want of memory.
    pub(crate) oom: bool,
    /// Why it could not be started, or was killed by its supervisor.
    pub(crate) error: String,
}

impl End {
    /// The end of a run that never began.
    pub(crate) fn failed(error: &anyhow::Error) -> End {
        let failure = error.downcast_ref::<RunFailure>();
        End {
            status: failure.map_or(ExitStatus::ENGINE, |failure| failure.status),
            started: None,
            oom: false,
            error: format!("{error:#}"),
        }
    }
}

/// Prepares the next start of a container that exists, with its lock taken.
pub(crate) fn reopen(
    engine: &Engine<'_>,
    dir: ContainerDir,
    lock: ContainerLock,
) -> Result<Prepared> {
    let mut record = dir.record()?;
    if record.mode != engine.mode {
        return Err(Error::new(Kind::Conflict, "start container", &record.name)
            .because(format!(
                "it was made in identity mode {}, and this is {}",
                record.mode.as_str(),
                engine.mode.as_str()
            ))
            .hint("its files belong to other ids; set KETCH_IDENTITY, or make a new container")
            .into());
    }
    let mut asked = Asked::of(&record)?;
    let claim = userns::choose_again(engine, &dir, &mut record, &mut asked)?;
    let image = match &record.config {
        Some(digest) => engine.store.config_of(digest)?.config,
        None => ContainerConfig::default(),
    };
    drop(claim);
    let again = match dir.phase()? {
        Some(Phase::Started(_)) => true,
        Some(Phase::Ended(exit)) => exit.started.is_some(),
        None => false,
    };
    let planned = plan::make(engine, &record, &asked, &image, &dir, again)?;
    Ok(Prepared {
        record,
        asked,
        dir,
        lock,
        planned,
    })
}

/// Starts the first process and waits until it is the payload. On an error nothing runs.
///
/// # Errors
/// `RunFailure` with docker's exit code when the payload could not be started.
pub(crate) fn launch(
    engine: &Engine<'_>,
    prepared: &Prepared,
    streams: Streams<'_>,
    restarts: u32,
) -> Result<Live> {
    let Planned { plan, .. } = &prepared.planned;
    let cgroup = make_cgroup(engine, &prepared.record, &prepared.asked.config)?;
    if let Some(line) = engine.ui.withheld().first() {
        return Err(strictly(line).into());
    }
    let neighbour = join::neighbour(engine, &prepared.asked.config)?;
    let shared = network::join_shared(engine, &prepared.asked.config.network)?;
    let join = Join {
        into: cgroup.clone_into_fd(),
        procs: cgroup.join_fds(),
        below: shared.as_ref().map(Membership::user),
        neighbour: neighbour.as_ref(),
    };
    let mut connection = Connection::prepare(engine, prepared, shared.as_ref())?;
    let started = runtime::start(plan, join, streams)?;
    // Init builds the container now; the records are written meanwhile, and what an earlier
    // run has left is deleted.
    let recorded = record(prepared, &started, &cgroup, restarts);
    engine.store.delete_rest();
    let running = match (started.ready(engine.ui, &mut connection), recorded) {
        (Ok(running), Ok(())) => running,
        (Err(failure), _) => return Err(RunFailure::of(failure).into()),
        (Ok(_), Err(error)) => {
            started.abandon();
            return Err(error);
        }
    };
    Ok(Live {
        started,
        running,
        cgroup,
        began: Timestamp::now(),
    })
}

fn make_cgroup(engine: &Engine<'_>, record: &ContainerRecord, config: &Config) -> Result<Cgroup> {
    let limits = &config.resources.limits;
    let parent = config.resources.cgroup_parent.as_deref();
    if *limits == cgroup::Limits::default() && parent.is_none() && !engine.host.is_admin() {
        return Ok(Cgroup::default());
    }
    Ok(cgroup::prepare(
        record.id.as_str(),
        parent,
        limits,
        engine.host.cgroups(),
        engine.ui,
    )?)
}

/// Writes what other commands need to know of a running container.
fn record(prepared: &Prepared, started: &Started, cgroup: &Cgroup, restarts: u32) -> Result<()> {
    let mut state =
        StateRecord::of_process(started.child.pid).context("the container ended at once")?;
    state.restarts = restarts;
    state.held = prepared.planned.plan.held;
    write_json(&prepared.dir, "config.json", &prepared.planned.spec)?;
    if !cgroup.place().is_none() {
        write_json(&prepared.dir, "cgroup.json", cgroup.place())?;
    }
    let asked = &prepared.asked.config.lifecycle;
    for (path, pid) in [
        (&asked.pidfile, state.pid),
        (&asked.keeper_pidfile, state.supervisor),
    ] {
        if let Some(path) = path {
            file::write_atomic(Path::new(path), format!("{pid}\n").as_bytes())?;
        }
    }
    // Last: it says that the container runs, and that the others can be read.
    Ok(prepared.dir.set_state(&state)?)
}

fn write_json(dir: &ContainerDir, name: &str, value: &impl serde::Serialize) -> Result<()> {
    let path = dir.path().join(name);
    Ok(file::write_unseen(&path, &serde_json::to_vec(value)?)?)
}

/// Has the first process of a held container become the payload, and notes in its record and in
/// the journal that it runs; returns since when, and where its seccomp notifications arrive.
///
/// # Errors
/// `RunFailure` with docker's exit code when the payload could not be started.
pub(crate) fn open_gate(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    dir: &ContainerDir,
    gate: &Gate,
) -> Result<(Timestamp, Option<OwnedFd>)> {
    let listener = gate.open().map_err(RunFailure::of)?;
    let started = Timestamp::now();
    dir.change(|phase| match phase {
        Some(Phase::Started(state)) => Some(Phase::Started(StateRecord {
            held: false,
            started,
            ..state
        })),
        other => other,
    })?;
    event::note(engine, record, "start", &[]);
    Ok((started, listener))
}

/// Notes the end of a run in the container's records and in the journal.
pub(crate) fn record_end(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    dir: &ContainerDir,
    end: &End,
    (restarts, restarting): (u32, bool),
) -> Result<()> {
    if end.started.is_some() {
        note_end(engine, record, end);
    }
    let exit = ExitRecord {
        status: end.status,
        started: end.started,
        finished: Timestamp::now(),
        oom: end.oom,
        restarts,
        restarting,
        error: end.error.clone(),
    };
    network::release(engine, record, dir)?;
    dir.change(|_| Some(Phase::Ended(exit)))?;
    Ok(())
}

/// docker's `die`, and `oom` before it.
pub(crate) fn note_end(engine: &Engine<'_>, record: &ContainerRecord, end: &End) {
    if end.oom {
        event::note(engine, record, "oom", &[]);
    }
    let attributes = event::die(end.status, end.started, Timestamp::now());
    event::note(engine, record, "die", &attributes);
}
