//! `exec`: one more process in a container that runs.

use anyhow::Result;
use oci_spec::runtime::Spec;

use super::asked::ImageFacts;
use super::event;
use super::failure::RunFailure;
use super::keeper;
use super::live::Live;
use super::plan;
use super::secret;
use crate::common::{ContainerId, ExitStatus, Kind, Timestamp};
use crate::engine::Engine;
use crate::oci::ContainerConfig;
use crate::runtime::{
    self, Attendance, Entry, Join, Plan, Running, StartFailure, Started, UserRequest,
};
use crate::seccomp::Identity;
use crate::spec::config::{EnvEntry, SeccompChoice, Stdio};
use crate::store::Event;
use crate::sys::file;
use crate::sys::signal::Signals;

/// `exec`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExecRequest {
    /// Name, id or unique id prefix.
    pub(crate) container: String,
    /// Program and arguments.
    pub(crate) words: Vec<String>,
    /// `-u`; the container's own user when not given.
    pub(crate) user: Option<String>,
    /// `-w`.
    pub(crate) workdir: Option<String>,
    /// `--env-file` and `-e`, over the container's environment.
    pub(crate) env: Vec<EnvEntry>,
    /// `-i`, `-t`.
    pub(crate) stdio: Stdio,
    /// `--privileged`.
    pub(crate) privileged: bool,
    /// `-d`: the process goes on without its caller.
    pub(crate) detach: bool,
    /// `--preserve-fds`: how many descriptors from 3 on it inherits.
    pub(crate) preserve: u32,
    /// `--detach-keys`: bytes that leave the process alone; none to take every key for it.
    pub(crate) detach_keys: Vec<u8>,
}

/// What became of an exec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExecOutcome {
    /// The process ended.
    Ended(ExitStatus),
    /// It goes on; the id of the exec.
    Detached(String),
}

/// A process that can be started in a container, and how to tell the world of it.
pub(super) struct Execution<'a> {
    engine: &'a Engine<'a>,
    pub(super) live: Live,
    plan: Plan,
    /// 64 hex characters.
    pub(super) id: String,
    words: String,
}

/// Runs a process in a container that runs.
///
/// # Errors
/// As [`Live::find`]; `RunFailure` with docker's exit code when it could not be started.
pub(crate) fn exec(engine: &Engine<'_>, request: &ExecRequest) -> Result<ExecOutcome> {
    let execution = Execution::prepare(engine, Live::find(engine, &request.container)?, request)?;
    let may_leave =
        request.stdio.tty && request.stdio.interactive && !request.detach_keys.is_empty();
    if request.detach || may_leave {
        return keeper::keep(&execution, request);
    }
    let how = Attendance {
        sig_proxy: true,
        interactive: request.stdio.interactive,
        timeout: None,
        slippery: execution.plan.is_slippery(),
    };
    execution.attend(how).map(ExecOutcome::Ended)
}

