//! The image as an archive, or a directory, in OCI's layout; with docker's `manifest.json` beside
//! it, `docker load` takes it as well.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::common::{Digest, Error};
use crate::engine::Engine;
use crate::oci::{Descriptor, Document, Index, MAX_DOCUMENT, MediaType};
use crate::store::ImageRecord;
use crate::sys::file;
use crate::sys::tty;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// docker's and containerd's whole name of an image in a layout.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// Takes the files of a layout.
trait Sink {
    fn put(&mut self, path: &str, length: u64, data: &mut dyn Read) -> io::Result<()>;
}

struct Archive<W: Write>(tar::Builder<W>);

impl<W: Write> Sink for Archive<W> {
    fn put(&mut self, path: &str, length: u64, data: &mut dyn Read) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        self.0.append_data(&mut header, path, data)
    }
}

struct Folder<'a>(&'a Path);

impl Sink for Folder<'_> {
    fn put(&mut self, path: &str, _length: u64, data: &mut dyn Read) -> io::Result<()> {
        let path = self.0.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        io::copy(data, &mut File::create(path)?).map(drop)
    }
}

/// What a layout holds.
pub(super) struct Layout<'a> {
    /// An image under each of its names.
    pub(super) records: &'a [ImageRecord],
    /// Notes of the line of an index.
    pub(super) notes: &'a BTreeMap<String, String>,
    /// docker's own document as well.
    pub(super) docker: bool,
}

/// Writes the images `records` (one for each name) as an archive to `out`. With `docker`, as
/// `docker load` wants it.
///
/// # Errors
/// `NotFound` when a blob is not in the store; what writing gave.
pub(super) fn archive(engine: &Engine<'_>, layout: &Layout<'_>, out: File) -> Result<()> {
    let mut sink = Archive(tar::Builder::new(BufWriter::with_capacity(BUFFER, out)));
    write(engine, layout, &mut sink)?;
    let failed = |error| Error::io("write", "the archive of the image", error);
    let mut out = sink.0.into_inner().map_err(failed)?;
    Ok(out.flush().map_err(failed)?)
}

/// As [`archive`], into a directory.
pub(super) fn directory(engine: &Engine<'_>, layout: &Layout<'_>, path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::io("make directory", path, error))?;
    write(engine, layout, &mut Folder(path))
}

fn write(engine: &Engine<'_>, layout: &Layout<'_>, sink: &mut dyn Sink) -> Result<()> {
    let Layout {
        records,
        notes,
        docker,
    } = *layout;
    let mut done: Vec<Digest> = Vec::new();
    let mut index = Index::of(Vec::new());
    for record in records {
        for digest in needed(engine, record)? {
            if !done.contains(&digest) {
                blob(engine, &digest, sink)?;
                done.push(digest);
            }
        }
        let mut entry = entry(engine, record)?;
        let mut found = match record.index {
            Some(_) => notes.clone(),
            None => BTreeMap::new(),
        };
        if let Some(name) = &record.name {
            let tag = name.rsplit_once(':').map_or(name.as_str(), |(_, tag)| tag);
            found.insert(IMAGE_NAME.to_owned(), name.clone());
            found.insert(Descriptor::REF_NAME.to_owned(), tag.to_owned());
        }
        entry.annotations = (!found.is_empty()).then_some(found);
        index.manifests.push(entry);
    }
    let mut text = |name: &str, bytes: Vec<u8>| {
        sink.put(name, bytes.len() as u64, &mut bytes.as_slice())
            .map_err(|error| Error::io("write", name, error))
    };
    text("index.json", serde_json::to_vec(&index)?)?;
    if docker {
        text("manifest.json", serde_json::to_vec(&manifests(records))?)?;
    }
    text("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())?;
    Ok(())
}

/// What an image names, its index with all that it lists included.
fn needed(engine: &Engine<'_>, record: &ImageRecord) -> Result<Vec<Digest>> {
    let blobs = engine.store.blobs();
    let mut needed = record.blobs.clone();
    needed.extend([record.config, record.manifest]);
    let Some(index) = record.index else {
        return Ok(needed);
    };
    let bytes = blobs.read(&index, MAX_DOCUMENT)?;
    if let Document::Index(listed) = Document::parse(&bytes, "")? {
        for entry in &listed.manifests {
            let bytes = blobs.read(&entry.digest, MAX_DOCUMENT)?;
            if let Document::Manifest(manifest) = Document::parse(&bytes, &entry.media_type)? {
                needed.extend(manifest.layers.iter().map(|layer| layer.digest));
                needed.push(manifest.config.digest);
            }
            needed.push(entry.digest);
        }
    }
    needed.push(index);
    Ok(needed)
}

/// An image's line in the layout: its index's, where it has one.
fn entry(engine: &Engine<'_>, record: &ImageRecord) -> Result<Descriptor> {
    if let Some(index) = record.index {
        let size = engine.store.blobs().read(&index, MAX_DOCUMENT)?.len() as u64;
        return Ok(Descriptor::new(MediaType::OCI_INDEX, index, size));
    }
    Ok(record.descriptor())
}

fn blob(engine: &Engine<'_>, digest: &Digest, sink: &mut dyn Sink) -> Result<()> {
    let mut found = engine.store.blobs().open(digest)?;
    let path = format!("blobs/sha256/{}", digest.hex());
    let failed = |error| Error::io("write", &path, error);
    let length = found.metadata().map_err(failed)?.len();
    Ok(sink.put(&path, length, &mut found).map_err(failed)?)
}

/// docker's list of the images in an archive (moby, `image/tarexport`).
fn manifests(records: &[ImageRecord]) -> serde_json::Value {
    let path = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let Some(first) = records.first() else {
        return json!([]);
    };
    let names: Vec<String> = records
        .iter()
        .filter_map(|record| record.name.as_deref().map(crate::engine::image::familiar))
        .collect();
    json!([{
        "Config": path(&first.config),
        "RepoTags": names,
        "Layers": first.blobs.iter().map(path).collect::<Vec<_>>(),
    }])
}

/// The file that an output goes to; `-` is standard output.
///
/// # Errors
/// What making the file gave.
pub(super) fn destination(path: &Path) -> Result<File> {
    if path == Path::new("-") {
        let out = tty::standard_output().try_clone_to_owned();
        return Ok(out
            .map_err(|error| Error::io("open", "standard output", error))?
            .into());
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent)
            .map_err(|error| Error::io("make directory", parent, error))?;
    }
    Ok(File::create(path).map_err(|error| Error::io("make", path, error))?)
}

/// Writes a small file that others read: whole or not at all.
///
/// # Errors
/// What writing gave.
pub(super) fn note(path: &Path, text: &[u8]) -> Result<()> {
    Ok(file::write_atomic(path, text)?)
}
