//! `cp`: between a container and the host or a stream, or between containers.
//!
//! Each container's side is a child in its root (`inside`); an archive goes through a pipe. What
//! comes out of a container is a tree that ketch's own packer wrote, and it is still put onto
//! the host name by name, following nothing.

mod path;
mod side;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::inside::{self, Inside, Tree, View, recorded_maps};
use super::{event, list};
use crate::archive::{PackOptions, PlacedOwner};
use crate::common::{Error, Kind, Mode, passwd_entries};
use crate::engine::Engine;
use crate::host::inside as inside_id;
use crate::store::ContainerEntry;
use crate::sys::path::Root;
use path::Cleaned;
use side::{Header, Receiving, Side, receive, send};

/// Capacity asked for of a pipe in bytes: fewer changes between the two sides.
const PIPE: i32 = 1 << 20;

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path in a container, named as the user does.
    Container {
        /// Name, id or prefix.
        name: String,
        /// Path from its root.
        path: PathBuf,
    },
    /// An absolute path on the host; its end still says `/` or `/.`.
    Host(PathBuf),
    /// A tar stream.
    Stream,
}

impl Place {
    /// A relative path in a container as one of its working directory (podman); docker's are of
    /// its root.
    ///
    /// # Errors
    /// `NotFound` for a container that is not there.
    pub(crate) fn in_workdir(self, engine: &Engine<'_>) -> Result<Place> {
        let Place::Container { name, path } = self else {
            return Ok(self);
        };
        if path.is_absolute() {
            return Ok(Place::Container { name, path });
        }
        let entry = entry(engine, &name)?;
        let asked = list::config(&entry).process.workdir;
        let directory = asked.unwrap_or_else(|| {
            let config = super::base::image_config(engine, &entry.record);
            config
                .map(|config| config.config.working_dir)
                .unwrap_or_default()
        });
        // The end of the text keeps its `/` or `/.`.
        let path = Path::new("/").join(directory).join(path);
        Ok(Place::Container { name, path })
    }
}

/// Whose the files are that come into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Its root's (docker).
    Root,
    /// The user's and group's they had (docker's `-a`).
    Source,
    /// Those of the container's user (podman's default).
    User,
}

/// `cp`.
#[derive(Debug, Clone)]
pub(crate) struct CopyRequest {
    /// What.
    pub(crate) from: Place,
    /// Where to.
    pub(crate) to: Place,
    /// A link as the source means what it leads to.
    pub(crate) follow: bool,
    /// Whose it becomes.
    pub(crate) ownership: Ownership,
    /// A directory may replace a file, and the other way round (podman).
    pub(crate) overwrite: bool,
    /// The caller has the lock of the container, which does not run; what leads to the
    /// destination inside is made.
    pub(crate) held: bool,
}

/// The caller's own ends for [`Place::Stream`].
pub(crate) struct Streams<'a> {
    /// Where an archive comes from.
    pub(crate) input: &'a mut dyn Read,
    /// Where one goes to.
    pub(crate) output: &'a mut dyn Write,
}

/// Copies. Returns the length of the archive in bytes, as docker counts it.
///
/// # Errors
/// `NotFound` for a container or path, `Usage` for a destination that the source does not fit,
/// `Conflict` where a directory and a file would replace each other, `Denied` for a read-only
/// tree. What was copied before stays.
pub(crate) fn copy(
    engine: &Engine<'_>,
    request: &CopyRequest,
    streams: Streams<'_>,
) -> Result<u64> {
    match (&request.from, &request.to) {
        (Place::Container { name, path }, Place::Container { name: to, path: at }) => {
            across(engine, request, (name, path), (to, at))
        }
        (Place::Container { name, path }, _) => out(engine, request, name, path, streams.output),
        (_, Place::Container { name, path }) => into(engine, request, name, path, streams.input),
        _ => Err(Error::usage("cp", "", "must specify at least one container source").into()),
    }
}

fn entry(engine: &Engine<'_>, name: &str) -> Result<ContainerEntry> {
    Ok(engine.store.containers().find(name)?.entry()?)
}

/// A pipe, reading end first.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let ends =
        nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|e| Error::errno("make pipe", "", e))?;
    let _ = fcntl(&ends.1, FcntlArg::F_SETPIPE_SZ(PIPE));
    Ok(ends)
}

fn lost() -> anyhow::Error {
    Error::new(Kind::Bug, "copy", "")
        .because("a pipe has no end".to_owned())
        .into()
}

