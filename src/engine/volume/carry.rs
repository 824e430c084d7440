//! `volume export` and `volume import`: a volume's content as a tar archive.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};

use anyhow::Result;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as Permissions;

use crate::archive::{PackOptions, Packer, PlaceOptions, PlacedOwner, Spot, decompress, place};
use crate::common::{Error, Mode};
use crate::engine::{Engine, identity};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Writes all that a volume holds to `output`, with the owners that containers see.
///
/// # Errors
/// `NotFound` for an unknown volume; a broken pipe as the system's own error.
pub(crate) fn export(engine: &Engine<'_>, wanted: &str, output: File) -> Result<()> {
    let record = engine.store.volumes().find(wanted)?;
    let top = open(engine, &record.name)?;
    identity::as_owner(engine, || {
        let options = PackOptions::plain(engine.mode);
        let mut packer = Packer::new(BufWriter::with_capacity(BUFFER, output), &options);
        packer.tree(&top, b"", false)?;
        packer.finish()?;
        Ok(())
    })
}

/// Puts the tar stream `input`, compressed or not, into a volume that is there. What is in it is
/// merged with.
///
/// # Errors
/// `NotFound` for an unknown volume, `Corrupt` for what is no archive.
pub(crate) fn import(
    engine: &Engine<'_>,
    wanted: &str,
    input: &mut (dyn Read + Send),
) -> Result<()> {
    let record = engine.store.volumes().find(wanted)?;
    let dir = open(engine, &record.name)?;
    identity::as_owner(engine, || {
        let tar = decompress(input).map_err(|error| Error::io("read archive", "", error))?;
        let options = PlaceOptions {
            mode: engine.mode,
            owner: match engine.mode {
                Mode::Single => PlacedOwner::Process,
                Mode::Root | Mode::Subid => PlacedOwner::Entry,
            },
            overwrite: true,
            rename: None,
        };
        let spot = Spot { dir, within: None };
        place(BufReader::with_capacity(BUFFER, tar), spot, &options)?;
        Ok(())
    })
}

/// The top of a volume, found by its owner and not by who works in it.
fn open(engine: &Engine<'_>, name: &str) -> Result<std::os::fd::OwnedFd> {
    let path = engine.store.volumes().data(name);
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let top = nix::fcntl::open(&path, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open volume", &path, errno))?;
    Ok(top)
}
