//! Image records: one small JSON file per name, and one per image that lost its names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Store, read_json, write_json};
use crate::common::{Digest, Error, Kind, Result, Timestamp};
use crate::oci::Descriptor;
use crate::sys::file;

/// The images of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Images<'a> {
    pub(super) store: &'a Store,
}

/// One name of an image, or one image without a name, and all that a start needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageRecord {
    /// Canonical name ("docker.io/library/debian:bookworm", or with "@sha256:…"); `None` when
    /// the image lost its names (docker's dangling image).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Digest of the single-platform manifest.
    pub(crate) manifest: Digest,
    /// Media type of the manifest.
    pub(crate) media_type: String,
    /// Length of the manifest in bytes.
    pub(crate) manifest_size: u64,
    /// Digest of the configuration: the image id.
    pub(crate) config: Digest,
    /// `os/architecture[/variant]`.
    pub(crate) platform: String,
    /// Diff-ids, base first: names of unpacked layers.
    pub(crate) layers: Vec<Digest>,
    /// Digests of the compressed layers, base first.
    pub(crate) blobs: Vec<Digest>,
    /// Sum of the unpacked layers in bytes.
    pub(crate) size: u64,
    /// When the image was made, as its configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Timestamp>,
    /// When the record was written.
    pub(crate) pulled: Timestamp,
    /// Digest of the index it was chosen from; kept as a blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<Digest>,
    /// Repositories with digest it is known by ("docker.io/library/debian@sha256:…").
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) repo_digests: Vec<String>,
    /// Labels of the configuration, for filters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// How its layers lie on each other.
    #[serde(default, skip_serializing_if = "Stack::is_plain")]
    pub(crate) stack: Stack,
}

impl ImageRecord {
    /// Its manifest, as the entry of an index.
    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor {
            platform: self.platform.parse().ok(),
            ..Descriptor::new(&*self.media_type, self.manifest, self.manifest_size)
        }
    }
}

/// What a stack of layers needs beside their order, since each was unpacked without a look at
/// the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stack {
    /// Layers at the base that a later one hides as a whole.
    #[serde(default)]
    pub(crate) hidden: usize,
    /// Directories, parents first, whose owner, mode, times and attributes are not those that
    /// the topmost layer with such a directory has on disk.
    #[serde(default)]
    pub(crate) folders: Vec<Folder>,
}

/// A directory and the layer that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folder {
    /// Path below the root; empty for the root.
    pub(crate) path: String,
    /// Diff-id of the layer that says what it looks like.
    pub(crate) from: Digest,
}

impl Stack {
    /// Nothing but the order counts.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Stack::default()
    }
}

/// A record with the moment it was last used, or why it could not be read.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The record.
    pub(crate) record: ImageRecord,
    /// Last run or pull.
    #[cfg_attr(not(test), expect(dead_code, reason = "for collection by age"))]
    pub(crate) last_used: Timestamp,
}

/// What taking a name away did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untagged {
    /// The record that was removed.
    pub(crate) record: ImageRecord,
    /// Whether another record still names the same image.
    pub(crate) others: bool,
}