fn into(
    engine: &Engine<'_>,
    request: &CopyRequest,
    name: &str,
    path: &Path,
    input: &mut dyn Read,
) -> Result<u64> {
    let entry = entry(engine, name)?;
    let receiving = receiving(engine, request, name, path);
    let (reader, writer) = pipe()?;
    let user = container_user(engine, request, &entry);
    let held = request.held;
    let work = move |tree: &Tree| take(tree, reader, receiving, user, held);
    let inside = inside::enter(engine, (&entry, held), View::Whole, Some(writer), work)?;
    let Inside { mut worker, _lock } = inside;
    let writer = File::from(worker.ours.take().ok_or_else(lost)?);
    let sent = match &request.from {
        Place::Stream => give_stream(input, writer),
        Place::Host(from) => give_host(engine, request, &entry, from, writer),
        Place::Container { .. } => Err(lost()),
    };
    let placed = worker.finish(engine);
    let bytes = match (sent, placed) {
        // It ended early and says why.
        (Err(error), Err(why)) if is_broken_pipe(&error) => return Err(why),
        (Err(error), placed) if !is_broken_pipe(&error) => {
            drop(placed);
            return Err(error);
        }
        (_, placed) => placed?,
    };
    event::note(engine, &entry.record, "copy", &[]);
    Ok(bytes)
}

fn give_stream(input: &mut dyn Read, mut writer: File) -> Result<()> {
    Header::foreign().write(&mut writer)?;
    io::copy(input, &mut writer)?;
    Ok(())
}

fn give_host(
    engine: &Engine<'_>,
    request: &CopyRequest,
    entry: &ContainerEntry,
    from: &Path,
    writer: File,
) -> Result<()> {
    let maps = match (engine.mode, recorded_maps(&entry.record)) {
        (Mode::Subid, Some(maps)) => maps,
        _ => engine.host.id_maps(engine.mode)?,
    };
    let keep = request.ownership == Ownership::Source;
    // Who has no number inside becomes root there.
    let owner = |_: &Path, uid: u32, gid: u32| match (keep, maps.is_empty()) {
        (false, _) => (0, 0),
        (true, true) => (uid, gid),
        (true, false) => (
            inside_id(&maps.uids, uid).unwrap_or(0),
            inside_id(&maps.gids, gid).unwrap_or(0),
        ),
    };
    let options = PackOptions {
        owner: &owner,
        ..PackOptions::plain(engine.mode)
    };
    let root = Root::open(Path::new("/"))?;
    let mut out = BufWriter::new(writer);
    let from = Cleaned::of(from);
    send(
        &root,
        &Side::Host,
        &from,
        request.follow,
        &options,
        &mut out,
    )?;
    Ok(out.flush()?)
}

fn out(
    engine: &Engine<'_>,
    request: &CopyRequest,
    name: &str,
    path: &Path,
    output: &mut dyn Write,
) -> Result<u64> {
    let entry = entry(engine, name)?;
    let (reader, writer) = pipe()?;
    let (side, from, follow) = (
        Side::Container(name.to_owned()),
        Cleaned::of(path),
        request.follow,
    );
    let work = move |tree: &Tree| hand(tree, &side, &from, follow, writer);
    let inside = inside::enter(
        engine,
        (&entry, request.held),
        View::Whole,
        Some(reader),
        work,
    )?;
    let Inside { mut worker, _lock } = inside;
    let mut reader = worker.ours.take().ok_or_else(lost)?;
    let taken = match &request.to {
        Place::Host(to) => take_host(engine, request, to, reader),
        _ => {
            let mut file = File::from(reader);
            let copied = Header::read(&mut file)
                .and_then(|_| Ok(io::copy(&mut file, output)?))
                .and_then(|count| output.flush().map(|()| count).map_err(Into::into));
            reader = file.into();
            drop(reader);
            copied
        }
    };
    let sent = worker.finish(engine);
    let bytes = match (taken, sent) {
        // A stream that ended early has its reason on the other side.
        (Err(_), Err(why)) => return Err(why),
        (taken, sent) => {
            let bytes = taken?;
            sent?;
            bytes
        }
    };
    event::note(engine, &entry.record, "copy", &[]);
    Ok(bytes)
}

fn take_host(
    engine: &Engine<'_>,
    request: &CopyRequest,
    to: &Path,
    reader: OwnedFd,
) -> Result<u64> {
    let receiving = Receiving {
        side: Side::Host,
        to: Cleaned::of(to),
        mode: match engine.host.euid() {
            0 => Mode::Root,
            _ => Mode::Single,
        },
        owner: PlacedOwner::Process,
        overwrite: request.overwrite,
    };
    // Modes are copied; the caller's mask is not for them.
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    let taken = receive(&Root::open(Path::new("/"))?, reader, &receiving);
    nix::sys::stat::umask(mask);
    taken
}

