//! Work that must happen as the owner of a container's files: in `subid` mode inside a user
//! namespace with the whole range, otherwise right here.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, anyhow};
use nix::sched::CloneFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::common::{Error, ExitStatus, Kind, Mode};
use crate::sys::namespace::run_map_helpers;
use crate::sys::process::{Child, Cloned, clone, exit_now};
use crate::sys::{credentials, socket};

/// What a child has to say.
#[derive(Serialize, Deserialize)]
struct Answer<T> {
    /// What `--strict` keeps back and the parent has to know of.
    warnings: Vec<String>,
    outcome: Outcome<T>,
}

/// The result, or the parts of the error.
#[derive(Serialize, Deserialize)]
enum Outcome<T> {
    Done(T),
    Failed {
        kind: String,
        text: String,
        hint: Option<String>,
    },
}

/// Runs `work` with the rights over every id a container can have.
///
/// # Errors
/// Those of `work`, with their kind, text and hint wherever it ran.
pub(super) fn as_owner<T, F>(engine: &Engine<'_>, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    if engine.mode != Mode::Subid || engine.host.owns_ids() {
        return work();
    }
    // A stream, not messages: neither a list of files nor a registry's refusal has a limit.
    let (ours, theirs) = UnixStream::pair().context("make socket pair")?;
    match clone(CloneFlags::CLONE_NEWUSER, None)? {
        Cloned::Child => {
            drop(ours);
            in_namespace(engine, theirs, work)
        }
        Cloned::Parent(child) => {
            drop(theirs);
            if let Err(error) = map_and_start(engine, &child, &ours) {
                let _ = child.signal(libc::SIGKILL);
                let _ = child.wait();
                return Err(error);
            }
            let mut bytes = Vec::new();
            let read = (&ours).read_to_end(&mut bytes);
            let ended = child.wait()?;
            read.context("hear from the helper process")?;
            match ended.status {
                ExitStatus::Code(0) => unpack(engine, &bytes),
                ExitStatus::Signal(signal) => {
                    Err(anyhow!("the helper process was ended by signal {signal}"))
                }
                ExitStatus::Code(_) => Err(anyhow!("the helper process gave no answer")),
            }
        }
    }
}

/// Gives the child its ids, then lets it begin.
fn map_and_start(engine: &Engine<'_>, child: &Child, mut socket: &UnixStream) -> Result<()> {
    let maps = engine.host.id_maps(engine.mode)?;
    let (newuidmap, newgidmap) = engine.host.map_helpers().ok_or_else(|| {
        Error::new(Kind::Unsupported, "find", "newuidmap").because("not installed".to_owned())
    })?;
    run_map_helpers(child.pid, newuidmap, &maps.uids, newgidmap, &maps.gids)?;
    socket.write_all(b"g").context("start the helper process")
}

/// The child's side: becomes user 0 of the namespace, works, answers, ends.
fn in_namespace<T, F>(engine: &Engine<'_>, mut socket: UnixStream, work: F) -> !
where
    T: Serialize,
    F: FnOnce() -> Result<T>,
{
    let mut go = [0];
    if socket.read_exact(&mut go).is_err() {
        exit_now(1);
    }
    let before = engine.ui.withheld().len();
    let entered = become_owner();
    // A caller killed before the kernel was asked to watch it is not missed.
    if socket::is_deserted(socket.as_fd()) {
        exit_now(1);
    }
    let outcome = match entered.and_then(|()| work()) {
        Ok(done) => Outcome::Done(done),
        Err(error) => {
            let known = error.downcast_ref::<Error>();
            Outcome::Failed {
                kind: known.map_or(Kind::System, Error::kind).code().to_owned(),
                text: format!("{error:#}"),
                hint: known.and_then(Error::advice).map(str::to_owned),
            }
        }
    };
    let answer = Answer {
        warnings: engine.ui.withheld().split_off(before),
        outcome,
    };
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    let sent = socket.write_all(&bytes);
    exit_now(u8::from(sent.is_err()))
}

/// User 0 of the namespace, and nothing that outlives its caller. In this order: a change of
/// user would take the watch back.
fn become_owner() -> Result<()> {
    credentials::set_ids(0, 0)?;
    credentials::set_groups(&[])
        .map_err(|errno| Error::errno("drop supplementary groups", "", errno))?;
    Ok(credentials::die_with_parent()?)
}

fn unpack<T: DeserializeOwned>(engine: &Engine<'_>, bytes: &[u8]) -> Result<T> {
    let answer: Answer<T> = serde_json::from_slice(bytes)?;
    for line in &answer.warnings {
        engine.ui.warn(line);
    }
    match answer.outcome {
        Outcome::Done(done) => Ok(done),
        Outcome::Failed { kind, text, hint } => {
            let error = Error::new(Kind::from_code(&kind).unwrap_or(Kind::System), text, "");
            Err(match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
            .into())
        }
    }
}
