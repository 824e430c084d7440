//! The digest of what is selected: names, types, modes, contents, link targets, attributes; no
//! times, no owners, and nothing of where it lies.
//!
//! A directory's digest is made of those of its names, so that processors can share the work and
//! no list of all files is ever held.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat};

use super::attributes::{self, Intended};
use super::crew::Crew;
use super::select::{Item, Selection};
use super::tree::{Filter, Level, Tree, Verdict, Wanted, join, kind, open_below, show, wanted};
use crate::build::context::index::{Index, Stamp};
use crate::common::{Digest, Error, Hasher, Result};
use crate::sys::node;

/// Bytes read from a file at once.
const CHUNK: usize = 128 << 10;

impl Selection<'_> {
    /// The digest of everything that is selected. `index` holds digests of files that have not
    /// changed since.
    ///
    /// # Errors
    /// What reading a file or directory gave.
    pub(crate) fn digest(&self, index: Option<&Index>) -> Result<Digest> {
        let walk = Walk {
            tree: self.tree,
            index,
            crew: Crew::default(),
        };
        let mut hasher = Hasher::default();
        for item in &self.items {
            self.item(&walk, item, &mut hasher)?;
        }
        if let Some(index) = index {
            index.save();
        }
        Ok(hasher.finish())
    }

    fn item(&self, walk: &Walk<'_>, item: &Item, hasher: &mut Hasher) -> Result<()> {
        let filter = self.filter(item);
        let directory = node::is_dir(&item.facts);
        let Some(level) = filter.top(&item.path, directory) else {
            return Ok(());
        };
        if directory {
            let dir = self.tree.open_dir(&item.path)?;
            hasher.update(b"contents");
            let found = walk.directory(dir.as_fd(), &level, &filter)?;
            hasher.update(found.unwrap_or(Digest::of(b"")).bytes());
            return Ok(());
        }
        let (upper, name) = split(&item.path);
        let dir = self.tree.open_dir(upper)?;
        let name = std::ffi::OsStr::from_bytes(name);
        let mut buffer = Vec::new();
        let found = walk.object(dir.as_fd(), name, &item.facts, upper, &mut buffer)?;
        line(hasher, &item.name, &found);
        Ok(())
    }
}

/// The directory and the last part of a path.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// What is known of one name.
struct Known {
    kind: SFlag,
    mode: u32,
    content: [u8; 32],
}

fn known(kind: SFlag, mode: u32, digest: &Digest) -> Known {
    Known {
        kind,
        mode: mode & 0o7777,
        content: *digest.bytes(),
    }
}

fn line(hasher: &mut Hasher, name: &[u8], known: &Known) {
    let mut head = [0; 16];
    head[..8].copy_from_slice(&(name.len() as u64).to_le_bytes());
    head[8..12].copy_from_slice(&known.kind.bits().to_le_bytes());
    head[12..].copy_from_slice(&known.mode.to_le_bytes());
    hasher.update(&head);
    hasher.update(name);
    hasher.update(&known.content);
}

struct Walk<'a> {
    tree: &'a Tree,
    index: Option<&'a Index>,
    crew: Crew,
}

/// What one thread found in a directory.
#[derive(Default)]
struct Part {
    buffer: Vec<u8>,
    /// By the place of the name.
    found: Vec<(usize, Known)>,
}

