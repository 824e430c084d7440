//! `rename`.

use anyhow::Result;

use super::event;
use crate::common::{Error, bare_name};
use crate::engine::Engine;

/// Gives a container another name.
///
/// # Errors
/// `NotFound` for an unknown container; `Usage` for a bad name and for the one that it has;
/// `Conflict`, naming the holder, for a name that is taken.
pub(crate) fn rename(engine: &Engine<'_>, container: &str, name: &str) -> Result<()> {
    let containers = engine.store.containers();
    let dir = containers.find(container)?;
    let old = dir.record()?.name;
    let name = bare_name(name);
    if name == old {
        let why = "renaming a container with the same name as its current name";
        return Err(Error::usage("rename container", container, why).into());
    }
    containers.rename(&dir, name)?;
    let id = dir.record()?.id;
    engine.store.networks().rename_member(&id, name)?;
    let old = ("oldName", format!("/{old}"));
    event::note(engine, &dir.record()?, "rename", &[old]);
    Ok(())
}
