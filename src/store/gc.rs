//! Collection: mark from the image and container records, sweep what nothing names.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::lock::oldest_pin;
use super::trash::{Purged, throw};
use super::{Store, layer};
use crate::common::{Digest, Result};
use crate::oci::{Document, MAX_DOCUMENT};
use crate::sys::file;

/// What a collection removed.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Blobs removed.
    pub(crate) blobs: Vec<Digest>,
    /// Layers removed, of every mode.
    pub(crate) layers: Vec<Digest>,
    /// Bytes given back, as far as known without walking trees.
    pub(crate) bytes: u64,
    /// What still lies in the trash.
    pub(crate) purged: Purged,
}

/// What the records name.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) blobs: HashSet<Digest>,
    pub(super) layers: HashSet<Digest>,
    /// Some record could not be read: what it named is unknown, so nothing may be removed.
    pub(super) blind: bool,
}

impl Store {
    /// Removes every blob and layer that no image and no container names and no live process is
    /// about to name, then empties the trash. Does nothing but sweep when a record is unreadable:
    /// what it named cannot be known.
    pub(crate) fn collect(&self) -> Result<Collected> {
        let mut collected = Collected::default();
        {
            let _lock = self.lock_exclusive()?;
            self.containers().sweep()?;
            self.build_cache().sweep()?;
            self.sweep_records()?;
            let marked = self.mark()?;
            if !marked.blind {
                let pin = oldest_pin(&self.path("tmp"))?;
                let mut marked = marked;
                if !self.keeps_blobs() {
                    self.unmark_compressed(&mut marked)?;
                }
                self.collect_blobs(&marked, pin, &mut collected)?;
                self.collect_layers(&marked, pin, &mut collected)?;
            }
        }
        // Deleting can take long: the lock is free again.
        collected.purged = self.sweep()?;
        Ok(collected)
    }

    /// Everything the records name.
    pub(super) fn mark(&self) -> Result<Marked> {
        let mut marked = Marked::default();
        for listed in self.images().list()? {
            let Ok(listed) = listed else {
                marked.blind = true;
                continue;
            };
            let record = listed.record;
            marked.blobs.extend([record.manifest, record.config]);
            if let Some(index) = record.index {
                marked.blobs.insert(index);
                self.mark_listed(&index, &mut marked);
            }
            marked.blobs.extend(&record.blobs);
            marked.layers.extend(&record.layers);
        }
        for entry in self.containers().list()? {
            let Ok(entry) = entry else {
                marked.blind = true;
                continue;
            };
            marked.blobs.extend(entry.record.manifest);
            marked.blobs.extend(entry.record.config);
            marked.layers.extend(&entry.record.layers);
            marked.layers.extend(&entry.record.mounted);
        }
        // One that cannot be read is a miss for the next build, whatever it named.
        for (record, _) in self.build_cache().list()? {
            marked.blobs.extend(record.layer.map(|layer| layer.blob));
            marked
                .layers
                .extend(record.layer.map(|layer| layer.diff_id));
        }
        Ok(marked)
    }

    /// What an index lists and is here: the name stands for its other platforms as well.
    fn mark_listed(&self, index: &Digest, marked: &mut Marked) {
        let read = |digest: &Digest| {
            let bytes = self.blobs().read(digest, MAX_DOCUMENT).ok()?;
            Document::parse(&bytes, "").ok()
        };
        let Some(Document::Index(index)) = read(index) else {
            return;
        };
        for entry in &index.manifests {
            if let Some(Document::Manifest(manifest)) = read(&entry.digest) {
                marked.blobs.extend([entry.digest, manifest.config.digest]);
                let layers = manifest.layers.iter();
                marked.blobs.extend(layers.map(|layer| layer.digest));
            }
        }
    }

    /// Lets go of compressed layers that are unpacked: with `KeepBlobs::Never`, and with `Auto`
    /// when the disk is nearly full. A push then has to compress them again.
    fn unmark_compressed(&self, marked: &mut Marked) -> Result<()> {
        for record in self.images().records()? {
            for (layer, blob) in record.layers.iter().zip(&record.blobs) {
                if self.layers().has(layer) {
                    marked.blobs.remove(blob);
                }
            }
        }
        Ok(())
    }

    fn collect_blobs(
        &self,
        marked: &Marked,
        pin: Option<(i64, i64)>,
        collected: &mut Collected,
    ) -> Result<()> {
        for digest in self.blob_digests()? {
            let path = self.blobs().path(&digest);
            if marked.blobs.contains(&digest) || is_young(&path, pin) {
                continue;
            }
            collected.bytes += path
                .symlink_metadata()
                .map_or(0, |found| found.blocks() * 512);
            file::remove_file(&path)?;
            collected.blobs.push(digest);
        }
        Ok(())
    }

    fn collect_layers(
        &self,
        marked: &Marked,
        pin: Option<(i64, i64)>,
        collected: &mut Collected,
    ) -> Result<()> {
        for mode in file::names(&self.path("layers"))? {
            let dir = self.path("layers").join(mode);
            for name in file::names(&dir)? {
                let path = dir.join(&name);
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                let Some(digest) = stem.and_then(Digest::from_hex) else {
                    continue;
                };
                let info = layer::info_path(&path);
                if marked.layers.contains(&digest) || is_young(&info, pin) {
                    continue;
                }
                if path.extension().is_some() {
                    // A side file whose layer was never published; those of a published layer
                    // go with it.
                    if !path.with_extension("").exists() {
                        file::remove_file(&path)?;
                    }
                    continue;
                }
                let known: Option<layer::LayerInfo> = super::read_json(&info).ok();
                collected.bytes += known.map_or(0, |known| known.disk.unwrap_or(known.size));
                throw(&self.root, &path)?;
                file::remove_file(&info)?;
                file::remove_file(&layer::owners_path(&path))?;
                collected.layers.push(digest);
            }
        }
        Ok(())
    }

    /// Temporary names that a crash left beside the records.
    fn sweep_records(&self) -> Result<()> {
        for dir in [self.root.clone(), self.path("images")] {
            for name in file::names(&dir)? {
                if name.to_str().is_some_and(|name| name.starts_with(".tmp-")) {
                    file::remove_file(&dir.join(name))?;
                }
            }
        }
        Ok(())
    }

    /// Digests of all blobs, unsorted.
    pub(super) fn blob_digests(&self) -> Result<Vec<Digest>> {
        let names = file::names(&self.path("blobs/sha256"))?;
        Ok(names
            .iter()
            .filter_map(|name| Digest::from_hex(name.to_str()?))
            .collect())
    }
}

/// Whether a file was added or reused since the oldest live pin. A file that cannot be looked
/// at is young: better kept than lost.
fn is_young(path: &Path, pin: Option<(i64, i64)>) -> bool {
    let Some(pin) = pin else {
        return false;
    };
    match path.symlink_metadata() {
        Ok(found) => (found.mtime(), found.mtime_nsec()) >= pin,
        Err(_) => true,
    }
}
