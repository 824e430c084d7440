//! The two sides of a copy: picking what to send, and finding where it goes.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::SFlag;
use serde::{Deserialize, Serialize};

use super::path::{Cleaned, Named, find};
use crate::archive::{PackOptions, Packer, PlaceOptions, PlacedOwner, Spot, decompress, place};
use crate::common::{Error, Kind, Mode};
use crate::sys::node;
use crate::sys::path::{Links, Root};

/// Bytes read from the pipe at once.
const BUFFER: usize = 256 << 10;

/// What comes before the archive in the pipe.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The object is a directory.
    directory: bool,
    /// First component of all paths in the archive; empty for the contents of a directory.
    base: Vec<u8>,
    /// The archive is the user's own, perhaps compressed.
    foreign: bool,
}

impl Header {
    /// Of a stream that the user brought.
    pub(super) fn foreign() -> Header {
        Header {
            directory: true,
            base: Vec::new(),
            foreign: true,
        }
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        out.write_all(&(text.len() as u32).to_le_bytes())?;
        out.write_all(&text)
    }

    pub(super) fn read(input: &mut impl Read) -> Result<Header> {
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        let mut text = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// Where a path is, for the words of errors.
#[derive(Debug, Clone)]
pub(super) enum Side {
    /// This machine.
    Host,
    /// A container, as the user names it.
    Container(String),
}

impl Side {
    fn show(&self, path: &Path) -> String {
        match self {
            Side::Host => path.display().to_string(),
            Side::Container(name) => format!("{name}:{}", path.display()),
        }
    }

    /// docker's words for what is not there.
    fn missing(&self, operation: &str, path: &Path) -> anyhow::Error {
        let why = match self {
            Side::Host => format!("lstat {}: no such file or directory", path.display()),
            Side::Container(name) => {
                format!(
                    "Could not find the file {} in container {name}",
                    path.display()
                )
            }
        };
        Error::new(Kind::NotFound, operation, self.show(path))
            .because(why)
            .into()
    }

    fn failed(&self, operation: &str, path: &Path, errno: Errno) -> anyhow::Error {
        match errno {
            Errno::ENOENT => self.missing(operation, path),
            Errno::ENOTDIR => Error::usage(operation, self.show(path), "not a directory").into(),
            _ => Error::errno(operation, self.show(path), errno).into(),
        }
    }
}

/// Writes what `path` names to `out`, header first. `follow`: a last link is followed.
pub(super) fn send(
    root: &Root,
    side: &Side,
    path: &Cleaned,
    follow: bool,
    options: &PackOptions<'_>,
    out: &mut impl Write,
) -> Result<()> {
    let failed = |errno| side.failed("copy from", &path.path, errno);
    let base = match path.contents {
        true => Vec::new(),
        false => path.base().to_vec(),
    };
    let mut object: Option<(OwnedFd, OsString)> = None;
    let mut folder: Option<OwnedFd> = None;
    if path.directory || path.contents {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        folder = Some(
            root.lookup(&path.path, flags, Links::Follow)
                .map_err(failed)?,
        );
    } else {
        match find(root, &path.path, follow).map_err(failed)? {
            Named::Dir(found) => folder = Some(found),
            Named::Entry { facts: None, .. } => return Err(failed(Errno::ENOENT)),
            Named::Entry { parent, name, .. } => object = Some((parent, name)),
        }
    }
    let header = Header {
        directory: folder.is_some(),
        base: base.clone(),
        foreign: false,
    };
    header
        .write(out)
        .map_err(|error| Error::io("write archive", "", error))?;
    let mut packer = Packer::new(out, options);
    if let Some(folder) = folder {
        packer.tree(&folder, &base, true)?;
    } else if let Some((parent, name)) = object {
        packer.object(parent.as_fd(), &name, &base)?;
    }
    packer.finish()?;
    Ok(())
}

/// How to receive.
#[derive(Debug, Clone)]
pub(super) struct Receiving {
    /// Where `to` is.
    pub(super) side: Side,
    /// The destination.
    pub(super) to: Cleaned,
    /// Which owners and types can be made there.
    pub(super) mode: Mode,
    /// Whose all becomes; a foreign archive says it itself.
    pub(super) owner: PlacedOwner,
    /// A directory may replace a file, and the other way round.
    pub(super) overwrite: bool,
}

/// Reads a header and an archive from the pipe and puts it where docker would. Returns docker's
/// length of it.
pub(super) fn receive(root: &Root, pipe: OwnedFd, how: &Receiving) -> Result<u64> {
    let mut pipe = File::from(pipe);
    let header = Header::read(&mut pipe)?;
    let Aim { dir, base, rename } = aim(root, how, &header)?;
    let within = match how.side {
        Side::Host => None,
        Side::Container(_) => Some((root, base)),
    };
    let options = PlaceOptions {
        mode: how.mode,
        owner: match (how.owner, header.foreign) {
            (PlacedOwner::Fixed(..), true) => PlacedOwner::Entry,
            (owner, _) => owner,
        },
        overwrite: how.overwrite,
        rename,
    };
    let spot = Spot { dir, within };
    let placed = match header.foreign {
        true => {
            let tar = decompress(pipe).map_err(|error| Error::io("read archive", "", error))?;
            place(BufReader::with_capacity(BUFFER, tar), spot, &options)
        }
        false => place(BufReader::with_capacity(BUFFER, pipe), spot, &options),
    };
    Ok(placed?)
}

/// A directory to put an archive into, its path in the tree, and a new name for its top.
struct Aim {
    dir: OwnedFd,
    base: PathBuf,
    rename: Option<(Vec<u8>, Vec<u8>)>,
}

/// docker's rules (moby, pkg/archive, `PrepareArchiveCopy`).
fn aim(root: &Root, how: &Receiving, header: &Header) -> Result<Aim> {
    let (side, to) = (&how.side, &how.to);
    let refuse = |why: &str| Error::usage("copy to", side.show(&to.path), why);
    let named = find(root, &to.path, true).map_err(|errno| match (errno, side) {
        (Errno::ENOENT, Side::Host) => {
            let parent = to.path.parent().unwrap_or(&to.path).display();
            let why = format!("invalid output path: directory \"{parent}\" does not exist");
            Error::new(Kind::NotFound, "copy to", side.show(&to.path))
                .because(why)
                .into()
        }
        (errno, _) => side.failed("copy to", &to.path, errno),
    })?;
    let (parent, upper, name, facts) = match named {
        Named::Dir(dir) => {
            return Ok(Aim {
                dir,
                base: to.path.clone(),
                rename: None,
            });
        }
        Named::Entry {
            parent,
            upper,
            name,
            facts,
        } => (parent, upper, name, facts),
    };
    if header.foreign {
        let why = format!(
            "destination \"{}\" must be a directory",
            side.show(&to.path)
        );
        return Err(refuse(&why).into());
    }
    let device = |facts: &nix::sys::stat::FileStat| {
        let kind = SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits());
        matches!(kind, SFlag::S_IFCHR | SFlag::S_IFBLK)
    };
    let overwrites = how.overwrite && header.directory && !to.directory;
    match facts {
        Some(facts) if device(&facts) => {
            let why = format!(
                "destination \"{}\" must be a directory or a regular file: got a device",
                side.show(&to.path)
            );
            return Err(refuse(&why).into());
        }
        Some(_) if header.directory && !overwrites => {
            return Err(refuse("cannot copy directory").into());
        }
        Some(facts) if to.directory && !node::is_dir(&facts) => {
            return Err(refuse("not a directory").into());
        }
        None if to.directory && !header.directory => {
            return Err(refuse("no such directory").into());
        }
        _ => {}
    }
    let to_name = std::os::unix::ffi::OsStringExt::into_vec(name);
    Ok(Aim {
        dir: parent,
        base: upper,
        rename: Some((header.base.clone(), to_name)),
    })
}
