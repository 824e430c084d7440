//! Work that must happen as the owner of a container's files: in `subid` mode inside a user
//! namespace with the whole range, otherwise right here.

use std::os::fd::AsFd;

use anyhow::{Result, anyhow};
use nix::sched::CloneFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::common::{Error, ExitStatus, Kind, Mode};
use crate::host::IdMap;
use crate::sys::namespace::{MapLine, run_map_helpers};
use crate::sys::process::{Cloned, clone, exit_now};
use crate::sys::{credentials, socket};

/// What a child has to say: the result, or the parts of the error.
#[derive(Serialize, Deserialize)]
enum Answer<T> {
    Done(T),
    Failed {
        kind: String,
        text: String,
        hint: Option<String>,
    },
}

/// A map of the host module as the kernel's lines.
pub(super) fn lines(maps: &[IdMap]) -> Vec<MapLine> {
    maps.iter()
        .map(|map| MapLine {
            inside: map.inside,
            outside: map.outside,
            count: map.count,
        })
        .collect()
}

/// Runs `work` with the rights over every id a container can have.
pub(super) fn as_owner<T, F>(engine: &Engine<'_>, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    if engine.mode != Mode::Subid {
        return work();
    }
    let maps = engine.host.id_maps(engine.mode)?;
    let (newuidmap, newgidmap) = engine.host.map_helpers().ok_or_else(|| {
        Error::new(Kind::Unsupported, "find", "newuidmap").because("not installed".to_owned())
    })?;
    let (ours, theirs) = socket::message_pair()?;
    match clone(CloneFlags::CLONE_NEWUSER, None)? {
        Cloned::Child => {
            drop(ours);
            in_namespace(&theirs, work)
        }
        Cloned::Parent(child) => {
            drop(theirs);
            let mapped = run_map_helpers(
                child.pid,
                newuidmap,
                &lines(&maps.uids),
                newgidmap,
                &lines(&maps.gids),
            )
            .and_then(|()| {
                socket::send(ours.as_fd(), b"go", None)
                    .map_err(|errno| Error::errno("start", "helper process", errno))
            });
            if let Err(error) = mapped {
                let _ = child.signal(libc::SIGKILL);
                let _ = child.wait();
                return Err(error.into());
            }
            let answer = socket::receive(ours.as_fd()).map_err(anyhow::Error::from)?;
            let ended = child.wait()?;
            match (answer, ended.status) {
                (Some((bytes, _)), _) => unpack(&bytes),
                (None, ExitStatus::Signal(signal)) => {
                    Err(anyhow!("the helper process was ended by signal {signal}"))
                }
                (None, ExitStatus::Code(_)) => Err(anyhow!("the helper process gave no answer")),
            }
        }
    }
}

/// The child's side: becomes user 0 of the namespace, works, answers, ends.
fn in_namespace<T, F>(socket: &std::os::fd::OwnedFd, work: F) -> !
where
    T: Serialize,
    F: FnOnce() -> Result<T>,
{
    if !matches!(socket::receive(socket.as_fd()), Ok(Some(_))) {
        exit_now(1);
    }
    let entered = credentials::set_ids(0, 0).and_then(|()| {
        credentials::set_groups(&[])
            .map_err(|errno| Error::errno("drop supplementary groups", "", errno))
    });
    // After the change of user, which would take it back; a caller killed before is not missed.
    let _ = credentials::die_with_parent();
    if socket::is_deserted(socket.as_fd()) {
        exit_now(1);
    }
    let answer = match entered.map_err(anyhow::Error::from).and_then(|()| work()) {
        Ok(done) => Answer::Done(done),
        Err(error) => {
            let known = error.downcast_ref::<Error>();
            Answer::Failed {
                kind: known.map_or(Kind::System, Error::kind).code().to_owned(),
                text: format!("{error:#}"),
                hint: known.and_then(Error::advice).map(str::to_owned),
            }
        }
    };
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    let sent = socket::send(socket.as_fd(), &bytes, None);
    exit_now(u8::from(sent.is_err()))
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match serde_json::from_slice(bytes)? {
        Answer::Done(done) => Ok(done),
        Answer::Failed { kind, text, hint } => {
            let error = Error::new(Kind::from_code(&kind).unwrap_or(Kind::System), text, "");
            Err(match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
            .into())
        }
    }
}
