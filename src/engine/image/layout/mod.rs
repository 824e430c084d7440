//! An image as files: OCI's image layout (image-spec, image-layout.md) and its relatives, read and
//! written, in a directory or an archive.
//!
//! What is read is another's: documents are bounded and checked against their digests, and only a
//! digest ever becomes a path.

mod files;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::common::{Digest, Error, Kind, Result};
use crate::oci::{Descriptor, Index, MAX_DOCUMENT};

pub(crate) use files::{Files, Found};
pub(crate) use write::{Archive, Folder, Sink, blob, list, text};

/// Names a document of a layout: by its digest, else by its tag, else the only one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Directory of the layout.
    pub(crate) path: PathBuf,
    /// Its tag.
    pub(crate) tag: Option<String>,
    /// Its digest.
    pub(crate) digest: Option<Digest>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)?;
        match (&self.digest, &self.tag) {
            (Some(digest), _) => write!(f, "@{digest}"),
            (None, Some(tag)) => write!(f, ":{tag}"),
            (None, None) => Ok(()),
        }
    }
}

/// A layout.
#[derive(Debug)]
pub(crate) struct Layout {
    files: Files,
    /// Where a blob lies.
    place: fn(&Digest) -> String,
}

impl Layout {
    /// The layout in the directory `path`, which need not be there yet.
    pub(crate) fn at(path: &Path) -> Layout {
        Layout::of(Files::Folder(path.to_owned()))
    }

    /// The layout of these files.
    pub(crate) fn of(files: Files) -> Layout {
        let place = blob;
        Layout { files, place }
    }

    /// The same files as those of a `dir:`, where blobs lie beside the manifest.
    pub(crate) fn flat(self) -> Layout {
        Layout {
            place: Digest::hex,
            ..self
        }
    }

    /// The files it consists of.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The entry of that digest, else of that tag, else the only one.
    ///
    /// # Errors
    /// `NotFound` when it is not there, `Corrupt` for a bad index.
    pub(crate) fn find(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor> {
        let shown = || self.files.shown("");
        let index = self.index()?.ok_or_else(|| {
            Error::new(Kind::NotFound, "read image layout", shown()).because("it has no index.json")
        })?;
        let only = index.manifests.len() == 1;
        let fits = |entry: &&Descriptor| match (digest, tag) {
            (Some(digest), _) => entry.digest == *digest,
            (None, Some(tag)) => name(entry) == Some(tag),
            (None, None) => only || name(entry) == Some("latest"),
        };
        let found = index.manifests.iter().rev().find(fits).cloned();
        found.ok_or_else(|| {
            let wanted = match (digest, tag) {
                (Some(digest), _) => digest.to_string(),
                (None, tag) => tag.unwrap_or("latest").to_owned(),
            };
            Error::new(Kind::NotFound, "find in image layout", wanted)
                .because(format!("{} does not list it", shown()))
        })
    }

    /// A whole document of at most `limit` bytes, which has its digest.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` for other bytes.
    pub(crate) fn read(&self, digest: &Digest, limit: usize) -> Result<Vec<u8>> {
        let name = (self.place)(digest);
        let bytes = self.files.text(&name, limit)?;
        let bytes = bytes.ok_or_else(|| self.missing(digest))?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(Error::new(Kind::Corrupt, "verify", digest.to_string())
                .because(format!("{} has other content", self.files.shown(&name)))),
        }
    }

