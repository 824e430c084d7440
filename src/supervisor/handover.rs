//! A supervisor's change into a fresh image of the same executable.
//!
//! The fork carries what the caller had: a command line's worth of heap and a deep stack, a
//! quarter of a megabyte that lives as long as the container. A new image has a tenth of it, and
//! shows in lists of processes as what it is instead of as its caller's command line. The process
//! stays the same: the payload's parent, holder of the lock. It happens when the caller has its
//! answer, and a supervisor that cannot do it goes on as it is.

use std::ffi::{CString, OsString};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::clients::{Bond, Client};
use super::gate::Held;
use super::keeper::{Keeper, Ongoing, Setting};
use super::payload::Ends;
use super::protocol::Wanted;
use super::restart::Restarts;
use super::watch::Surroundings;
use crate::cgroup::{Cgroup, Place};
use crate::common::{ContainerId, Silent, Timestamp};
use crate::engine::Engine;
use crate::engine::container::Asked;
use crate::host::HostEnv;
use crate::logs::Writer;
use crate::runtime;
use crate::settings::Environment;
use crate::store::ContainerLock;
use crate::sys::process::Child;
use crate::sys::{descriptor, exec, signal};

/// First argument of the new image.
pub(crate) const ARGUMENT: &str = "@supervise";

/// A pipe takes so much without a reader.
const MAX_LENGTH: usize = 60_000;

/// Variables of the settings that a later restart reads, beside those of the host's facts.
const SETTINGS: [&str; 4] = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NOTIFY_SOCKET"];

/// Everything the new image has to know; descriptors by number.
#[derive(Serialize, Deserialize)]
struct State {
    id: ContainerId,
    pid: i32,
    pidfd: RawFd,
    held: Option<(RawFd, (u32, u32))>,
    lock: RawFd,
    client: Option<(RawFd, Bond, Wanted)>,
    listener: Option<RawFd>,
    outputs: [Option<RawFd>; 2],
    input: Option<RawFd>,
    emulator: Option<(RawFd, u32, u32)>,
    place: Place,
    began: Timestamp,
    setting: Setting,
}

/// Becomes the new image; comes back only when that is not possible.
pub(super) fn become_fresh(keeper: &Keeper<'_>, ongoing: &Ongoing) -> Result<()> {
    let numbers = |fd: Option<&OwnedFd>| -> Result<Option<RawFd>> {
        Ok(fd
            .map(|fd| descriptor::keep_over_exec(fd.as_fd()))
            .transpose()?)
    };
    let (outputs, input) = ongoing.ends.descriptors();
    let client = keeper.around.clients.first();
    let emulated = ongoing.emulated.as_ref();
    let state = State {
        id: keeper.record.id.clone(),
        pid: ongoing.child.pid,
        pidfd: descriptor::keep_over_exec(ongoing.child.pidfd.as_fd())?,
        held: match &ongoing.held {
            Some(held) => Some((descriptor::keep_over_exec(held.gate.as_fd())?, held.ids)),
            None => None,
        },
        lock: descriptor::keep_over_exec(keeper.lock.as_fd())?,
        client: match client {
            Some(client) => {
                let (socket, bond, wanted) = client.parts();
                Some((descriptor::keep_over_exec(socket)?, bond, wanted))
            }
            None => None,
        },
        listener: numbers(keeper.around.listener.as_ref())?,
        outputs: [numbers(outputs[0])?, numbers(outputs[1])?],
        input: numbers(input)?,
        emulator: match emulated {
            Some((listener, uid, gid)) => {
                Some((descriptor::keep_over_exec(listener.as_fd())?, *uid, *gid))
            }
            None => None,
        },
        place: ongoing.cgroup.place().clone(),
        began: ongoing.began,
        setting: ongoing.setting.clone(),
    };
    let text = serde_json::to_vec(&state)?;
    if text.len() > MAX_LENGTH {
        return Err(anyhow!("too much to hand over"));
    }
    let (reader, writer) = nix::unistd::pipe().context("make pipe")?;
    std::fs::File::from(writer).write_all(&text)?;
    let number = descriptor::keep_over_exec(reader.as_fd())?;
    let args = [
        "ketch".to_owned(),
        ARGUMENT.to_owned(),
        number.to_string(),
        keeper.record.id.to_string(),
    ];
    let args: Vec<CString> = args
        .into_iter()
        .filter_map(|word| CString::new(word).ok())
        .collect();
    let errno = exec::execve(c"/proc/self/exe", &args, &environment(keeper.engine));
    Err(errno).context("execute ketch again")
}