impl Images<'_> {
    pub(super) fn dir(&self) -> PathBuf {
        self.store.path("images")
    }

    /// Where the record of a canonical name lies: hashed, because a name may be longer than a
    /// file name and has slashes.
    pub(super) fn name_path(&self, name: &str) -> PathBuf {
        self.dir()
            .join(format!("n-{}.json", Digest::of(name.as_bytes()).hex()))
    }

    fn dangling_path(&self, manifest: &Digest) -> PathBuf {
        self.dir().join(format!("m-{}.json", manifest.hex()))
    }

    pub(super) fn record_path(&self, record: &ImageRecord) -> PathBuf {
        match &record.name {
            Some(name) => self.name_path(name),
            None => self.dangling_path(&record.manifest),
        }
    }

    /// The image of a canonical name: one open, one read.
    ///
    /// # Errors
    /// `Corrupt` when the record cannot be read.
    pub(crate) fn get(&self, name: &str) -> Result<Option<ImageRecord>> {
        let path = self.name_path(name);
        match read_json::<ImageRecord>(&path) {
            Ok(record) if record.name.as_deref() == Some(name) => Ok(Some(record)),
            Ok(_) => Err(super::corrupt(&path, format!("it does not name {name}"))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds images by id: the configuration's or manifest's digest, whole (`sha256:…` or 64 hex
    /// characters) or as a prefix of at least one hex character. All records of the one image
    /// found; none when nothing matches.
    ///
    /// # Errors
    /// `Conflict` when the prefix fits more than one image.
    pub(crate) fn by_id(&self, id: &str) -> Result<Vec<ImageRecord>> {
        let prefix = id.strip_prefix("sha256:").unwrap_or(id);
        let hex = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(hex) {
            return Ok(Vec::new());
        }
        let fits = |digest: &Digest| digest.hex().starts_with(prefix);
        let records = self.records()?;
        let mut found: Vec<ImageRecord> = records
            .iter()
            .filter(|record| fits(&record.config))
            .cloned()
            .collect();
        if found.is_empty() {
            // A digest of a manifest or index names an image too, but only unambiguously whole.
            found = records
                .into_iter()
                .filter(|record| fits(&record.manifest) || record.index.as_ref().is_some_and(fits))
                .collect();
        }
        let first = found.first().map(|record| record.config);
        if found.iter().any(|record| Some(record.config) != first) {
            return Err(Error::new(Kind::Conflict, "find image", id)
                .because("more than one image id begins with this".to_owned())
                .hint("give more characters of the id"));
        }
        Ok(found)
    }

    /// Writes a record: the moment the image begins to exist. Everything it points to must be in
    /// the store. An image that loses this name and has no other becomes dangling; one that gets
    /// a name is dangling no more.
    pub(crate) fn put(&self, record: &ImageRecord) -> Result<()> {
        let _store = self.store.lock_shared()?;
        let _images = self.lock()?;
        self.begin_change()?;
        if let Some(name) = &record.name {
            // An unreadable old record must not keep the name from being set again.
            let old = self.get(name).ok().flatten();
            if let Some(old) = old.filter(|old| old.manifest != record.manifest) {
                self.keep_dangling(old)?;
            }
        }
        write_json(&self.record_path(record), record)?;
        if record.name.is_some() {
            file::remove_file(&self.dangling_path(&record.manifest))?;
        }
        self.write_index()
    }

    /// Gives `old` a record without a name unless another record holds it.
    fn keep_dangling(&self, old: ImageRecord) -> Result<()> {
        let held = self
            .records()?
            .iter()
            .any(|other| other.manifest == old.manifest && other.name != old.name);
        if held {
            return Ok(());
        }
        let dangling = ImageRecord { name: None, ..old };
        write_json(&self.record_path(&dangling), &dangling)
    }

    /// Takes one name (or one dangling image) away. Blobs and layers stay until a collection.
    /// `None` when it was gone already.
    pub(crate) fn remove(&self, record: &ImageRecord) -> Result<Option<Untagged>> {
        let _store = self.store.lock_shared()?;
        let _images = self.lock()?;
        let path = self.record_path(record);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        self.begin_change()?;
        file::remove_file(&path)?;
        let others = self
            .records()?
            .iter()
            .any(|other| other.config == record.config);
        self.write_index()?;
        Ok(Some(Untagged {
            record: record.clone(),
            others,
        }))
    }

    /// All readable records, unsorted. Unreadable ones are left out: `list` reports them.
    pub(crate) fn records(&self) -> Result<Vec<ImageRecord>> {
        let listed = self.list()?;
        Ok(listed.into_iter().flatten().map(|l| l.record).collect())
    }

    /// All records with their last use; an unreadable one is an error entry of its own.
    pub(crate) fn list(&self) -> Result<Vec<Result<Listed>>> {
        let mut found = Vec::new();
        for name in file::names(&self.dir())? {
            if !name.to_str().is_some_and(|name| name.ends_with(".json")) {
                continue;
            }
            match self.read(self.dir().join(name)) {
                // Removed since the directory was read.
                Err(error) if error.kind() == Kind::NotFound => {}
                listed => found.push(listed),
            }
        }
        Ok(found)
    }

    pub(super) fn read(&self, path: PathBuf) -> Result<Listed> {
        let record: ImageRecord = read_json(&path)?;
        if self.record_path(&record) != path {
            return Err(super::corrupt(&path, "it belongs to another name"));
        }
        let modified = path
            .symlink_metadata()
            .and_then(|found| found.modified())
            .map_err(|error| Error::io("stat", &path, error))?;
        Ok(Listed {
            record,
            last_used: Timestamp::from(modified),
        })
    }

    /// Notes that the image was used now: sets the record's modification time, writes nothing.
    /// Failing is harmless (a read-only store), so nothing is returned.
    pub(crate) fn touch(&self, record: &ImageRecord) {
        let _ = file::touch(&self.record_path(record));
    }

    /// `images/.lock`: held while records and index.json change together.
    pub(super) fn lock(&self) -> Result<Option<std::fs::File>> {
        super::lock::take(&self.dir().join(".lock"), file::Sharing::Exclusive)
    }
}
