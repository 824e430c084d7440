//! Work in a process of its own: a forked child, in other namespaces when asked, that answers
//! once over a socket and dies with its caller.

use std::io::{Read, Write};
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, anyhow};
use nix::sched::CloneFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::common::{Carried, Error, ExitStatus, Kind};
use crate::host::IdMaps;
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
    Failed(Carried),
}

/// Where a child works.
#[derive(Debug)]
pub(crate) struct Where<'m> {
    /// New namespaces.
    pub(crate) namespaces: CloneFlags,
    /// Maps of the new user namespace that newuidmap and newgidmap have to write; the child
    /// begins when they are in force.
    pub(crate) maps: Option<&'m IdMaps>,
    /// The caller's end of a pipe, which the child must not hold.
    pub(crate) ours: Option<OwnedFd>,
}

impl Where<'static> {
    /// In the caller's own namespaces.
    pub(crate) fn here() -> Where<'static> {
        Where {
            namespaces: CloneFlags::empty(),
            maps: None,
            ours: None,
        }
    }

    /// The same, with the caller's end of a pipe.
    pub(crate) fn holding(ours: OwnedFd) -> Where<'static> {
        Where {
            ours: Some(ours),
            ..Where::here()
        }
    }
}

/// The child's tie to its caller.
#[derive(Debug)]
pub(crate) struct Tie {
    socket: UnixStream,
}

impl Tie {
    /// Has the kernel end this process with its caller. A change of user takes that back, so it
    /// is called after the last one.
    pub(crate) fn tighten(&self) -> Result<()> {
        credentials::die_with_parent()?;
        // A caller killed before the kernel was asked to watch it is not missed.
        if socket::is_deserted(self.socket.as_fd()) {
            exit_now(1);
        }
        Ok(())
    }
}

/// A child at work. Dropped before its answer, it is killed.
#[derive(Debug)]
pub(crate) struct Worker<T> {
    child: Child,
    socket: UnixStream,
    /// What [`Where::ours`] was.
    pub(crate) ours: Option<OwnedFd>,
    ended: bool,
    answer: PhantomData<T>,
}

/// Forks a child for `work`.
///
/// # Errors
/// What making the process and its namespaces gave; those of `work` come from
/// [`Worker::finish`].
pub(crate) fn spawn<T, F>(engine: &Engine<'_>, place: Where<'_>, work: F) -> Result<Worker<T>>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce(&Tie) -> Result<T>,
{
    // A stream, not messages: neither a list of files nor a registry's refusal has a limit.
    let (ours, theirs) = UnixStream::pair().context("make socket pair")?;
    let Where {
        namespaces,
        maps,
        ours: end,
    } = place;
    match clone(namespaces, None)? {
        Cloned::Child => {
            drop((ours, end));
            let tie = Tie { socket: theirs };
            work_and_answer(engine, tie, maps.is_some(), work)
        }
        Cloned::Parent(child) => {
            drop((theirs, work));
            let worker = Worker {
                child,
                socket: ours,
                ours: end,
                ended: false,
                answer: PhantomData,
            };
            if let Some(maps) = maps {
                worker.map_and_start(engine, maps)?;
            }
            Ok(worker)
        }
    }
}

impl<T: DeserializeOwned> Worker<T> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// Those of the work, with their kind, text and hint.
    pub(crate) fn finish(mut self, engine: &Engine<'_>) -> Result<T> {
        drop(self.ours.take());
        let mut bytes = Vec::new();
        let read = (&self.socket).read_to_end(&mut bytes);
        let ended = self.child.wait()?;
        self.ended = true;
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

impl<T> Worker<T> {
    /// Gives the child its ids, then lets it begin.
    fn map_and_start(&self, engine: &Engine<'_>, maps: &IdMaps) -> Result<()> {
        map(engine, self.child.pid, maps)?;
        (&self.socket)
            .write_all(b"g")
            .context("start the helper process")
    }
}

/// Has newuidmap and newgidmap write the maps of process `pid`.
pub(super) fn map(engine: &Engine<'_>, pid: i32, maps: &IdMaps) -> Result<()> {
    let (newuidmap, newgidmap) = engine.host.map_helpers().ok_or_else(|| {
        Error::new(Kind::Unsupported, "find", "newuidmap").because("not installed".to_owned())
    })?;
    Ok(run_map_helpers(
        pid, newuidmap, &maps.uids, newgidmap, &maps.gids,
    )?)
}

/// Readable once the child has answered or ended.
impl<T> AsFd for Worker<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.signal(libc::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

/// The child's side: works, answers, ends.
fn work_and_answer<T, F>(engine: &Engine<'_>, tie: Tie, mapped: bool, work: F) -> !
where
    T: Serialize,
    F: FnOnce(&Tie) -> Result<T>,
{
    let mut go = [0];
    if mapped && (&tie.socket).read_exact(&mut go).is_err() {
        exit_now(1);
    }
    let before = engine.ui.withheld().len();
    let outcome = match tie.tighten().and_then(|()| work(&tie)) {
        Ok(done) => Outcome::Done(done),
        Err(error) => {
            let whole = error.chain().next().is_some_and(|top| top.is::<Error>());
            let text = format!("{error:#}");
            Outcome::Failed(Carried::of(error.downcast_ref(), whole, text))
        }
    };
    let answer = Answer {
        warnings: engine.ui.withheld().split_off(before),
        outcome,
    };
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    let sent = (&tie.socket).write_all(&bytes);
    exit_now(u8::from(sent.is_err()))
}

fn unpack<T: DeserializeOwned>(engine: &Engine<'_>, bytes: &[u8]) -> Result<T> {
    let answer: Answer<T> = serde_json::from_slice(bytes)?;
    for line in &answer.warnings {
        engine.ui.warn(line);
    }
    match answer.outcome {
        Outcome::Done(done) => Ok(done),
        Outcome::Failed(error) => Err(error.into_error().into()),
    }
}
