//! A directory in OCI's image layout (image-spec, image-layout.md), read and written.
//!
//! What is read is another's: documents are bounded and checked against their digests, and only a
//! digest ever becomes a path.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::common::{Digest, Error, Kind, Result};
use crate::oci::{Descriptor, Index, MAX_DOCUMENT};
use crate::sys::file;

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
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    path: PathBuf,
}

impl Layout {
    /// The layout in the directory `path`, which need not be there yet.
    pub(crate) fn at(path: &Path) -> Layout {
        Layout {
            path: path.to_owned(),
        }
    }

    /// The entry of that digest, else of that tag, else the only one.
    ///
    /// # Errors
    /// `NotFound` when it is not there, `Corrupt` for a bad index.
    pub(crate) fn find(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor> {
        let shown = || self.path.display().to_string();
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
        let path = self.blob(digest);
        let bytes = file::read_open(&open(&path)?, &path, limit)?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(Error::new(Kind::Corrupt, "verify", digest.to_string())
                .because(format!("{} has other content", path.display()))),
        }
    }

    /// A blob from `offset` on; the reader checks its digest.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        let path = self.blob(&blob.digest);
        let mut file = open(&path)?;
        file.seek(SeekFrom::Start(offset))
            .map_err(|error| Error::io("read", &path, error))?;
        Ok(Box::new(file.take(blob.size.saturating_sub(offset))))
    }

    /// Writes a blob, unless one of that length is there.
    ///
    /// # Errors
    /// What writing gave.
    pub(crate) fn put(&self, digest: &Digest, size: u64, data: &mut dyn Read) -> Result<()> {
        let path = self.blob(digest);
        if path
            .symlink_metadata()
            .is_ok_and(|facts| facts.is_file() && facts.len() == size)
        {
            return Ok(());
        }
        write(&path, data)
    }

    /// Lists a document whose blobs are all there, in the place of what the tag meant before.
    ///
    /// # Errors
    /// What writing gave.
    pub(crate) fn set(&self, tag: &str, mut entry: Descriptor) -> Result<()> {
        let mut index = self.index()?.unwrap_or_else(|| Index::of(Vec::new()));
        index.manifests.retain(|entry| name(entry) != Some(tag));
        entry.annotations = Some(BTreeMap::from([(
            Descriptor::REF_NAME.to_owned(),
            tag.to_owned(),
        )]));
        index.manifests.push(entry);
        let failed =
            |error: serde_json::Error| Error::new(Kind::Bug, "write", "index.json").because(error);
        let text = serde_json::to_vec(&index).map_err(failed)?;
        let version = br#"{"imageLayoutVersion":"1.0.0"}"#;
        write(&self.path.join("oci-layout"), &mut version.as_slice())?;
        write(&self.path.join("index.json"), &mut text.as_slice())
    }

    fn index(&self) -> Result<Option<Index>> {
        let path = self.path.join("index.json");
        let bytes = match file::read_bounded(&path, MAX_DOCUMENT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let index = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(Kind::Corrupt, "read", path.display().to_string()).because(error)
        })?;
        Ok(Some(index))
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.path.join("blobs/sha256").join(digest.hex())
    }
}

fn name(entry: &Descriptor) -> Option<&str> {
    let annotations = entry.annotations.as_ref()?;
    annotations.get(Descriptor::REF_NAME).map(String::as_str)
}

/// Opens a plain file; anything else could wait for ever.
fn open(path: &Path) -> Result<File> {
    let facts = path
        .symlink_metadata()
        .map_err(|error| Error::io("read", path, error))?;
    if !facts.is_file() {
        return Err(
            Error::new(Kind::Corrupt, "read", path.display().to_string())
                .because("not a plain file"),
        );
    }
    file::open_nofollow(path).map_err(|error| Error::io("read", path, error))
}

/// Writes a file that others may read: whole or not at all.
fn write(path: &Path, data: &mut dyn Read) -> Result<()> {
    let failed = |error: io::Error| Error::io("write", path, error);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let temporary = path.with_file_name(file::random_name(".tmp-")?);
    let written = file::create_new(&temporary).and_then(|mut out| {
        io::copy(data, &mut out)?;
        out.set_permissions(Permissions::from_mode(0o644))?;
        std::fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::MediaType;

    #[test]
    fn a_tag_is_replaced_and_only_true_blobs_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(&dir.path().join("new"));
        assert_eq!(layout.find(None, None).unwrap_err().kind(), Kind::NotFound);
        let put = |text: &[u8], tag: &str| {
            let digest = Digest::of(text);
            let size = text.len() as u64;
            layout.put(&digest, size, &mut &text[..]).unwrap();
            layout
                .set(tag, Descriptor::new(MediaType::OCI_MANIFEST, digest, size))
                .unwrap();
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
        std::fs::write(layout.blob(&two), b"2").unwrap();
        assert_eq!(layout.read(&two, 10).unwrap_err().kind(), Kind::Corrupt);
        std::fs::remove_file(layout.blob(&two)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", layout.blob(&two)).unwrap();
        assert_eq!(
            layout.read(&two, 1 << 20).unwrap_err().kind(),
            Kind::Corrupt
        );
    }
}