    /// A blob from `offset` on; the reader checks its digest.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        let found = self.find_blob(&blob.digest)?;
        let found = found.ok_or_else(|| self.missing(&blob.digest))?;
        let read = found.from(offset);
        read.map_err(|error| Error::io("read", blob.digest.to_string(), error))
    }

    /// A blob, whose digest the reader checks.
    ///
    /// # Errors
    /// What looking gave.
    pub(crate) fn find_blob(&self, digest: &Digest) -> Result<Option<Found>> {
        self.files.find(&(self.place)(digest))
    }

    /// The length of a blob in bytes.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn blob_length(&self, digest: &Digest) -> Result<u64> {
        let found = self.find_blob(digest)?;
        let found = found.ok_or_else(|| self.missing(digest))?;
        Ok(found.length())
    }

    fn missing(&self, digest: &Digest) -> Error {
        let name = self.files.shown(&(self.place)(digest));
        Error::new(Kind::NotFound, "read", name).because("it is not there")
    }

    /// Its list of documents; `None` where it has none.
    ///
    /// # Errors
    /// `Corrupt` for what is no index.
    pub(crate) fn index(&self) -> Result<Option<Index>> {
        let Some(bytes) = self.files.text("index.json", MAX_DOCUMENT)? else {
            return Ok(None);
        };
        let index = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(Kind::Corrupt, "read", self.files.shown("index.json")).because(error)
        })?;
        Ok(Some(index))
    }
}

/// Lists a document in the directory `path`, whose blobs are all there, in the place of what the
/// tag meant before.
///
/// # Errors
/// What reading and writing gave.
pub(crate) fn set(path: &Path, tag: &str, mut entry: Descriptor) -> Result<()> {
    let index = Layout::at(path).index()?;
    let mut index = index.unwrap_or_else(|| Index::of(Vec::new()));
    index.manifests.retain(|entry| name(entry) != Some(tag));
    let notes = [(Descriptor::REF_NAME.to_owned(), tag.to_owned())];
    entry.annotations = Some(BTreeMap::from(notes));
    index.manifests.push(entry);
    list(&mut Folder::at(path), &index)
}

fn name(entry: &Descriptor) -> Option<&str> {
    let annotations = entry.annotations.as_ref()?;
    annotations.get(Descriptor::REF_NAME).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::MediaType;

    #[test]
    fn a_tag_is_replaced_and_only_true_blobs_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        let layout = Layout::at(&path);
        assert_eq!(layout.find(None, None).unwrap_err().kind(), Kind::NotFound);
        let put = |bytes: &[u8], tag: &str| {
            let digest = Digest::of(bytes);
            text(&mut Folder::at(&path), &blob(&digest), bytes).unwrap();
            let entry = Descriptor::new(MediaType::OCI_MANIFEST, digest, bytes.len() as u64);
            set(&path, tag, entry).unwrap();
            digest
        };
        let one = put(b"one", "a");
        assert_eq!(layout.find(None, None).unwrap().digest, one);
        let two = put(b"two", "b");
        let three = put(b"three", "a");
        assert_eq!(layout.find(Some("a"), None).unwrap().digest, three);
        assert_eq!(layout.find(None, Some(&two)).unwrap().digest, two);
        assert!(layout.find(None, Some(&one)).is_err());
        assert!(layout.find(None, None).is_err());
        assert_eq!(layout.read(&two, 10).unwrap(), b"two");
        assert!(layout.read(&two, 2).is_err());
        let file = path.join(blob(&two));
        std::fs::write(&file, b"2").unwrap();
        assert_eq!(layout.read(&two, 10).unwrap_err().kind(), Kind::Corrupt);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
        let error = layout.read(&two, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
    }

    #[test]
    fn the_same_files_are_the_same_archive_and_short_ones_are_refused() {
        let archive = || {
            let mut bytes = Vec::new();
            let mut archive = Archive::new(&mut bytes);
            text(&mut archive, "a/b", b"content").unwrap();
            list(&mut archive, &Index::of(Vec::new())).unwrap();
            archive.finish().unwrap();
            bytes
        };
        assert_eq!(archive(), archive());
        let dir = tempfile::tempdir().unwrap();
        for sink in [
            &mut Archive::new(Vec::new()) as &mut dyn Sink,
            &mut Folder::at(dir.path()),
        ] {
            let error = sink.put("x", 3, &mut &b"12"[..]).unwrap_err();
            assert!(error.to_string().contains("ended 1 bytes"), "{error}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
