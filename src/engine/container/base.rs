//! What a container's image left behind, whether or not the image still has a name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::asked::ImageFacts;
use super::lower::Lower;
use super::{list, plan};
use crate::common::{Mode, Timestamp};
use crate::engine::Engine;
use crate::oci::{ContainerConfig, ImageConfig};
use crate::runtime;
use crate::store::{ContainerEntry, ContainerRecord, ImageDocuments, ImageRecord};
use crate::sys::file;
use crate::sys::xattr::{self, OVERRIDE_STAT};

/// Manifest and configuration of the container's image; `None` for one of a plain directory.
/// They are kept as long as the container is there.
pub(super) fn documents(
    engine: &Engine<'_>,
    record: &ContainerRecord,
) -> Result<Option<ImageDocuments>> {
    let (Some(manifest), Some(config)) = (record.manifest, record.config) else {
        return Ok(None);
    };
    let image = ImageRecord {
        name: None,
        manifest,
        media_type: String::new(),
        manifest_size: 0,
        config,
        platform: String::new(),
        layers: Vec::new(),
        blobs: Vec::new(),
        size: 0,
        created: None,
        pulled: Timestamp::now(),
        index: None,
        repo_digests: Vec::new(),
        labels: BTreeMap::new(),
        stack: Default::default(),
    };
    Ok(Some(engine.store.documents(&image)?))
}

/// The configuration alone; that of nothing for a container of a plain directory.
pub(super) fn image_config(engine: &Engine<'_>, record: &ContainerRecord) -> Result<ImageConfig> {
    let documents = documents(engine, record)?;
    Ok(documents
        .map(|documents| documents.config)
        .unwrap_or_default())
}

/// Intended owners of what cannot carry them itself, by path in the container's whole tree.
/// `None` where files have their owners on disk; with a range of ids that is all but devices,
/// which carry it.
pub(super) fn intended(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
) -> Result<Option<BTreeMap<PathBuf, String>>> {
    let mut found = BTreeMap::new();
    match engine.mode {
        Mode::Root => return Ok(None),
        Mode::Subid => return Ok(Some(found)),
        Mode::Single => {}
    }
    let layers = &entry.record.layers;
    for (at, layer) in layers.iter().enumerate() {
        let above = layers[at + 1..].iter().rev();
        let mut above = Lower::new(engine, above.map(|layer| engine.store.layers().path(layer)));
        above.push_top(entry.dir.upper());
        for (path, text) in engine.store.layers().owners(layer)? {
            // What a higher layer has at the path is another object.
            if !above.says(&path) {
                found.insert(path, text);
            }
        }
    }
    Ok(Some(found))
}

/// Owner and group of what a container of mode `single` made itself, by its path: one id on disk
/// tells nothing, so it is the user that the container runs as. What the image has there without
/// a record belongs to root. Other modes have the owner on disk.
pub(super) fn maker<'a>(
    engine: &'a Engine<'_>,
    entry: &ContainerEntry,
) -> impl Fn(&Path, u32, u32) -> (u32, u32) + 'a {
    let single = engine.mode == Mode::Single;
    let layers = entry.record.layers.iter().rev();
    let layers: Vec<_> = layers
        .map(|layer| engine.store.layers().path(layer))
        .collect();
    let lower = Lower::new(engine, layers.into_iter());
    let user = match single && entry.record.rootfs.is_none() {
        true => user(engine, entry, &lower),
        false => (0, 0),
    };
    // A record that is gone was one of a file that the user has put another in the place of.
    let roots = move |path: &Path| {
        let place = lower.place(path);
        place.is_some_and(|place| !matches!(xattr::lget(&place, OVERRIDE_STAT), Ok(Some(_))))
    };
    move |path, uid, gid| match single {
        false => (uid, gid),
        true if user == (0, 0) || roots(path) => (0, 0),
        true => user,
    }
}

/// Whom the container's program runs as, by the files of the image; root when they do not say.
fn user(engine: &Engine<'_>, entry: &ContainerEntry, lower: &Lower) -> (u32, u32) {
    let image = ContainerConfig {
        user: ImageFacts::of(&entry.record).user,
        ..ContainerConfig::default()
    };
    let config = list::config(entry);
    let request = plan::user(engine, entry.record.mode, &config, &image);
    let text = |path: &str| {
        let place = lower.place(Path::new(path))?;
        let bytes = file::read_bounded(&place, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let [passwd, group] = ["etc/passwd", "etc/group"].map(|path| text(path).unwrap_or_default());
    let found = runtime::find_user(&request, &passwd, &group);
    found.map_or((0, 0), |user| (user.uid, user.gid))
}
