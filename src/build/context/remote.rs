//! Contexts that are no directory of this machine: an archive or a Dockerfile from standard input
//! or a web server, a git repository.
//!
//! What comes from elsewhere is hostile: it is unpacked without following a link, and its
//! Dockerfile is opened by the resolver.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as Permissions;

use super::super::request::Request;
use super::super::secret::Logins;
use super::super::source::{self, Reference};
use crate::archive::{self, PlaceOptions, PlacedOwner, Spot};
use crate::common::{Error, Kind};
use crate::dockerfile::MAX_DOCKERFILE;
use crate::engine::Engine;
use crate::store::StepWork;
use crate::sys::path::{Links, Root};

/// Bytes by which an archive is told from a text.
const START: u64 = 64 << 10;

/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// Where a context comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `-`: an archive or a Dockerfile.
    Input,
    /// An address of a file or of a repository.
    Address(String),
}

impl Place {
    /// What a command line means, when it is no directory.
    pub(crate) fn of(text: &str) -> Option<Place> {
        match text {
            "-" => Some(Place::Input),
            text if source::is_remote(text) => Some(Place::Address(text.to_owned())),
            _ => None,
        }
    }
}

/// A context as a directory, while this lives.
#[derive(Debug)]
pub(crate) struct Fetched<'a> {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// What came was the Dockerfile alone.
    pub(crate) dockerfile: Option<Vec<u8>>,
    _staged: Option<Staged<'a>>,
}

/// A directory that is thrown away at the end.
struct Staged<'a> {
    engine: &'a Engine<'a>,
    work: StepWork,
}

impl std::fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("work", &self.work).finish()
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // What is left is swept by the next build.
        let cache = self.engine.store.build_cache();
        let _ = cache.discard(self.work.id.as_str());
    }
}

/// Fetches a context. With `keep`, a repository keeps its `.git`.
///
/// # Errors
/// `Network` for servers, `Corrupt` for bad archives, `NotFound` for a directory that a repository
/// does not have.
pub(in crate::build) fn fetch<'a>(
    engine: &'a Engine<'a>,
    logins: Logins<'_>,
    place: &Place,
    keep: bool,
) -> Result<Fetched<'a>> {
    match place {
        Place::Input => unpack(engine, std::io::stdin().lock(), "-"),
        Place::Address(address) => match Reference::parse(address) {
            Some(reference) => repository(engine, logins, &reference, keep),
            None => {
                let body = crate::engine::image::import::open_address(
                    engine,
                    address,
                    logins.web(address)?.as_ref(),
                )?;
                unpack(engine, body, address)
            }
        },
    }
}

fn repository<'a>(
    engine: &'a Engine<'a>,
    logins: Logins<'_>,
    reference: &Reference,
    keep: bool,
) -> Result<Fetched<'a>> {
    let found = source::checkout(engine, logins, reference, keep, None)?;
    let below = Path::new(&reference.subdir);
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
    // A link of the repository could lead anywhere.
    Root::open(&found.path)?
        .lookup(below, flags, Links::Refuse)
        .map_err(|errno| Error::errno("find directory of repository", below, errno))?;
    Ok(Fetched {
        directory: found.path.join(below),
        dockerfile: None,
        _staged: None,
    })
}

/// A stream that is an archive, else a Dockerfile.
fn unpack<'a>(engine: &'a Engine<'a>, mut input: impl Read, name: &str) -> Result<Fetched<'a>> {
    let work = engine.store.build_cache().begin()?;
    let directory = work.dir.upper();
    let staged = Some(Staged { engine, work });
    let mut start = Vec::new();
    let failed = |error| Error::io("read context", name, error);
    (&mut input)
        .take(START)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if !archive::is_archive(&start[..]) {
        (&mut input)
            .take(MAX_DOCKERFILE as u64 + 1)
            .read_to_end(&mut start)
            .map_err(failed)?;
        if start.is_empty() {
            return Err(Error::usage("read context", name, "nothing came").into());
        }
        return Ok(Fetched {
            directory,
            dockerfile: Some(start),
            _staged: staged,
        });
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let dir: OwnedFd = nix::fcntl::open(&directory, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open", &directory, errno))?;
    let options = PlaceOptions {
        mode: engine.mode,
        owner: PlacedOwner::Process,
        overwrite: true,
        rename: None,
    };
    let whole = Cursor::new(start).chain(input);
    let tar = archive::decompress(whole).map_err(failed)?;
    let spot = Spot { dir, within: None };
    archive::place(BufReader::with_capacity(BUFFER, tar), spot, &options)?;
    Ok(Fetched {
        directory,
        dockerfile: None,
        _staged: staged,
    })
}

/// The request of a build as one of the directory that was fetched.
///
/// # Errors
/// `NotFound` when there is no Dockerfile.
pub(crate) fn localize(request: &Request, fetched: &Fetched<'_>) -> Result<Request> {
    let mut local = Request {
        context: fetched.directory.clone(),
        remote: None,
        ..request.clone()
    };
    if local.dockerfile_text.is_some() {
        return Ok(local);
    }
    if fetched.dockerfile.is_some() {
        local.dockerfile_text.clone_from(&fetched.dockerfile);
        return Ok(local);
    }
    let given = request.dockerfile.clone().into_iter();
    let usual = ["Dockerfile", "Containerfile"].map(PathBuf::from);
    let names: Vec<PathBuf> = match request.dockerfile {
        Some(_) => given.collect(),
        None => usual.into(),
    };
    let root = Root::open(&fetched.directory)?;
    for name in &names {
        match root.open_regular(name, OFlag::O_RDONLY) {
            Ok((file, _)) => {
                let mut text = Vec::new();
                File::from(file)
                    .take(MAX_DOCKERFILE as u64 + 1)
                    .read_to_end(&mut text)
                    .map_err(|error| Error::io("read Dockerfile", name, error))?;
                local.dockerfile_text = Some(text);
                local.dockerfile = Some(name.clone());
                return Ok(local);
            }
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let shown = names[0].display().to_string();
    Err(Error::new(Kind::NotFound, "read Dockerfile", shown)
        .because("no such file in the context")
        .hint("-f names another file")
        .into())
}
