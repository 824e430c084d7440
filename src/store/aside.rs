//! What builds keep beside their results: files of other machines, indexes of contexts, the
//! directories of cache mounts. Nothing names it; a build that misses it makes it again.

use std::fs::File;
use std::path::PathBuf;

use super::build::BuildCache;
use super::trash::throw;
use crate::common::{Digest, Error, Result, Timestamp};
use crate::sys::{file, tree};

/// One such thing.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    /// Names it, as the key does a result.
    pub(crate) key: Digest,
    /// What it is, in BuildKit's words.
    pub(crate) kind: &'static str,
    /// Its name in its folder.
    pub(crate) name: String,
    /// Last use.
    pub(crate) used: Timestamp,
    /// Bytes of its files.
    pub(crate) size: u64,
    path: PathBuf,
}

impl BuildCache<'_> {
    /// All of them, unsorted.
    pub(crate) fn asides(&self) -> Result<Vec<Aside>> {
        let mut found = Vec::new();
        for folder in ["downloads", "index", "mounts"] {
            let dir = self.dir().join(folder);
            for name in file::names(&dir)? {
                let path = dir.join(&name);
                let Ok(facts) = path.symlink_metadata() else {
                    continue;
                };
                let name = name.to_string_lossy().into_owned();
                found.push(Aside {
                    key: Digest::of(format!("{folder}/{name}").as_bytes()),
                    kind: kind(folder, &name),
                    used: facts.modified().map_or(Timestamp(0), Timestamp::from),
                    size: match facts.is_dir() {
                        true => tree::usage(&path)?.size,
                        false => facts.len(),
                    },
                    name,
                    path,
                });
            }
        }
        Ok(found)
    }

    /// Removes one of them. The caller has [`idle`](BuildCache::idle)'s lock.
    pub(crate) fn remove_aside(&self, aside: &Aside) -> Result<()> {
        match aside.path.is_dir() {
            true => throw(&self.store.root, &aside.path).map(drop),
            false => file::remove_file(&aside.path),
        }
    }

    /// Keeps builds from beginning while it lives; `None` while one is at work, which may use
    /// what nothing names.
    pub(crate) fn idle(&self) -> Result<Option<File>> {
        let path = self.dir().join("lock");
        if !self.dir().is_dir() {
            return Ok(None);
        }
        file::open_or_create(&path).map_err(|error| Error::io("open", &path, error))?;
        file::try_lock_path(&path)
    }
}

fn kind(folder: &str, name: &str) -> &'static str {
    match folder {
        "index" => "source.local",
        "mounts" => "exec.cachemount",
        _ if name.starts_with("git-") => "source.git.checkout",
        _ => "source.http",
    }
}
