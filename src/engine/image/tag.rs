//! `tag` and `untag`: names come and go, images stay.

use anyhow::Result;

use super::{by_reference, event, familiar, find};
use crate::common::{Error, Kind, Timestamp};
use crate::reference::Reference;
use crate::store::{ImageRecord, Store};

/// Gives an image one more name. The name's old image keeps its other names or becomes dangling.
///
/// # Errors
/// `Usage` when `target` is no valid name or holds a digest.
pub(crate) fn tag(store: &Store, source: &str, target: &str) -> Result<()> {
    let name = Reference::parse(target)?;
    if name.digest().is_some() {
        return Err(Error::usage(
            "tag image",
            target,
            "refusing to create a tag with a digest reference",
        )
        .into());
    }
    let record = ImageRecord {
        name: Some(name.to_string()),
        pulled: Timestamp::now(),
        ..find(store, source)?.record
    };
    store.images().put(&record)?;
    event::named(store, "tag", &record.config, &name.to_string());
    Ok(())
}

/// Takes names away from an image (podman's `untag`): the given ones, or all. The image stays
/// as a dangling one. Returns the names taken, in short form.
pub(crate) fn untag(store: &Store, image: &str, names: &[String]) -> Result<Vec<String>> {
    let found = find(store, image)?.record;
    let records = store.images().records()?;
    let mut same: Vec<ImageRecord> = records
        .into_iter()
        .filter(|record| record.config == found.config && record.name.is_some())
        .collect();
    if !names.is_empty() {
        let mut chosen = Vec::new();
        for name in names {
            let record = by_reference(store, &Reference::parse(name)?)?;
            chosen.push(
                record
                    .filter(|record| record.config == found.config)
                    .ok_or_else(|| {
                        Error::new(Kind::NotFound, "untag image", name.as_str())
                            .because(format!("{image} does not have this name"))
                    })?,
            );
        }
        same = chosen;
    }
    let mut taken = Vec::new();
    for record in same {
        // Dangling first: at no moment may the image have no record at all.
        store.images().put(&ImageRecord {
            name: None,
            ..record.clone()
        })?;
        if let Some(untagged) = store.images().remove(&record)? {
            if let Some(name) = &untagged.record.name {
                event::named(store, "untag", &record.config, name);
            }
            taken.extend(untagged.record.name.as_deref().map(familiar));
        }
    }
    drop_needless_dangling(store, &found)?;
    Ok(taken)
}

/// Removes the dangling record of an image that still has a name.
fn drop_needless_dangling(store: &Store, image: &ImageRecord) -> Result<()> {
    let records = store.images().records()?;
    let same = |record: &&ImageRecord| record.manifest == image.manifest;
    if records.iter().filter(same).any(|r| r.name.is_some()) {
        for record in records.iter().filter(same).filter(|r| r.name.is_none()) {
            store.images().remove(record)?;
        }
    }
    Ok(())
}
