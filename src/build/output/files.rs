//! The files of the target: as an archive, or in a directory.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as Permissions;

use crate::archive::{PackOptions, Packer, PlaceOptions, PlacedOwner, Spot, place};
use crate::build::solve::Solved;
use crate::common::{Error, Mode};
use crate::engine::Engine;
use crate::engine::container::in_step;
use crate::engine::worker::Worker;
use crate::sys::path::Root;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Writes the target's files as a tar stream to `out`; with `time`, all have that (in seconds).
///
/// # Errors
/// What reading and writing gave.
pub(super) fn archive(
    engine: &Engine<'_>,
    solved: &Solved,
    time: Option<i64>,
    out: File,
) -> Result<()> {
    let work = engine.store.build_cache().begin()?;
    let worker = pack(engine, solved, time, &work, out);
    let done = worker.and_then(|worker| worker.finish(engine));
    engine.store.build_cache().discard(work.id.as_str())?;
    done
}

/// Puts the target's files into the directory `path`; they belong to the caller, as with docker.
///
/// # Errors
/// What reading and writing gave; what came before the error stays.
pub(super) fn directory(
    engine: &Engine<'_>,
    solved: &Solved,
    time: Option<i64>,
    path: &Path,
) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::io("make directory", path, error))?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let dir = nix::fcntl::open(path, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open", path, errno))?;
    let (reader, writer) = std::io::pipe().context("make pipe")?;
    let work = engine.store.build_cache().begin()?;
    let out = File::from(OwnedFd::from(writer));
    let done = pack(engine, solved, time, &work, out).and_then(|worker| {
        let options = PlaceOptions {
            mode: Mode::Single,
            owner: PlacedOwner::Process,
            overwrite: true,
            rename: None,
        };
        let spot = Spot { dir, within: None };
        let placed = place(BufReader::with_capacity(BUFFER, reader), spot, &options);
        worker.finish(engine)?;
        Ok(placed.map(drop)?)
    });
    engine.store.build_cache().discard(work.id.as_str())?;
    done
}

/// Begins to write the merged tree of the target to `out`.
fn pack(
    engine: &Engine<'_>,
    solved: &Solved,
    time: Option<i64>,
    work: &crate::store::StepWork,
    out: File,
) -> Result<Worker<()>> {
    let ground = solved.layers.ground(engine, &solved.state.pieces);
    let intended = solved.layers.owners(engine, &solved.state.pieces)?;
    let single = engine.mode == Mode::Single;
    in_step(engine, work, &ground, move |root: &Root| {
        let owner = |_: &Path, uid: u32, gid: u32| match single {
            true => (0, 0),
            false => (uid, gid),
        };
        let options = PackOptions {
            owner: &owner,
            intended: single.then_some(&intended),
            time,
            ..PackOptions::plain(engine.mode)
        };
        let top = root.as_fd().try_clone_to_owned();
        let top = top.map_err(|error| Error::io("open", "/", error))?;
        let mut packer = Packer::new(BufWriter::with_capacity(BUFFER, out), &options);
        packer.tree(&top, b"", false)?;
        let (out, _) = packer.finish()?;
        out.into_inner()
            .map_err(|error| Error::io("write", "the archive", error.into_error()))?;
        Ok(())
    })
}