fn across(
    engine: &Engine<'_>,
    request: &CopyRequest,
    (name, path): (&str, &Path),
    (to, at): (&str, &Path),
) -> Result<u64> {
    let (source, target) = (entry(engine, name)?, entry(engine, to)?);
    let receiving = receiving(engine, request, to, at);
    let user = container_user(engine, request, &target);
    let (side, from, follow) = (
        Side::Container(name.to_owned()),
        Cleaned::of(path),
        request.follow,
    );
    let (reader, writer) = pipe()?;
    let bytes = if source.record.id == target.record.id {
        // One child and two threads: a stopped container can be entered once.
        let inside = inside::enter(engine, (&source, false), View::Whole, None, move |tree| {
            std::thread::scope(|scope| {
                let sending = scope.spawn(|| hand(tree, &side, &from, follow, writer));
                let taken = take(tree, reader, receiving, user, false);
                let sent = sending.join().map_err(|_| lost())?;
                match (taken, sent) {
                    (Err(_), Err(why)) => Err(why),
                    (taken, sent) => sent.and(taken),
                }
            })
        })?;
        inside.worker.finish(engine)?
    } else {
        let sending = inside::enter(
            engine,
            (&source, false),
            View::Whole,
            Some(reader),
            move |tree| hand(tree, &side, &from, follow, writer),
        )?;
        let Inside { mut worker, _lock } = sending;
        let reader = worker.ours.take().ok_or_else(lost)?;
        let taking = inside::enter(engine, (&target, false), View::Whole, None, move |tree| {
            take(tree, reader, receiving, user, false)
        })?;
        let (taken, sent) = (taking.worker.finish(engine), worker.finish(engine));
        match (taken, sent) {
            (Err(_), Err(why)) => return Err(why),
            (taken, sent) => sent.and(taken)?,
        }
    };
    event::note(engine, &target.record, "copy", &[]);
    Ok(bytes)
}

/// The sending child's work. That nobody wants the rest is the other side's to explain.
fn hand(tree: &Tree, side: &Side, from: &Cleaned, follow: bool, writer: OwnedFd) -> Result<()> {
    let nothing = std::collections::BTreeMap::new();
    let options = PackOptions {
        intended: (tree.mode != Mode::Root).then_some(&nothing),
        ..PackOptions::plain(tree.mode)
    };
    let mut out = BufWriter::new(File::from(writer));
    let sent = send(&tree.root, side, from, follow, &options, &mut out)
        .and_then(|()| out.flush().map_err(Into::into));
    match sent {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

/// The receiving child's work; `user` is what the container's processes run as.
fn take(
    tree: &Tree,
    reader: OwnedFd,
    mut receiving: Receiving,
    user: Option<String>,
    parents: bool,
) -> Result<u64> {
    if let Some(user) = user {
        let (uid, gid) = user_ids(&tree.root, &user);
        receiving.owner = PlacedOwner::Fixed(uid, gid);
    }
    if parents && let Some(parent) = receiving.to.leading() {
        tree.root.make_dirs(parent, 0o755)?;
    }
    receive(&tree.root, reader, &receiving)
}

fn receiving(engine: &Engine<'_>, request: &CopyRequest, name: &str, path: &Path) -> Receiving {
    Receiving {
        side: Side::Container(name.to_owned()),
        to: Cleaned::of(path),
        mode: engine.mode,
        owner: match request.ownership {
            Ownership::Root => PlacedOwner::Fixed(0, 0),
            Ownership::Source | Ownership::User => PlacedOwner::Entry,
        },
        overwrite: request.overwrite,
    }
}

/// What `-u` or the image says of the container's user, when files are to be that user's.
fn container_user(
    engine: &Engine<'_>,
    request: &CopyRequest,
    entry: &ContainerEntry,
) -> Option<String> {
    if request.ownership != Ownership::User {
        return None;
    }
    let asked = list::config(entry).process.user;
    Some(asked.unwrap_or_else(|| {
        let config = super::base::image_config(engine, &entry.record);
        config.map(|config| config.config.user).unwrap_or_default()
    }))
}

/// Numbers of `user[:group]`, names by the container's own files, which are read as text; what
/// they do not know is root.
fn user_ids(root: &Root, user: &str) -> (u32, u32) {
    let read = |path: &str| -> String {
        let opened = root.open_regular(path, OFlag::O_RDONLY);
        let mut text = String::new();
        if let Ok((file, _)) = opened {
            let _ = File::from(file).take(1 << 20).read_to_string(&mut text);
        }
        text
    };
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let users = read("etc/passwd");
    let known =
        passwd_entries(&users).find(|line| line.name == user || line.uid.to_string() == user);
    let uid = known.as_ref().map(|line| line.uid);
    let gid = known.map(|line| line.gid);
    let uid = uid.or_else(|| user.parse().ok()).unwrap_or(0);
    let groups = read("etc/group");
    let named = || {
        let mut lines = groups.lines().map(|line| line.split(':'));
        lines.find_map(|mut fields| {
            let named = fields.next() == Some(group);
            fields.nth(1).filter(|_| named)?.parse().ok()
        })
    };
    let gid = match group {
        "" => gid.unwrap_or(0),
        group => group.parse().ok().or_else(named).unwrap_or(0),
    };
    (uid, gid)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|link| {
        let typed = link.downcast_ref::<Error>().and_then(Error::raw_os_error);
        let plain = link
            .downcast_ref::<io::Error>()
            .and_then(io::Error::raw_os_error);
        typed.or(plain) == Some(libc::EPIPE)
    })
}
