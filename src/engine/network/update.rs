//! `network update`.

use std::net::IpAddr;

use anyhow::Result;

use super::{event, find};
use crate::common::{Error, Kind};
use crate::engine::Engine;

/// Changes who is asked for names outside of a network: those of `add` come after the others,
/// those of `drop` go. The containers that run on it ask them at once.
///
/// # Errors
/// `NotFound`; `Conflict` for a network without names.
pub(crate) fn update(
    engine: &Engine<'_>,
    network: &str,
    add: &[IpAddr],
    drop: &[IpAddr],
) -> Result<()> {
    let record = find(engine, network)?;
    if !record.dns {
        return Err(Error::new(Kind::Conflict, "update network", &record.name)
            .because("its containers have no resolver: it has no names (--disable-dns)")
            .into());
    }
    let record = engine.store.networks().update(&record, |record| {
        let all = &mut record.resolvers;
        all.retain(|one| !drop.contains(one));
        for one in add {
            if !all.contains(one) {
                all.push(*one);
            }
        }
    })?;
    event::note(&engine.store, &record, "update", None);
    Ok(())
}
