//! The build cache as `system df`, `builder prune` and `buildx du` see it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::common::{Digest, Timestamp};
use crate::engine::Engine;
use crate::store::{Aside, CacheRecord};
use crate::sys::tree;

/// The result of one step, or what is kept beside results.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Key: its id.
    pub(crate) key: Digest,
    /// The step, as progress shows it.
    pub(crate) text: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When it was last used.
    pub(crate) used: Timestamp,
    /// Bytes of its files.
    pub(crate) size: u64,
    /// An image has its layer as well: nothing is given back without it.
    pub(crate) shared: bool,
    /// BuildKit's word for what it is; `regular` for the result of a step.
    pub(crate) kind: &'static str,
    /// It is no result, but something kept beside them.
    aside: Option<Aside>,
}

/// What of the cache is to go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Results that images have as well, too.
    pub(crate) all: bool,
    /// Only what was not used for that long.
    pub(crate) unused_for: Option<Duration>,
    /// Only what is of this kind.
    pub(crate) kind: Option<String>,
    /// The oldest results go until no more than this many bytes are left.
    pub(crate) keep: Option<u64>,
}

/// What went.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// Results.
    pub(crate) entries: Vec<Entry>,
    /// Bytes given back.
    pub(crate) reclaimed: u64,
    /// Trees in the trash that only the user namespace of the mode can delete.
    pub(crate) left: Vec<PathBuf>,
}

/// All results, the last used first.
pub(crate) fn list(engine: &Engine<'_>) -> Result<Vec<Entry>> {
    let images = engine.store.images().records()?;
    let shared = |record: &CacheRecord| {
        record.layer.is_some_and(|layer| {
            let mut images = images.iter();
            images.any(|image| image.layers.contains(&layer.diff_id))
        })
    };
    let mut entries = Vec::new();
    for (record, used) in engine.store.build_cache().list()? {
        let size = match (&record.layer, &record.step) {
            (Some(layer), _) => layer.size,
            (None, Some(step)) => tree::usage(&engine.store.build_cache().result(step))?.size,
            (None, None) => 0,
        };
        entries.push(Entry {
            shared: shared(&record),
            key: record.key,
            text: record.text,
            created: record.created,
            used,
            size,
            kind: "regular",
            aside: None,
        });
    }
    for aside in engine.store.build_cache().asides()? {
        entries.push(Entry {
            key: aside.key,
            text: format!("{} {}", aside.kind, aside.name),
            created: aside.used,
            used: aside.used,
            size: aside.size,
            shared: false,
            kind: aside.kind,
            aside: Some(aside),
        });
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    Ok(entries)
}

/// Removes results and collects what nothing names any more. A build at work that loses one makes
/// it again.
pub(crate) fn prune(engine: &Engine<'_>, request: &Request) -> Result<Pruned> {
    let now = Timestamp::now();
    let mut pruned = Pruned::default();
    let mut kept = 0;
    let cache = engine.store.build_cache();
    // What nothing names may be in use by a build at work.
    let idle = cache.idle()?;
    for entry in list(engine)? {
        kept += entry.size;
        let old = |limit: Duration| entry.used.age(now) >= limit;
        let goes = (request.all || !entry.shared)
            && request.unused_for.is_none_or(old)
            && request.kind.as_ref().is_none_or(|kind| kind == entry.kind)
            && (entry.aside.is_none() || idle.is_some())
            && request.keep.is_none_or(|keep| kept > keep);
        if goes {
            kept -= entry.size;
            match &entry.aside {
                Some(aside) => cache.remove_aside(aside)?,
                None => cache.remove(&entry.key)?,
            }
            pruned.entries.push(entry);
        }
    }
    drop(idle);
    let collected = engine.store.collect()?;
    pruned.reclaimed = pruned.entries.iter().map(|entry| entry.size).sum();
    pruned.left = collected
        .purged
        .left
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    Ok(pruned)
}
