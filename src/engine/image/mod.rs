//! Verbs on images. Each takes the store and a request, returns a result, prints nothing.

pub(crate) mod adopt;
pub(crate) mod artifact;
pub(crate) mod assemble;
pub(crate) mod builtin;
pub(super) mod change;
mod event;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod layout;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod recode;
pub(crate) mod remote;
pub(crate) mod remove;
pub(crate) mod save;
pub(crate) mod stack;
pub(crate) mod tag;
#[cfg(test)]
mod tests;
pub(crate) mod variant;

use anyhow::Result;

use crate::common::{Digest, Error, Kind};
use crate::reference::Reference;
use crate::store::{ImageRecord, Store};

/// An image found in the store.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The record that fits best.
    pub(crate) record: ImageRecord,
    /// Whether the user gave an id (or part of one) and not a name.
    pub(crate) by_id: bool,
}

/// Finds what a user calls an image: a name first, as docker does, then an id or its beginning.
///
/// # Errors
/// A `Conflict` for an id that fits several images; a `Corrupt` record.
pub(crate) fn lookup(store: &Store, text: &str) -> Result<Option<Found>> {
    let whole_id = text.strip_prefix("sha256:").and_then(Digest::from_hex);
    if whole_id.is_none()
        && let Ok(reference) = Reference::parse(text)
        && let Some(record) = by_reference(store, &reference)?
    {
        let by_id = false;
        return Ok(Some(Found { record, by_id }));
    }
    let records = store.images().by_id(text)?;
    let record = records.into_iter().next();
    Ok(record.map(|record| Found {
        record,
        by_id: true,
    }))
}

/// As [`lookup`], with docker's error when there is none.
pub(crate) fn find(store: &Store, text: &str) -> Result<Found> {
    lookup(store, text)?.ok_or_else(|| {
        Error::new(Kind::NotFound, "find image", text)
            .because("no such image".to_owned())
            .hint("ketch images lists what is here; ketch pull fetches one")
            .into()
    })
}

/// The record that a run means, for verbs that fetch what is not here.
///
/// # Errors
/// As [`lookup`]; `Usage` for a text that is neither a reference nor an id: a bad name is not a
/// missing image, and no registry is asked for it.
pub(crate) fn known(store: &Store, text: &str) -> Result<Option<ImageRecord>> {
    match lookup(store, text)? {
        Some(found) => Ok(Some(found.record)),
        None => Ok(Reference::parse(text).map(|_| None)?),
    }
}

/// The image of a reference. A digest decides; the repository has to fit as well.
pub(crate) fn by_reference(store: &Store, reference: &Reference) -> Result<Option<ImageRecord>> {
    if let Some(record) = store.images().get(&reference.to_string())? {
        return Ok(Some(record));
    }
    let Some(digest) = reference.digest() else {
        return Ok(None);
    };
    let wanted = format!("{}@{digest}", reference.repository());
    let records = store.images().records()?;
    Ok(records.into_iter().find(|record| {
        let named = record.name.as_deref().and_then(parsed);
        let fits = record.manifest == *digest || record.index == Some(*digest);
        record.repo_digests.contains(&wanted)
            || fits && named.is_some_and(|name| name.repository() == reference.repository())
    }))
}

/// A canonical name read back; `None` for one that no longer parses.
fn parsed(name: &str) -> Option<Reference> {
    Reference::parse(name).ok()
}

/// docker's short form of a canonical name.
pub(crate) fn familiar(name: &str) -> String {
    parsed(name).map_or_else(|| name.to_owned(), |name| name.familiar())
}

/// docker's short form of a "repository@digest" entry.
fn familiar_digest(entry: &str) -> String {
    match entry.split_once('@') {
        Some((repository, digest)) => match parsed(repository) {
            Some(name) => format!("{}@{digest}", name.familiar_repository()),
            None => entry.to_owned(),
        },
        None => entry.to_owned(),
    }
}
