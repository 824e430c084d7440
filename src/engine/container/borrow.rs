//! `--volumes-from`: what other containers have mounted.

use anyhow::Result;

use super::asked::Asked;
use crate::engine::Engine;
use crate::spec::config::Config;

/// Adds to `config` the mounts of the containers it names; its own mounts win, then those of the
/// container that was named last (as moby's `registerMountPoints`).
///
/// # Errors
/// `NotFound` for a container that is not there.
pub(super) fn volumes(engine: &Engine<'_>, config: &mut Config) -> Result<()> {
    for from in config.volumes_from.clone().into_iter().rev() {
        let record = engine.store.containers().find(&from.container)?.record()?;
        for mut mount in Asked::of(&record)?.config.mounts {
            if config.mounts.iter().all(|own| own.target != mount.target) {
                mount.read_only |= from.read_only;
                config.mounts.push(mount);
            }
        }
    }
    Ok(())
}
