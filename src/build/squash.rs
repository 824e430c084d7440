//! `--squash`: the layers of a build become one on top of its base image's.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use anyhow::Result;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode as Permissions;

use super::key::Key;
use super::layers::{Layer, Made};
use super::solve::Solver;
use crate::common::{Digest, Error};
use crate::engine::container::{in_step, seal};
use crate::store::CacheRecord;
use crate::sys::merge;
use crate::sys::path::Root;

impl Solver<'_> {
    /// Makes one layer of those that the target has beside its base image's.
    ///
    /// # Errors
    /// What merging them gave.
    pub(super) fn squash(&mut self) -> Result<()> {
        let target = self.graph.target;
        let state = self.state(target)?;
        let (below, above) = state.pieces.split_at(state.base_layers);
        if above.is_empty() {
            return Ok(());
        }
        let (below, above) = (below.to_vec(), above.to_vec());
        let mut key = Key::new("squash");
        key.add("parent", [state.key.hex()]);
        self.bring(&above)?;
        let (key, inputs) = key.finish();
        let record = match self.engine.store.build_cache().find(&key)? {
            Some(known)
                if known
                    .layer
                    .is_some_and(|l| self.engine.store.layers().has(&l.diff_id)) =>
            {
                known
            }
            _ => self.merge((key, inputs), &below, &above)?,
        };
        let made = Made {
            record,
            dirty: true,
            user: String::new(),
            owners: Vec::new(),
            away: false,
            sealed: None,
        };
        let piece = self.layers.push(Layer::Step(Box::new(made)));
        if self.layers.described(piece).is_err() {
            self.seal_now(piece, &below)?;
        }
        let created = self.layers.created(piece).map(|time| time.to_string());
        let state = self.state_mut(target)?;
        let lines = state.base_history;
        for line in state.image.history.iter_mut().skip(lines) {
            line.empty_layer = true;
        }
        state.pieces.truncate(state.base_layers);
        state.pieces.push(piece);
        state.note("squash".to_owned(), true);
        if let Some(line) = state.image.history.last_mut() {
            line.created = created;
        }
        Ok(())
    }

    fn merge(
        &mut self,
        (key, inputs): (Digest, Vec<(String, Digest)>),
        below: &[usize],
        above: &[usize],
    ) -> Result<CacheRecord> {
        let cache = self.engine.store.build_cache();
        let work = cache.begin()?;
        let ground = self.layers.ground(self.engine, below);
        // Base first.
        let mut paths: Vec<PathBuf> = self.layers.paths(self.engine, above);
        paths.reverse();
        let started = in_step(self.engine, &work, &ground, move |root: &Root| {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let open = |base, path: &std::path::Path| {
                openat(base, path, flags, Permissions::empty())
                    .map_err(|errno| Error::errno("open", path, errno))
            };
            let to: OwnedFd = open(root.as_fd(), std::path::Path::new("."))?;
            for path in &paths {
                let from = open(nix::fcntl::AT_FDCWD, path)?;
                use std::os::fd::AsFd;
                merge::copy_tree(from.as_fd(), to.as_fd())
                    .map_err(|errno| Error::errno("merge layer", path, errno))?;
            }
            Ok(())
        });
        let merged = started.and_then(|worker| worker.finish(self.engine));
        self.or_discard(merged, &work)?;
        let step = cache.keep(&work)?;
        let record = CacheRecord {
            text: "squash".to_owned(),
            inputs,
            step: Some(step),
            ..CacheRecord::new(key, self.now(), self.engine.mode)
        };
        cache.put(&record)?;
        Ok(record)
    }

    /// Seals a layer and waits for it.
    fn seal_now(&mut self, piece: usize, below: &[usize]) -> Result<()> {
        if let Some(unsealed) = self.layers.unsealed(self.engine, piece, below) {
            let sealed = seal(self.engine, unsealed)?.finish(self.engine)?;
            self.sealed(piece, sealed);
        }
        Ok(())
    }
}
