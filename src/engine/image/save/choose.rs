//! Which images a command line means.

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::image::{assemble, find, lookup, parsed, variant};
use crate::oci::Platform;
use crate::reference::Reference;
use crate::store::ImageRecord;

/// Finds the images that a user names. With `all`, a name without a tag means every tag of its
/// repository that is here, as in docker; an id is an image without a name.
///
/// # Errors
/// `NotFound` for an image that is not here, or not for `platform`.
pub(crate) fn choose(
    engine: &Engine<'_>,
    names: &[String],
    all: bool,
    platform: Option<&Platform>,
) -> Result<Vec<ImageRecord>> {
    let mut chosen: Vec<ImageRecord> = Vec::new();
    for text in names {
        let mut found = match all {
            true => every_tag(engine, text)?,
            false => Vec::new(),
        };
        if found.is_empty() {
            let one = find(&engine.store, text)?;
            let by_name = !one.by_id && tagged(&one.record).is_some() && !text.contains('@');
            found.push(ImageRecord {
                name: one.record.name.filter(|_| by_name),
                ..one.record
            });
        }
        for record in found {
            let record = for_platform(engine, text, record, platform)?;
            let same = |known: &ImageRecord| {
                known.manifest == record.manifest && known.name == record.name
            };
            if !chosen.iter().any(same) {
                chosen.push(record);
            }
        }
    }
    Ok(chosen)
}

/// The image under more names, for an archive that is to have them.
///
/// # Errors
/// `Usage` for what is no name.
pub(crate) fn also_named(record: &ImageRecord, names: &[String]) -> Result<Vec<ImageRecord>> {
    let named = names.iter().map(|name| {
        Ok(ImageRecord {
            name: Some(assemble::new_name(name)?.to_string()),
            ..record.clone()
        })
    });
    std::iter::once(Ok(record.clone())).chain(named).collect()
}

/// The tags of a repository that a name without a tag stands for, sorted; none for an id.
fn every_tag(engine: &Engine<'_>, text: &str) -> Result<Vec<ImageRecord>> {
    let last = text.rsplit('/').next().unwrap_or_default();
    let is_id = lookup(&engine.store, text)?.is_some_and(|found| found.by_id);
    let wanted = match Reference::parse(text) {
        Ok(wanted) if !is_id && !last.contains([':', '@']) => wanted,
        _ => return Ok(Vec::new()),
    };
    let mut found = engine.store.images().records()?;
    found.retain(|record| {
        tagged(record).is_some_and(|name| name.repository() == wanted.repository())
    });
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The name of an image that has a tag: a digest is no name that an image could be loaded under.
fn tagged(record: &ImageRecord) -> Option<Reference> {
    let name = record.name.as_deref().and_then(parsed)?;
    name.digest().is_none().then_some(name)
}

fn for_platform(
    engine: &Engine<'_>,
    text: &str,
    record: ImageRecord,
    wanted: Option<&Platform>,
) -> Result<ImageRecord> {
    let Some(wanted) = wanted else {
        return Ok(record);
    };
    let own = record.platform.parse::<Platform>();
    let chosen = match own.is_ok_and(|own| own.satisfies(wanted)) {
        true => Some(record.clone()),
        false => variant::of(engine, &record, wanted),
    };
    let chosen = chosen.ok_or_else(|| {
        Error::new(Kind::NotFound, "save", text).because(format!(
            "image was found but its platform ({}) does not match the specified platform ({wanted})",
            record.platform
        ))
    })?;
    // What else the index lists was not asked for.
    Ok(ImageRecord {
        index: None,
        ..chosen
    })
}
