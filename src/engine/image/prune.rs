//! `image prune`: dangling images, or all that no container uses.

use std::collections::HashSet;

use anyhow::Result;

use super::filter::Filters;
use super::remove::{Removal, collect, take};
use crate::common::Digest;
use crate::engine::container::event::note_prune;
use crate::store::{ImageRecord, Store};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// All unused images, not only dangling ones.
    pub(crate) all: bool,
    /// `until`, `label`, `label!` and `dangling` filters.
    pub(crate) filters: Vec<(String, String)>,
}

/// Removes unused images and everything in the store that nothing names.
pub(crate) fn prune(store: &Store, request: &Request) -> Result<Removal> {
    let filters = Filters::parse(store, &request.filters)?;
    // docker: --filter dangling=false means --all.
    let all = request.all || filters.dangling() == Some(false);
    let filters = match filters.dangling() {
        Some(_) => Filters::parse(store, &without_dangling(&request.filters))?,
        None => filters,
    };
    let used: HashSet<Digest> = store
        .containers()
        .list()?
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.record.config)
        .collect();
    let records: Vec<ImageRecord> = store
        .images()
        .records()?
        .into_iter()
        .filter(|record| all || record.name.is_none())
        .filter(|record| !used.contains(&record.config) && filters.pass(record))
        .collect();
    let mut removal = Removal {
        events: take(store, &records)?,
        ..Removal::default()
    };
    collect(store, &mut removal)?;
    note_prune(store, "image", removal.reclaimed);
    Ok(removal)
}

fn without_dangling(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let others = pairs.iter().filter(|(key, _)| key != "dangling");
    others.cloned().collect()
}
