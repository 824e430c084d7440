//! `images`: one row per name, with what docker's columns need.

use std::collections::HashMap;

use anyhow::Result;

use super::filter::Filters;
use super::parsed;
use crate::common::{Digest, Error, Timestamp};
use crate::store::{ImageRecord, Store};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `REPOSITORY[:TAG]` of the command line; patterns allowed.
    pub(crate) reference: Option<String>,
    /// `--filter key=value` pairs.
    pub(crate) filters: Vec<(String, String)>,
    /// Count containers per image; costs a read of every container record.
    pub(crate) containers: bool,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Short repository; `None` is docker's `<none>`.
    pub(crate) repository: Option<String>,
    /// Tag; `None` is docker's `<none>`.
    pub(crate) tag: Option<String>,
    /// Image id: the digest of the configuration.
    pub(crate) id: Digest,
    /// Digest in the registry.
    pub(crate) digest: Option<Digest>,
    /// Unpacked bytes.
    pub(crate) size: u64,
    /// When the image was made.
    pub(crate) created: Option<Timestamp>,
    /// Containers made from it; `None` when not asked for.
    pub(crate) containers: Option<usize>,
    /// The whole record.
    pub(crate) record: ImageRecord,
}

/// All rows, newest image first as docker sorts them, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Rows.
    pub(crate) rows: Vec<Row>,
    /// Damaged records; they do not hide the others.
    pub(crate) damaged: Vec<Error>,
}

/// Lists images.
pub(crate) fn list(store: &Store, request: &Request) -> Result<Listing> {
    let mut pairs = request.filters.clone();
    if let Some(reference) = &request.reference {
        pairs.push(("reference".to_owned(), reference.clone()));
    }
    let filters = Filters::parse(store, &pairs)?;
    let users = match request.containers {
        true => Some(users(store)?),
        false => None,
    };
    let mut listing = Listing::default();
    for listed in store.images().list()? {
        match listed {
            Ok(listed) if filters.pass(&listed.record) => {
                let count = |users: &HashMap<Digest, usize>| {
                    users.get(&listed.record.config).copied().unwrap_or(0)
                };
                let containers = users.as_ref().map(count);
                listing.rows.push(row(listed.record, containers));
            }
            Ok(_) => {}
            Err(error) => listing.damaged.push(error),
        }
    }
    listing.rows.sort_by(|a, b| {
        let key = |row: &Row| (std::cmp::Reverse(row.created), row.record.name.clone());
        key(a).cmp(&key(b)).then(a.id.cmp(&b.id))
    });
    Ok(listing)
}

/// Number of containers by image id. Damaged container records count nowhere.
fn users(store: &Store) -> Result<HashMap<Digest, usize>> {
    let mut users = HashMap::new();
    for entry in store.containers().list()?.into_iter().flatten() {
        if let Some(config) = entry.record.config {
            *users.entry(config).or_default() += 1;
        }
    }
    Ok(users)
}

fn row(record: ImageRecord, containers: Option<usize>) -> Row {
    let name = record.name.as_deref().and_then(parsed);
    let known = record.repo_digests.first().and_then(|d| d.split_once('@'));
    let repository = match &name {
        Some(name) => Some(name.familiar_repository()),
        None => known.and_then(|(repository, _)| Some(parsed(repository)?.familiar_repository())),
    };
    let digest = match &name {
        Some(name) => name.digest().copied().or_else(|| {
            let own = format!("{}@", name.repository());
            let mut fits = record.repo_digests.iter();
            fits.find_map(|entry| entry.strip_prefix(&own)?.parse().ok())
        }),
        None => known.and_then(|(_, digest)| digest.parse().ok()),
    };
    Row {
        repository,
        tag: name.and_then(|name| name.tag().map(str::to_owned)),
        id: record.config,
        digest,
        size: record.size,
        created: record.created,
        containers,
        record,
    }
}
