//! `export`: a container's root file system as one flat archive.

use std::fs::File;
use std::io::BufWriter;

use anyhow::Result;

use super::inside::{self, Tree, View};
use super::{base, event};
use crate::archive::{Form, PackOptions, Packer};
use crate::common::Error;
use crate::engine::Engine;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Writes the merged root of a container, running or not, to `output`, as a tar stream with the
/// owners that the container sees. What is mounted in it is left out.
///
/// # Errors
/// `NotFound` for an unknown container; a broken pipe as the system's own error.
pub(crate) fn export(engine: &Engine<'_>, name: &str, output: File) -> Result<()> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let intended = base::intended(engine, &entry)?;
    let maker = base::maker(engine, &entry);
    let inside = inside::enter(engine, (&entry, false), View::Bare, None, |tree| {
        let options = PackOptions {
            owner: &maker,
            intended: intended.as_ref(),
            ..PackOptions::plain(tree.mode)
        };
        match pack(tree, &options, BufWriter::with_capacity(BUFFER, output)) {
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    })?;
    if !inside.worker.finish(engine)? {
        return Err(std::io::Error::from_raw_os_error(libc::EPIPE).into());
    }
    event::note(engine, &entry.record, "export", &[]);
    Ok(())
}

/// Writes all below the root, but not the root itself.
pub(super) fn pack(
    tree: &Tree,
    options: &PackOptions<'_>,
    out: impl std::io::Write,
) -> Result<(), Error> {
    debug_assert_eq!(options.form, Form::Plain);
    let top = tree
        .root
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::io("open", "/", error))?;
    let mut packer = Packer::new(out, options);
    packer.tree(&top, b"", false)?;
    packer.finish().map(drop)
}
