//! Where the files of an image lie: in a directory, or in an archive.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::archive::{Bundle, Piece};
use crate::common::{Error, Kind, Result};
use crate::store::Store;
use crate::sys::file;

/// Files by their names below the top. They are another's.
#[derive(Debug)]
pub(crate) enum Files {
    /// In a directory. Names from documents are never looked up in it, only those that ketch
    /// makes of digests.
    Folder(PathBuf),
    /// In an archive.
    Archive(Bundle),
}

/// One of the files, from its beginning.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file of a directory.
    Plain(File, u64),
    /// A part of an archive.
    Piece(Piece),
}

impl Files {
    /// Those of the archive that `source` holds. One that is compressed, or comes through a pipe,
    /// takes its decompressed size on the store's disk as long as it is read; that has no name, so
    /// that nothing is left of it whatever happens.
    ///
    /// # Errors
    /// `Corrupt` for what is no archive; what reading gave.
    pub(crate) fn archive(store: &Store, source: File) -> Result<Files> {
        let spool = || store.incoming()?.file();
        Ok(Files::Archive(Bundle::open(source, spool)?))
    }

    /// The file of that name; `None` when there is none.
    ///
    /// # Errors
    /// `Corrupt` for what is not a plain file; what opening gave.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Found>> {
        match self {
            Files::Folder(top) => match open(&top.join(name)) {
                Ok((file, length)) => Ok(Some(Found::Plain(file, length))),
                Err(error) if error.kind() == Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
            Files::Archive(bundle) => Ok(bundle.find(name)?.map(Found::Piece)),
        }
    }

    /// As [`find`](Files::find), for a file that has to be there.
    ///
    /// # Errors
    /// `NotFound` as well.
    pub(crate) fn get(&self, name: &str) -> Result<Found> {
        self.find(name)?.ok_or_else(|| {
            Error::new(Kind::NotFound, "find file", self.shown(name)).because("it is not there")
        })
    }

    /// A whole document of at most `limit` bytes; `None` when there is none of that name.
    ///
    /// # Errors
    /// `Corrupt` for a larger one; what reading gave.
    pub(crate) fn text(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let Some(mut found) = self.find(name)? else {
            return Ok(None);
        };
        if found.length() > limit as u64 {
            return Err(Error::new(Kind::Corrupt, "read", self.shown(name))
                .because(format!("larger than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        found
            .by_ref()
            .take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io("read", self.shown(name), error))?;
        Ok(Some(bytes))
    }

    /// A name as errors show it.
    pub(crate) fn shown(&self, name: &str) -> String {
        match self {
            Files::Folder(top) => top.join(name).display().to_string(),
            Files::Archive(_) => name.to_owned(),
        }
    }
}

impl Found {
    /// Its length in bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Found::Plain(_, length) => *length,
            Found::Piece(piece) => piece.length(),
        }
    }

    /// How it is compressed, where layers of images may be so, in the words of OCI's types.
    ///
    /// # Errors
    /// What reading gave.
    pub(crate) fn suffix(&self) -> io::Result<Option<&'static str>> {
        match self {
            Found::Plain(..) => Ok(None),
            Found::Piece(piece) => piece.suffix(),
        }
    }

    /// Its bytes from `offset` on, and no more than it had when it was found.
    ///
    /// # Errors
    /// What the system gave.
    pub(crate) fn from(self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Found::Plain(mut file, length) => {
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(file.take(length.saturating_sub(offset))))
            }
            Found::Piece(mut piece) => {
                piece.skip(offset);
                Ok(Box::new(piece))
            }
        }
    }
}

impl Read for Found {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Found::Plain(file, _) => file.read(buffer),
            Found::Piece(piece) => piece.read(buffer),
        }
    }
}

/// Opens a plain file; anything else could wait for ever.
fn open(path: &Path) -> Result<(File, u64)> {
    let failed = |error| Error::io("read", path, error);
    let facts = path.symlink_metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(
            Error::new(Kind::Corrupt, "read", path.display().to_string())
                .because("not a plain file"),
        );
    }
    let file = file::open_nofollow(path).map_err(failed)?;
    Ok((file, facts.len()))
}