impl<'a> Execution<'a> {
    /// Makes the plan of `request` in the container of `live`.
    pub(super) fn prepare(
        engine: &'a Engine<'a>,
        live: Live,
        request: &ExecRequest,
    ) -> Result<Execution<'a>> {
        let spec = live.spec()?;
        let maps = live.record.asked.get("maps");
        let userns = maps.is_some_and(|maps| !maps.is_null());
        let identity = plan::identity(live.record.mode, &live.config, userns);
        let seccomp = filter(engine, &live, &spec, identity)?;
        let entry = Entry {
            args: request.words.clone(),
            env: environment(&spec, secret::variables(&live.config, &live.dir)?, request),
            cwd: request.workdir.clone(),
            user: user(engine, &live, request.user.as_deref()),
            mode: live.record.mode,
            privileged: request.privileged,
            terminal: request.stdio.tty,
            interactive: request.stdio.interactive,
            preserve: request.preserve,
            listener: identity == Identity::Notify && !seccomp.is_empty(),
            seccomp,
        };
        Ok(Execution {
            engine,
            plan: runtime::entry(&spec, entry)?,
            live,
            id: ContainerId::from_bytes(file::random()?).to_string(),
            words: request.words.join(" "),
        })
    }

    /// Starts the process; with `output` its standard output and error go there.
    pub(super) fn start(
        &self,
        output: Option<std::os::fd::BorrowedFd<'_>>,
    ) -> Result<(Started, Running)> {
        let entrance = self.live.entrance()?;
        let target = self.live.target()?;
        let join = Join {
            into: entrance.clone_into_fd(),
            procs: entrance.join_fds(),
            below: None,
            neighbour: None,
        };
        let begun = Timestamp::now();
        let entered = runtime::enter(&self.plan, &target, join, output, self.engine.ui);
        // One write for both, and beside the program instead of before it.
        let mut events = vec![self.event(begun, "exec_create", true, &[])];
        if entered.is_ok() {
            events.push(self.event(Timestamp::now(), "exec_start", true, &[]));
        }
        self.engine.store.note_events(&events);
        Ok(entered.map_err(failure)?)
    }

    /// Starts it and stays with it.
    pub(super) fn attend(&self, how: Attendance) -> Result<ExitStatus> {
        let signals = Signals::block()?;
        let (started, running) = self.start(None)?;
        let status = runtime::attend(&started, running, &signals, how)?;
        self.ended(status);
        Ok(status)
    }

    /// Says how it ended.
    pub(super) fn ended(&self, status: ExitStatus) {
        let code = status.code().to_string();
        let more = [("exitCode", code)];
        let event = self.event(Timestamp::now(), "exec_die", false, &more);
        self.engine.store.note_event(&event);
    }

    /// Whether the caller's end may not end it.
    pub(super) fn is_slippery(&self) -> bool {
        self.plan.is_slippery()
    }

    fn event(&self, time: Timestamp, action: &str, worded: bool, more: &[(&str, String)]) -> Event {
        let action = match worded {
            // docker: the command is part of the action.
            true => format!("{action}: {}", self.words),
            false => action.to_owned(),
        };
        let mut attributes = vec![("execID", self.id.clone())];
        attributes.extend(more.iter().cloned());
        event::of(&self.live.record, time, &action, &attributes)
    }
}

/// docker's classification: what is not there is 127, what cannot be used is 126.
pub(super) fn failure(failure: StartFailure) -> RunFailure {
    let status = match (failure.step.as_str(), failure.error.kind()) {
        ("working directory", Kind::NotFound) => ExitStatus::NOT_FOUND,
        ("user", _) => ExitStatus::NOT_EXECUTABLE,
        _ => return RunFailure::of(failure),
    };
    RunFailure {
        status,
        error: failure.error,
    }
}

/// The filter that the container's first process has.
fn filter(engine: &Engine<'_>, live: &Live, spec: &Spec, identity: Identity) -> Result<Vec<u8>> {
    /// More than the kernel takes of one filter.
    const LIMIT: usize = 64 << 10;
    let path = live.dir.path().join(plan::SECCOMP);
    match live.config.security.seccomp {
        SeccompChoice::File(_) => Ok(file::read_bounded(&path, LIMIT)?),
        _ => plan::seccomp_program(engine, &live.config, spec, identity),
    }
}

/// The container's environment, changed as asked.
fn environment(spec: &Spec, secrets: Vec<String>, request: &ExecRequest) -> Vec<String> {
    let process = spec.process().as_ref();
    let mut env = process
        .and_then(|process| process.env().clone())
        .unwrap_or_default();
    secret::set(&mut env, secrets);
    let has = |env: &[String], key: &str| {
        env.iter()
            .position(|entry| entry.split('=').next() == Some(key))
    };
    if request.stdio.tty && has(&env, "TERM").is_none() {
        env.push("TERM=xterm".to_owned());
    }
    for EnvEntry { key, value } in &request.env {
        let entry = value.as_ref().map(|value| format!("{key}={value}"));
        match (has(&env, key), entry) {
            (Some(index), Some(entry)) => env[index] = entry,
            (Some(index), None) => drop(env.remove(index)),
            (None, Some(entry)) => env.push(entry),
            (None, None) => {}
        }
    }
    env
}

/// As the first process's user was requested, by the mode the container was made in.
fn user(engine: &Engine<'_>, live: &Live, asked: Option<&str>) -> UserRequest {
    let image = ContainerConfig {
        user: ImageFacts::of(&live.record).user,
        ..ContainerConfig::default()
    };
    let mut request = plan::user(engine, live.record.mode, &live.config, &image);
    if let Some(text) = asked {
        request.text = text.to_owned();
    }
    request
}
