//! Files from elsewhere: web servers and git repositories.
//!
//! What is fetched lies in `build/downloads/` by its digest and is copied from there like files of
//! a context; while it is there, a server that says it is still the same sends it once.

mod git;
mod http;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode as Permissions;

use super::context::ignore::Ignore;
use super::copy::{Options, Tree};
use super::secret::Logins;
use super::step::copy::{From, Origin};
use crate::common::{Digest, Error, Hasher};
use crate::dockerfile::Add;
use crate::engine::Engine;
use crate::sys::path::Root;

pub(super) use git::{Reference, checkout};

/// What was fetched.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    /// Digest of what it is: it decides the key.
    pub(super) digest: Digest,
    /// The files.
    pub(super) files: From,
}

/// Whether a source is on another machine.
pub(super) fn is_remote(source: &str) -> bool {
    is_web(source) || Reference::parse(source).is_some()
}

fn is_web(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

/// Fetches a source of `ADD`; `checksum` is expanded already.
///
/// # Errors
/// `Network` for what servers do wrong, `Corrupt` for another content than `--checksum` says.
pub(super) fn add(
    engine: &Engine<'_>,
    logins: Logins<'_>,
    add: &Add,
    source: &str,
    checksum: Option<&str>,
) -> Result<Fetched> {
    if let Some(reference) = Reference::parse(source) {
        let keep = add.keep_git_dir.unwrap_or(false);
        let found = checkout(engine, logins, &reference, keep, checksum)?;
        let mut hasher = Hasher::default();
        for text in [&found.commit, &reference.subdir, &keep.to_string()] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let sources = vec![format!("/{}", reference.subdir)];
        return Ok(Fetched {
            digest: hasher.finish(),
            files: from(&found.path, sources, false)?,
        });
    }
    let found = http::download(engine, logins, source, checksum)?;
    let mut hasher = Hasher::default();
    hasher.update(found.name.as_bytes());
    hasher.update(found.digest.bytes());
    Ok(Fetched {
        digest: hasher.finish(),
        files: from(
            &found.folder,
            vec![escaped(&found.name)],
            add.unpack == Some(true),
        )?,
    })
}

/// A name that no wildcard is seen in.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for char in name.chars() {
        if "*?[]\\".contains(char) {
            text.push('\\');
        }
        text.push(char);
    }
    text
}

fn from(folder: &Path, sources: Vec<String>, unpack: bool) -> Result<From> {
    let tree = Tree::context(Root::open(folder)?, Ignore::default());
    Ok(From {
        origin: Origin::Open(Rc::new(tree), None),
        sources,
        options: Options::default(),
        unpack,
        digest: None,
    })
}

/// Directory of what is fetched.
fn folder(engine: &Engine<'_>) -> Result<PathBuf> {
    Ok(engine.store.build_cache().folder("downloads")?)
}

/// Sets mode and, if known, the modification time of a file that was fetched.
fn settle(path: &Path, modified: Option<i64>) -> Result<()> {
    let failed = |errno| Error::errno("describe", path, errno);
    let file = openat(
        AT_FDCWD,
        path,
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Permissions::empty(),
    )
    .map_err(failed)?;
    let mode = Permissions::S_IRUSR | Permissions::S_IWUSR;
    nix::sys::stat::fchmod(&file, mode).map_err(failed)?;
    if let Some(seconds) = modified {
        let time = nix::sys::time::TimeSpec::new(seconds, 0);
        nix::sys::stat::futimens(&file, &time, &time).map_err(failed)?;
    }
    Ok(())
}

/// Has an empty directory filled and puts it where it belongs; another who was first is as good.
/// What a killed build leaves of it is swept.
fn stage<T>(
    engine: &Engine<'_>,
    fill: impl FnOnce(&Path) -> Result<T>,
    target: impl FnOnce(&T) -> PathBuf,
) -> Result<T> {
    let cache = engine.store.build_cache();
    let work = cache.begin()?;
    let staged = work.dir.upper();
    let done = fill(&staged).and_then(|made| {
        let target = target(&made);
        match std::fs::rename(&staged, &target) {
            Ok(()) => Ok(made),
            Err(_) if target.is_dir() => Ok(made),
            Err(error) => Err(Error::io("rename", target, error).into()),
        }
    });
    cache.discard(work.id.as_str())?;
    done
}
