//! The files of images on their way out: into an archive, or a directory.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::common::{Digest, Error, Kind, Result};
use crate::sys::file;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// What `oci-layout` must hold.
const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Takes files, each whole and under a name below the top.
pub(crate) trait Sink {
    /// Takes one of `length` bytes.
    ///
    /// # Errors
    /// What reading and writing gave; data that ends before its length is an error.
    fn put(&mut self, name: &str, length: u64, data: &mut dyn Read) -> Result<()>;
}

/// A small file.
pub(crate) fn text(sink: &mut dyn Sink, name: &str, bytes: &[u8]) -> Result<()> {
    sink.put(name, bytes.len() as u64, &mut &bytes[..])
}

/// The files that make a layout of what was written before them.
pub(crate) fn list(sink: &mut dyn Sink, index: &impl serde::Serialize) -> Result<()> {
    let failed =
        |error: serde_json::Error| Error::new(Kind::Bug, "write", "index.json").because(error);
    let index = serde_json::to_vec(index).map_err(failed)?;
    text(sink, "index.json", &index)?;
    text(sink, "oci-layout", VERSION)
}

/// Where a blob lies in a layout.
pub(crate) fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// A tar archive. The same files in the same order give the same bytes.
pub(crate) struct Archive<W: Write> {
    tar: tar::Builder<BufWriter<W>>,
    /// Directories that it has.
    folders: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    /// Begins an archive.
    pub(crate) fn new(out: W) -> Archive<W> {
        Archive {
            tar: tar::Builder::new(BufWriter::with_capacity(BUFFER, out)),
            folders: BTreeSet::new(),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// What writing gave.
    pub(crate) fn finish(self) -> Result<()> {
        let ended = self.tar.into_inner().and_then(|mut out| out.flush());
        ended.map_err(|error| Error::io("write", "the archive", error))
    }

    /// The directories above a name. skopeo makes those that have no entry for root, which it
    /// may not where it is an ordinary user's.
    fn folders_above(&mut self, name: &str) -> io::Result<()> {
        for (at, _) in name.match_indices('/') {
            let folder = &name[..=at];
            if self.folders.insert(folder.to_owned()) {
                let mut header = header(tar::EntryType::Directory, 0o755, 0);
                self.tar.append_data(&mut header, folder, io::empty())?;
            }
        }
        Ok(())
    }
}

fn header(kind: tar::EntryType, mode: u32, length: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(length);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

impl<W: Write> Sink for Archive<W> {
    fn put(&mut self, name: &str, length: u64, data: &mut dyn Read) -> Result<()> {
        let mut header = header(tar::EntryType::Regular, 0o644, length);
        let mut data = data.take(length);
        self.folders_above(name)
            .and_then(|()| self.tar.append_data(&mut header, name, &mut data))
            .and_then(|()| whole(data.limit()))
            .map_err(|error| Error::io("write", name, error))
    }
}

/// A directory. A file appears when it is whole.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The directory `path`, which need not be there yet.
    pub(crate) fn at(path: &Path) -> Folder {
        Folder(path.to_owned())
    }
}

impl Sink for Folder {
    fn put(&mut self, name: &str, length: u64, data: &mut dyn Read) -> Result<()> {
        let path = self.0.join(name);
        let known = path.symlink_metadata();
        if name.starts_with("blobs/")
            && known.is_ok_and(|facts| facts.is_file() && facts.len() == length)
        {
            return Ok(());
        }
        let failed = |error| Error::io("write", &path, error);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let temporary = path.with_file_name(file::random_name(".tmp-")?);
        let mut data = data.take(length);
        let written = file::create_new(&temporary).and_then(|mut out| {
            io::copy(&mut data, &mut out)?;
            whole(data.limit())?;
            // Others may read it.
            out.set_permissions(Permissions::from_mode(0o644))?;
            std::fs::rename(&temporary, &path)
        });
        written.map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            failed(error)
        })
    }
}

/// Refuses data that ended before its length.
fn whole(left: u64) -> io::Result<()> {
    match left {
        0 => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("its data ended {left} bytes before its end"),
        )),
    }
}
