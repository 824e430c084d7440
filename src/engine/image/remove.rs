//! `rmi`: docker's rules of untagging and deleting.

use std::path::PathBuf;

use anyhow::Result;

use super::{event, familiar, find};
use crate::common::{Digest, Error, Kind};
use crate::store::{ContainerEntry, ImageRecord, Store};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Names, ids or beginnings of ids.
    pub(crate) images: Vec<String>,
    /// Remove an image with several names or with stopped containers.
    pub(crate) force: bool,
    /// Leave blobs and layers for a later collection.
    pub(crate) no_prune: bool,
}

/// One line of docker's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// `Untagged: NAME`.
    Untagged(String),
    /// `Deleted: sha256:…`: an image id, or a layer nothing uses any more.
    Deleted(Digest),
}

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Removal {
    /// In order.
    pub(crate) events: Vec<Event>,
    /// Arguments that could not be removed; the others were.
    pub(crate) failures: Vec<(String, anyhow::Error)>,
    /// Bytes given back.
    pub(crate) reclaimed: u64,
    /// Trees in the trash that only the user namespace of the mode can delete.
    pub(crate) left: Vec<PathBuf>,
}

/// Removes images, going on past failures.
pub(crate) fn remove(store: &Store, request: &Request) -> Result<Removal> {
    let mut removal = Removal::default();
    for image in &request.images {
        match remove_one(store, image, request.force) {
            Ok(events) => removal.events.extend(events),
            Err(error) => removal.failures.push((image.clone(), error)),
        }
    }
    let deleted = |event: &Event| matches!(event, Event::Deleted(_));
    if !request.no_prune && removal.events.iter().any(deleted) {
        collect(store, &mut removal)?;
    }
    Ok(removal)
}

/// Collects what the removed images alone used.
pub(super) fn collect(store: &Store, removal: &mut Removal) -> Result<()> {
    let collected = store.collect()?;
    removal.reclaimed += collected.bytes;
    removal
        .events
        .extend(collected.layers.into_iter().map(Event::Deleted));
    removal
        .left
        .extend(collected.purged.left.into_iter().map(|(path, _)| path));
    Ok(())
}

fn remove_one(store: &Store, image: &str, force: bool) -> Result<Vec<Event>> {
    let found = find(store, image)?;
    let records = store.images().records()?;
    let same: Vec<ImageRecord> = records
        .into_iter()
        .filter(|record| record.config == found.record.config)
        .collect();
    if !found.by_id && same.len() > 1 {
        return take(store, &[found.record]);
    }
    let users = users(store, &found.record)?;
    // A name in front of a used image can be taken by force; the image itself cannot, while one
    // of its containers runs.
    if let Some(user) = users.iter().find(|user| user.alive)
        && (found.by_id || !force)
    {
        return Err(conflict(image, user, "is running").into());
    }
    if let (Some(user), false) = (users.first(), force) {
        return Err(conflict(image, user, "was made from it")
            .hint("remove the container first, or use --force")
            .into());
    }
    if found.by_id && !force && repositories(&same) > 1 {
        return Err(Error::new(Kind::Conflict, "remove image", image)
            .because("it has names in several repositories".to_owned())
            .hint("remove it by name, or use --force")
            .into());
    }
    if !found.by_id && users.iter().any(|user| user.alive) {
        return super::tag::untag(store, image, &[image.to_owned()])
            .map(|names| names.into_iter().map(Event::Untagged).collect());
    }
    take(store, &same)
}

fn conflict(image: &str, user: &ContainerEntry, what: &str) -> Error {
    let name = &user.record.name;
    let id = user.record.id.short();
    Error::new(Kind::Conflict, "remove image", image)
        .because(format!("container {name} ({id}) {what}"))
}

/// Removes records and says what that meant.
pub(super) fn take(store: &Store, records: &[ImageRecord]) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for record in records {
        let Some(untagged) = store.images().remove(record)? else {
            continue;
        };
        if let Some(name) = &untagged.record.name {
            event::named(store, "untag", &untagged.record.config, name);
            events.push(Event::Untagged(familiar(name)));
        }
        if !untagged.others {
            events.extend(
                untagged
                    .record
                    .repo_digests
                    .iter()
                    .map(|entry| Event::Untagged(super::familiar_digest(entry))),
            );
            event::deleted(store, &untagged.record.config);
            events.push(Event::Deleted(untagged.record.config));
        }
    }
    Ok(events)
}

/// Containers made from an image, running ones first.
fn users(store: &Store, image: &ImageRecord) -> Result<Vec<ContainerEntry>> {
    let entries = store.containers().list()?.into_iter().flatten();
    let mut users: Vec<ContainerEntry> = entries
        .filter(|entry| entry.record.config == Some(image.config))
        .collect();
    users.sort_by_key(|entry| !entry.alive);
    Ok(users)
}

/// Number of different repositories among the names.
fn repositories(records: &[ImageRecord]) -> usize {
    let mut found: Vec<String> = records
        .iter()
        .filter_map(|record| Some(super::parsed(record.name.as_deref()?)?.repository()))
        .collect();
    found.sort();
    found.dedup();
    found.len()
}
