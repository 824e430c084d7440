//! `index.json`: makes the store an OCI image layout that skopeo and umoci read.
//!
//! It is derived from the image records, which are the truth, and written whole after each
//! change under `images/.lock`. A mark stands from before the change until the index is written,
//! so that the next command knows what one that was killed in between left undone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::image::{ImageRecord, Images};
use super::write_json;
use crate::common::{Error, Result};
use crate::oci::{Descriptor, Index};
use crate::sys::file;

/// The index of a store without images.
pub(super) const EMPTY: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

impl Images<'_> {
    /// Marks the index as stale; called under the lock, before a record changes.
    pub(super) fn begin_change(&self) -> Result<()> {
        let mark = self.mark();
        file::open_or_create(&mark)
            .map(drop)
            .map_err(|error| Error::io("make", mark, error))
    }

    pub(super) fn write_index(&self) -> Result<()> {
        write_json(&self.store.path("index.json"), &self.index()?)?;
        file::remove_file(&self.mark())
    }

    /// Finishes what a killed command began.
    pub(super) fn settle_index(&self) -> Result<()> {
        if self.mark().symlink_metadata().is_ok() {
            self.rewrite_index()
        } else {
            Ok(())
        }
    }

    fn mark(&self) -> PathBuf {
        self.dir().join(".changing")
    }

    /// Writes index.json after records changed outside `put` and `remove`.
    pub(super) fn rewrite_index(&self) -> Result<()> {
        let _store = self.store.lock_shared()?;
        let _images = self.lock()?;
        self.write_index()
    }

    /// What index.json must hold for the records there are.
    pub(super) fn index(&self) -> Result<Index> {
        let mut records = self.records()?;
        records.sort_by(|a, b| (&a.name, a.manifest).cmp(&(&b.name, b.manifest)));
        Ok(Index::of(records.iter().map(entry).collect()))
    }
}

fn entry(record: &ImageRecord) -> Descriptor {
    let mut entry = record.descriptor();
    entry.annotations = record
        .name
        .as_ref()
        .map(|name| BTreeMap::from([(Descriptor::REF_NAME.to_owned(), name.clone())]));
    entry
}