impl Walk<'_> {
    /// The digest of what is wanted in a directory; `None` when nothing is there.
    fn directory(
        &self,
        dir: BorrowedFd<'_>,
        level: &Level,
        filter: &Filter<'_>,
    ) -> Result<Option<Digest>> {
        let names = wanted(dir, level, filter)?;
        let mut own = Part::default();
        let others = self
            .crew
            .share(names.len(), &mut own, Part::default, |part, at| {
                let found = self.name(dir, &names[at], level, filter, &mut part.buffer)?;
                part.found.extend(found.map(|known| (at, known)));
                Ok(())
            })?;
        let mut found = own.found;
        found.extend(others.into_iter().flat_map(|part| part.found));
        found.sort_unstable_by_key(|(at, _)| *at);
        let mut hasher = Hasher::default();
        for (at, known) in &found {
            line(&mut hasher, names[*at].name.as_bytes(), known);
        }
        Ok((!found.is_empty() || level.depth == 0).then(|| hasher.finish()))
    }

    fn name(
        &self,
        dir: BorrowedFd<'_>,
        name: &Wanted,
        level: &Level,
        filter: &Filter<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Known>> {
        let Some(own) = &name.level else {
            return self
                .object(dir, &name.name, &name.facts, &level.path, buffer)
                .map(Some);
        };
        let opened = open_below(dir, name, own)?;
        let found = self.directory(opened.as_fd(), own, filter)?;
        let content = match (found, name.verdict) {
            (None, Verdict::Look) => return Ok(None),
            (found, _) => found.unwrap_or(Digest::of(b"")),
        };
        let attributes = attributes::read(&opened, self.tree.owners);
        let mode = attributes.mode(&name.facts);
        let mut hasher = Hasher::default();
        hasher.update(content.bytes());
        attributes.hash(&mut hasher);
        Ok(Some(known(SFlag::S_IFDIR, mode, &hasher.finish())))
    }

    /// What is no directory.
    fn object(
        &self,
        dir: BorrowedFd<'_>,
        name: &std::ffi::OsStr,
        facts: &FileStat,
        upper: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<Known> {
        let failed = |what: &str, errno| Error::errno(what, show(&join(upper, name)), errno);
        match kind(facts) {
            SFlag::S_IFREG => self.file(dir, name, facts, upper, buffer),
            SFlag::S_IFLNK => {
                let target = readlinkat(dir, name).map_err(|errno| failed("read link", errno))?;
                let digest = Digest::of(target.as_bytes());
                Ok(known(SFlag::S_IFLNK, 0o777, &digest))
            }
            other => {
                let digest = Digest::of(&facts.st_rdev.to_le_bytes());
                Ok(known(other, facts.st_mode, &digest))
            }
        }
    }

    fn file(
        &self,
        dir: BorrowedFd<'_>,
        name: &std::ffi::OsStr,
        facts: &FileStat,
        upper: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<Known> {
        if let Some(digest) = self.index.and_then(|index| index.find(&Stamp::of(facts))) {
            return Ok(known(SFlag::S_IFREG, facts.st_mode, &digest));
        }
        let shown = || show(&join(upper, name));
        let flags = OFlag::O_RDONLY
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_NOCTTY
            | OFlag::O_CLOEXEC;
        let file = openat(dir, name, flags, Permissions::empty())
            .map_err(|errno| Error::errno("open", shown(), errno))?;
        let before = fstat(&file).map_err(|errno| Error::errno("stat", shown(), errno))?;
        if kind(&before) != SFlag::S_IFREG {
            return Err(Error::errno("open", shown(), Errno::ESTALE));
        }
        let file = File::from(file);
        let attributes = attributes::read(&file, self.tree.owners);
        let mut hasher = Hasher::default();
        buffer.resize(CHUNK, 0);
        let mut length: u64 = 0;
        loop {
            match (&file).read(buffer) {
                Ok(0) => break,
                Ok(count) => {
                    length += count as u64;
                    hasher.update(&buffer[..count]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", shown(), error)),
            }
        }
        hasher.update(&length.to_le_bytes());
        attributes.hash(&mut hasher);
        let digest = hasher.finish();
        if let Some(index) = self.index {
            let after = fstat(&file).map_err(|errno| Error::errno("stat", shown(), errno))?;
            index.add(&Stamp::of(&before), &Stamp::of(&after), &digest);
        }
        Ok(match attributes.intended {
            Some(Intended {
                kind, mode, device, ..
            }) if kind != SFlag::S_IFREG => known(kind, mode, &Digest::of(&device.to_le_bytes())),
            _ => known(SFlag::S_IFREG, attributes.mode(&before), &digest),
        })
    }
}
