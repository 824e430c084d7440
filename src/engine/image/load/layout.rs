//! Images that manifests describe: OCI's layout, and skopeo's `dir:`.

use std::collections::BTreeMap;

use anyhow::Result;

use super::plan::{self, Content, Plan};
use crate::common::{Digest, Error, Kind};
use crate::engine::image::layout::Layout;
use crate::engine::image::pull::layers;
use crate::oci::{
    Descriptor, Document, ImageConfig, Index, MAX_CONFIG, MAX_DOCUMENT, MAX_NESTING, Manifest,
    MediaType, Platform,
};

/// The images that a layout lists, each once with all its names.
///
/// # Errors
/// As [`load`](super::load).
pub(super) fn plans(
    layout: &Layout,
    index: &Index,
    platform: Option<&Platform>,
) -> Result<Vec<Plan>> {
    let mut order: Vec<&Descriptor> = Vec::new();
    let mut names: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    for entry in &index.manifests {
        let names = names.entry(entry.digest).or_insert_with(|| {
            order.push(entry);
            Vec::new()
        });
        if let Some(name) = plan::of_entry(entry)?
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    let mut plans = Vec::new();
    for entry in order {
        let names = names.remove(&entry.digest).unwrap_or_default();
        if let Some(plan) = one(layout, entry, names, platform)? {
            plans.push(plan);
        }
    }
    match plans.is_empty() {
        true if index.manifests.is_empty() => Err(lists_none(layout).into()),
        true => Err(plan::none_for(platform)),
        false => Ok(plans),
    }
}

/// The image of a `dir:`, which has no name.
///
/// # Errors
/// As [`load`](super::load).
pub(super) fn single(
    layout: &Layout,
    bytes: Vec<u8>,
    platform: Option<&Platform>,
) -> Result<Vec<Plan>> {
    let Document::Manifest(manifest) = Document::parse(&bytes, "")? else {
        return Err(lists_none(layout).into());
    };
    let entry = Descriptor::new("", Digest::of(&bytes), bytes.len() as u64);
    let plan = described(layout, &entry, *manifest, bytes)?;
    match plan::fits(&plan.config, platform) {
        true => Ok(vec![plan]),
        false => Err(plan::none_for(platform)),
    }
}

fn lists_none(layout: &Layout) -> Error {
    Error::new(Kind::Corrupt, "load image", layout.files().shown("")).because("it lists no image")
}

/// The image of an entry; `None` when it is for another platform than was asked for.
fn one(
    layout: &Layout,
    entry: &Descriptor,
    names: Vec<String>,
    platform: Option<&Platform>,
) -> Result<Option<Plan>> {
    let bytes = layout.read(&entry.digest, MAX_DOCUMENT)?;
    let plan = match Document::parse(&bytes, &entry.media_type)? {
        Document::Manifest(manifest) => described(layout, entry, *manifest, bytes)?,
        Document::Index(index) => {
            let Some((entry, manifest, text)) = chosen(layout, &index, platform, MAX_NESTING)?
            else {
                return Ok(None);
            };
            let plan = described(layout, &entry, manifest, text)?;
            let others = match platform {
                None => others(layout, &index)?,
                Some(_) => Vec::new(),
            };
            Plan {
                index: Some(bytes),
                others,
                ..plan
            }
        }
    };
    let fits = plan::fits(&plan.config, platform);
    Ok(fits.then_some(Plan { names, ..plan }))
}

/// Of an index, the image for the platform that was asked for, else this machine's, else the first
/// that is there.
fn chosen(
    layout: &Layout,
    index: &Index,
    platform: Option<&Platform>,
    nesting: usize,
) -> Result<Option<(Descriptor, Manifest, Vec<u8>)>> {
    let host = Platform::host();
    let mut wanted = index.candidates(platform.unwrap_or(&host));
    if platform.is_none() {
        let is_image = |entry: &&Descriptor| {
            let platform = entry.platform.as_ref();
            platform.is_none_or(|platform| platform.architecture != "unknown")
        };
        wanted.extend(index.manifests.iter().filter(is_image));
    }
    for entry in wanted {
        if !has(layout, &entry.digest)? {
            continue;
        }
        let bytes = layout.read(&entry.digest, MAX_DOCUMENT)?;
        match Document::parse(&bytes, &entry.media_type)? {
            Document::Manifest(manifest) => return Ok(Some((entry.clone(), *manifest, bytes))),
            Document::Index(index) if nesting > 0 => {
                if let Some(found) = chosen(layout, &index, platform, nesting - 1)? {
                    return Ok(Some(found));
                }
            }
            Document::Index(_) => {}
        }
    }
    Ok(None)
}

/// What an index lists beside the image of this machine; nothing unless all of it is there.
fn others(layout: &Layout, index: &Index) -> Result<Vec<Descriptor>> {
    let mut all = Vec::new();
    for entry in &index.manifests {
        if !has(layout, &entry.digest)? {
            return Ok(Vec::new());
        }
        let bytes = layout.read(&entry.digest, MAX_DOCUMENT)?;
        if let Document::Manifest(manifest) = Document::parse(&bytes, &entry.media_type)? {
            for blob in manifest.layers.into_iter().chain([manifest.config]) {
                if !has(layout, &blob.digest)? {
                    return Ok(Vec::new());
                }
                all.push(blob);
            }
        }
        let length = bytes.len() as u64;
        all.push(Descriptor::new(&*entry.media_type, entry.digest, length));
    }
    Ok(all)
}

fn has(layout: &Layout, digest: &Digest) -> Result<bool> {
    Ok(layout.find_blob(digest)?.is_some())
}

/// The image of a manifest whose blobs are all there, with the lengths it says.
fn described(
    layout: &Layout,
    entry: &Descriptor,
    manifest: Manifest,
    bytes: Vec<u8>,
) -> Result<Plan> {
    let kind = &manifest.config.media_type;
    if MediaType::of(kind) != MediaType::Config {
        return Err(
            Error::new(Kind::Unsupported, "load image", entry.digest.to_string())
                .because(format!("it is an artifact of type {kind:?}"))
                .into(),
        );
    }
    let config_bytes = layout.read(&manifest.config.digest, MAX_CONFIG)?;
    let config = ImageConfig::parse(&config_bytes)?;
    for (layer, _) in layers(&manifest, &config)? {
        let length = layout.blob_length(&layer.digest)?;
        if length != layer.size {
            let why = format!(
                "it has {length} bytes, and its manifest says {}",
                layer.size
            );
            return Err(
                Error::new(Kind::Corrupt, "load layer", layer.digest.to_string())
                    .because(why)
                    .into(),
            );
        }
    }
    let own = manifest.media_type.clone();
    let media_type = own.unwrap_or_else(|| match entry.media_type.is_empty() {
        true => MediaType::OCI_MANIFEST.to_owned(),
        false => entry.media_type.clone(),
    });
    Ok(Plan {
        names: Vec::new(),
        config_bytes,
        config,
        content: Content::Described {
            manifest: Box::new(manifest),
            bytes,
            media_type,
        },
        index: None,
        others: Vec::new(),
    })
}
