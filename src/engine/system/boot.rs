//! Whether something starts containers when the machine does: a note in the store of what
//! `boot --enable` made.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::common::{Error, Kind, Result};
use crate::engine::Engine;
use crate::sys::file;

/// Largest note, in bytes.
const MAX: usize = 64 << 10;

/// What starts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BootStarter {
    /// A unit of systemd, enabled by this link.
    Systemd(PathBuf),
    /// A line in the user's crontab that ends with this comment.
    Cron(String),
}

fn place(engine: &Engine<'_>) -> PathBuf {
    engine.store.root().join("boot.json")
}

/// What was enabled and, as far as a file can tell, still is.
pub(crate) fn boot_starter(engine: &Engine<'_>) -> Option<BootStarter> {
    let bytes = file::read_bounded(&place(engine), MAX).ok()?;
    let starter: BootStarter = serde_json::from_slice(&bytes).ok()?;
    // The crontab is read by cron alone, and crontab(1) is too slow for a list.
    let stands = |link: &Path| link.symlink_metadata().is_ok();
    match &starter {
        BootStarter::Systemd(link) if !stands(link) => None,
        _ => Some(starter),
    }
}

/// Notes what was enabled; `None` that nothing is.
pub(crate) fn note_boot_starter(engine: &Engine<'_>, starter: Option<&BootStarter>) -> Result<()> {
    let path = place(engine);
    match starter {
        None => file::remove_file(&path),
        Some(starter) => {
            let bytes = serde_json::to_vec(starter).map_err(|error| {
                Error::new(Kind::Bug, "encode", path.display().to_string()).because(error)
            })?;
            file::write_atomic(&path, &bytes)
        }
    }
}
