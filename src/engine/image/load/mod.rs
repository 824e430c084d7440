//! `load`: images out of files that others, or ketch, saved.
//!
//! All documents are read and every name in them is looked for before the store is touched. Then
//! layers come in as those of a pull do, each checked against its digest and its diff-id, and the
//! names are set last, when every image is there.

mod docker;
mod layout;
mod plan;

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Result;

use super::assemble;
use super::event;
use super::layout::{Files, Layout};
use super::pull::{fetch_layers, layers};
use super::save::DOCKER_LIST;
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::oci::{Descriptor, MAX_DOCUMENT, Manifest, MediaType, Platform};
use crate::store::{Blob, ImageRecord};

use plan::{Content, Plan};

/// An image that was loaded, under one name.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Canonical name; `None` for an image that has none in the archive.
    pub(crate) name: Option<String>,
    /// Image id.
    pub(crate) id: Digest,
    /// The other image that had this name before.
    pub(crate) replaced: Option<Digest>,
}

/// Loads every image of the files; of one for several platforms the one for `platform`, else the
/// host's.
///
/// # Errors
/// `Corrupt` for files that are not what their documents say, `NotFound` for what they lack,
/// `Unsupported` for what is no image. No name was set then; what came into the store is a
/// collection's to remove, once this process has ended its work with it.
pub(crate) fn load(
    engine: &Engine<'_>,
    files: Files,
    platform: Option<&Platform>,
) -> Result<Vec<Loaded>> {
    let (layout, plans) = plans(files, platform)?;
    engine.store.hold()?;
    engine.apply_blob_policy()?;
    let mut known = BTreeMap::new();
    if plans.iter().any(Plan::is_listed) {
        known = docker::known_layers(engine)?;
    }
    let mut records = Vec::new();
    for plan in &plans {
        records.push(land(engine, &layout, plan, &mut known)?);
    }
    engine.store.sync()?;
    let mut loaded = Vec::new();
    for (plan, record) in plans.into_iter().zip(records) {
        loaded.extend(name(engine, plan.names, record)?);
    }
    Ok(loaded)
}

/// What the files hold. A layout keeps digests as they were, so that it comes before docker's list.
fn plans(files: Files, platform: Option<&Platform>) -> Result<(Layout, Vec<Plan>)> {
    let layout = Layout::of(files);
    if let Some(index) = layout.index()? {
        let plans = layout::plans(&layout, &index, platform)?;
        return Ok((layout, plans));
    }
    let list = layout.files().text(DOCKER_LIST, MAX_DOCUMENT)?;
    let Some(list) = list else {
        let what = layout.files().shown("");
        return Err(Error::new(Kind::Corrupt, "load image", what)
            .because("it has neither index.json nor manifest.json: no image was saved in it")
            .hint("ketch import makes an image of an archive of a file system")
            .into());
    };
    if list.trim_ascii_start().starts_with(b"{") {
        let layout = layout.flat();
        let plans = layout::single(&layout, list, platform)?;
        return Ok((layout, plans));
    }
    let plans = docker::plans(layout.files(), &list, platform)?;
    Ok((layout, plans))
}

/// Brings an image in; it has no name yet.
fn land(
    engine: &Engine<'_>,
    layout: &Layout,
    plan: &Plan,
    known: &mut BTreeMap<Digest, Descriptor>,
) -> Result<ImageRecord> {
    let blobs = engine.store.blobs();
    blobs.put_bytes(&plan.config_bytes)?;
    let (manifest, bytes, kind) = match &plan.content {
        Content::Described {
            manifest,
            bytes,
            media_type,
        } => ((**manifest).clone(), bytes.clone(), media_type.clone()),
        Content::Listed(names) => {
            let layers = docker::described(engine, layout.files(), plan, names, known)?;
            let length = plan.config_bytes.len() as u64;
            let config = Digest::of(&plan.config_bytes);
            let config = Descriptor::new(MediaType::OCI_CONFIG, config, length);
            let manifest = Manifest::of(config, layers);
            let bytes = serde_json::to_vec(&manifest)?;
            (manifest, bytes, MediaType::OCI_MANIFEST.to_owned())
        }
    };
    let all = layers(&manifest, &plan.config)?;
    let open = |blob: &Descriptor, offset: u64| -> Result<Box<dyn Read + Send>> {
        match &plan.content {
            Content::Described { .. } => Ok(layout.open(blob, offset)?),
            Content::Listed(names) => docker::open(layout.files(), &manifest, names, blob, offset),
        }
    };
    fetch_layers(engine, &all, &open)?;
    for other in &plan.others {
        keep(engine, layout, other)?;
    }
    let index = plan.index.as_ref().map(|bytes| blobs.put_bytes(bytes));
    let entry = Descriptor::new(kind, blobs.put_bytes(&bytes)?, bytes.len() as u64);
    Ok(ImageRecord {
        index: index.transpose()?,
        ..assemble::record(engine, &entry, &manifest, &plan.config)?
    })
}

/// Brings a blob in that belongs to another platform's image.
fn keep(engine: &Engine<'_>, layout: &Layout, blob: &Descriptor) -> Result<()> {
    if let Blob::Missing(mut writer) = engine.store.blobs().acquire(&blob.digest, blob.size)? {
        writer.restart()?;
        std::io::copy(&mut layout.open(blob, 0)?, &mut writer)
            .map_err(|error| Error::io("load", blob.digest.to_string(), error))?;
        writer.commit()?;
    }
    Ok(())
}

/// Gives an image that is here its names.
fn name(engine: &Engine<'_>, names: Vec<String>, record: ImageRecord) -> Result<Vec<Loaded>> {
    let images = engine.store.images();
    let id = record.config;
    event::loaded(&engine.store, &id);
    if names.is_empty() {
        let known = images.by_id(&id.hex()).unwrap_or_default();
        if !known.iter().any(|known| known.manifest == record.manifest) {
            images.put(&record)?;
        }
        return Ok(vec![Loaded {
            name: None,
            id,
            replaced: None,
        }]);
    }
    let mut loaded = Vec::new();
    for name in names {
        let before = images.get(&name).ok().flatten();
        let same = before
            .as_ref()
            .filter(|old| old.manifest == record.manifest);
        images.put(&ImageRecord {
            name: Some(name.clone()),
            // What registries know it by is still true.
            repo_digests: same.map_or(Vec::new(), |old| old.repo_digests.clone()),
            ..record.clone()
        })?;
        loaded.push(Loaded {
            name: Some(name),
            id,
            replaced: before.map(|old| old.config).filter(|old| *old != id),
        });
    }
    Ok(loaded)
}
