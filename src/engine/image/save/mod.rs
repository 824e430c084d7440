//! `save`: images as files that others load. One writer for it and for what a build puts out.
//!
//! docker's form is a layout of OCI with docker's list of images beside it (moby,
//! image/tarexport): what is in the store goes out as it is, so that no digest changes on the way.
//! podman's forms for docker have layers that are not compressed; they are decompressed on the
//! way, once for their length and once for their bytes, and nothing is kept for that.

mod choose;
mod image;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::json;

use super::familiar;
use super::layout::{self, Sink};
use crate::common::{Digest, Error};
use crate::engine::Engine;
use crate::oci::{Descriptor, Index};
use crate::store::ImageRecord;

pub(crate) use choose::{also_named, choose};

use image::Image;

/// docker's and containerd's whole name of an image in a layout.
pub(crate) const IMAGE_NAME: &str = "io.containerd.image.name";

/// docker's list of images; in a `dir:`, the one image's manifest.
pub(crate) const DOCKER_LIST: &str = "manifest.json";

/// The files that images become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A layout of OCI with docker's list.
    Docker,
    /// A layout of OCI; its documents are OCI's with `strict`, and those of the store without.
    Oci {
        /// Whether documents that are docker's are written anew.
        strict: bool,
    },
    /// podman's `docker-archive`: docker's list, and layers that are not compressed.
    List,
    /// skopeo's `dir:` of one image: its manifest is docker's, and blobs lie beside it.
    Dir,
}

/// What is written.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    /// An image under each of its names; those without a name have none in the archive.
    pub(crate) records: &'a [ImageRecord],
    /// Their form.
    pub(crate) form: Form,
    /// Whether layers go out as plain archives.
    pub(crate) plain: bool,
    /// Notes of the line of an index.
    pub(crate) notes: &'a BTreeMap<String, String>,
}

/// Writes images. Everything they need is looked for before the first byte.
///
/// # Errors
/// `NotFound` for a layer that was not kept, `Usage` for more images than the form holds; what
/// reading and writing gave.
pub(crate) fn write(
    engine: &Engine<'_>,
    selection: &Selection<'_>,
    sink: &mut dyn Sink,
) -> Result<()> {
    let mut images: Vec<Image<'_>> = Vec::new();
    for record in selection.records {
        let same = |image: &Image<'_>| {
            image.record.manifest == record.manifest && image.record.index == record.index
        };
        let at = match images.iter().position(same) {
            Some(at) => at,
            None => {
                images.push(Image::of(engine, selection, record)?);
                images.len() - 1
            }
        };
        images[at].names.extend(record.name.as_deref());
    }
    for part in images.iter().flat_map(|image| image.parts.iter()) {
        part.check(engine)?;
    }
    match selection.form {
        Form::Docker | Form::Oci { .. } => as_layout(engine, selection, &images, sink),
        Form::List => as_list(engine, &images, sink),
        Form::Dir => as_dir(engine, &images, sink),
    }
}

/// Blobs of all images, each once, at the places that `place` gives them.
fn blobs(
    engine: &Engine<'_>,
    images: &[Image<'_>],
    sink: &mut dyn Sink,
    place: impl Fn(&Digest) -> Option<String>,
) -> Result<()> {
    let mut done = BTreeSet::new();
    for part in images.iter().flat_map(|image| &image.parts) {
        if let Some(name) = place(&part.digest)
            && done.insert(part.digest)
        {
            part.write(engine, &name, sink)?;
        }
    }
    Ok(())
}

fn as_layout(
    engine: &Engine<'_>,
    selection: &Selection<'_>,
    images: &[Image<'_>],
    sink: &mut dyn Sink,
) -> Result<()> {
    blobs(engine, images, sink, |digest| Some(layout::blob(digest)))?;
    if selection.form == Form::Docker {
        let list = docker_list(images, layout::blob, layout::blob, familiar);
        layout::text(sink, DOCKER_LIST, &serde_json::to_vec(&list)?)?;
    }
    let mut index = Index::of(Vec::new());
    for image in images {
        let notes = match image.record.index {
            Some(_) => selection.notes.clone(),
            None => BTreeMap::new(),
        };
        let mut line = |notes: BTreeMap<String, String>| {
            index.manifests.push(Descriptor {
                annotations: (!notes.is_empty()).then_some(notes),
                ..image.entry.clone()
            });
        };
        if image.names.is_empty() {
            line(notes.clone());
        }
        for name in &image.names {
            let tag = name.rsplit_once(':').map_or(*name, |(_, tag)| tag);
            let mut notes = notes.clone();
            notes.insert(IMAGE_NAME.to_owned(), (*name).to_owned());
            notes.insert(Descriptor::REF_NAME.to_owned(), tag.to_owned());
            line(notes);
        }
    }
    Ok(layout::list(sink, &index)?)
}

fn as_list(engine: &Engine<'_>, images: &[Image<'_>], sink: &mut dyn Sink) -> Result<()> {
    let config = |digest: &Digest| format!("{}.json", digest.hex());
    let layer = |digest: &Digest| format!("{}.tar", digest.hex());
    blobs(engine, images, sink, |digest| {
        if images.iter().any(|image| image.record.config == *digest) {
            return Some(config(digest));
        }
        let is_layer = images.iter().any(|image| image.layers.contains(digest));
        is_layer.then(|| layer(digest))
    })?;
    // podman takes a short name for one of this machine.
    let list = docker_list(images, config, layer, str::to_owned);
    Ok(layout::text(
        sink,
        DOCKER_LIST,
        &serde_json::to_vec(&list)?,
    )?)
}

fn as_dir(engine: &Engine<'_>, images: &[Image<'_>], sink: &mut dyn Sink) -> Result<()> {
    let [image] = images else {
        let why = format!("it holds one image, and {} were named", images.len());
        return Err(Error::usage("save", "docker-dir", why).into());
    };
    let manifest = image.entry.digest;
    blobs(engine, images, sink, |digest| {
        (*digest != manifest).then(|| digest.hex())
    })?;
    layout::text(sink, "version", b"Directory Transport Version: 1.1\n")?;
    Ok(layout::text(sink, DOCKER_LIST, &image.manifest)?)
}

/// docker's list of the images in an archive (moby, `image/tarexport`).
fn docker_list(
    images: &[Image<'_>],
    config: impl Fn(&Digest) -> String,
    layer: impl Fn(&Digest) -> String,
    shown: impl Fn(&str) -> String,
) -> serde_json::Value {
    let one = |image: &Image<'_>| {
        let names: Vec<String> = image.names.iter().map(|name| shown(name)).collect();
        json!({
            "Config": config(&image.record.config),
            "RepoTags": (!names.is_empty()).then_some(names),
            "Layers": image.layers.iter().map(&layer).collect::<Vec<_>>(),
        })
    };
    images.iter().map(one).collect()
}