/// The environment of an image that works on the same store in the same way.
pub(super) fn environment(engine: &Engine<'_>) -> Vec<CString> {
    let own = [
        ("KETCH_ROOT", engine.store.root().as_os_str().to_owned()),
        ("KETCH_IDENTITY", OsString::from(engine.mode.as_str())),
    ];
    let caller = Environment::capture();
    let kept = HostEnv::variables()
        .chain(SETTINGS)
        .filter_map(|name| Some((name, caller.get_os(name)?.to_owned())));
    own.into_iter()
        .chain(kept)
        .filter_map(|(name, value)| {
            let mut entry = OsString::from(name);
            entry.push("=");
            entry.push(value);
            CString::new(entry.into_encoded_bytes()).ok()
        })
        .collect()
}

/// The life of the new image, from its arguments on. Returns only when they are not a
/// supervisor's.
pub(crate) fn resume(words: &[OsString]) -> Result<()> {
    let state = received(words).ok_or_else(|| anyhow!("{ARGUMENT} is for ketch itself"))?;
    let environment = Environment::capture();
    let engine = Engine::open(&environment, &Silent)?;
    let (keeper, ongoing) = restore(&engine, state)?;
    keeper.keep(ongoing)
}

fn received(words: &[OsString]) -> Option<State> {
    let number: RawFd = words.get(1)?.to_str()?.parse().ok()?;
    let pipe = descriptor::take(number).filter(descriptor::is_pipe)?;
    let mut text = Vec::new();
    let mut limited = std::fs::File::from(pipe).take(MAX_LENGTH as u64);
    limited.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn restore<'a>(engine: &'a Engine<'a>, state: State) -> Result<(Keeper<'a>, Ongoing)> {
    let take = |number: RawFd| descriptor::take(number).context("take over a descriptor");
    let taken = |number: Option<RawFd>| number.map(take).transpose();
    let dir = engine.store.containers().find(state.id.as_str())?;
    let record = dir.record()?;
    let asked = Asked::of(&record)?;
    let client = match state.client {
        Some((socket, bond, wanted)) => Some(Client::new(take(socket)?, bond, wanted)),
        None => None,
    };
    let emulated = match state.emulator {
        Some((listener, uid, gid)) => Some((take(listener)?, uid, gid)),
        None => None,
    };
    let held = match state.held {
        Some((gate, ids)) => Some(Held {
            gate: runtime::Gate::adopt(take(gate)?),
            ids,
        }),
        None => None,
    };
    let log = state.setting.log.as_ref().map(Writer::open).transpose()?;
    let ongoing = Ongoing {
        child: Child {
            pid: state.pid,
            pidfd: take(state.pidfd)?,
        },
        held,
        cgroup: Cgroup::adopt(state.place),
        ends: Ends::new(
            [taken(state.outputs[0])?, taken(state.outputs[1])?],
            taken(state.input)?,
            state.setting.terminal,
        ),
        log,
        emulated,
        began: state.began,
        // The moments of two images have no common measure but the clock.
        running_since: Instant::now()
            .checked_sub(state.began.age(Timestamp::now()))
            .unwrap_or_else(Instant::now),
        setting: state.setting,
    };
    let keeper = Keeper {
        engine,
        lock: ContainerLock::adopt(take(state.lock)?),
        restarts: Restarts::new(asked.config.lifecycle.restart),
        remove: asked.remove,
        around: Surroundings {
            clients: client.into_iter().collect(),
            listener: taken(state.listener)?,
            signals: signal::Signals::block()?,
        },
        record,
        dir,
    };
    Ok((keeper, ongoing))
}
