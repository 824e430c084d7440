//! Results of others: found by their keys, fetched when somebody needs their files.

use anyhow::Result;

use super::advance::usable;
use super::cache::Gone;
use super::layers::Layer;
use super::solve::Solver;
use super::stage::Step;
use super::state::Piece;
use super::step;
use crate::store::CacheRecord;

impl Solver<'_> {
    /// What a step came to, here or in the cache of another, and whether its files are away.
    pub(super) fn known(&self, index: usize, step: &Step) -> Result<Option<(CacheRecord, bool)>> {
        let cache = self.engine.store.build_cache();
        let own = match cache.find(&step.key.0)? {
            Some(record) => usable(self.engine, record)?,
            None => None,
        };
        if let Some(record) = own {
            cache.touch(&record.key);
            return Ok(Some((record, false)));
        }
        let Some(mut record) = self.imported.find(&step.key.0) else {
            return Ok(None);
        };
        record.text = self.stages[index].shown(self.file, self.graph.needed.len());
        record.inputs.clone_from(&step.key.1);
        let store = &self.engine.store;
        let here = match record.layer {
            Some(layer) => store.layers().has(&layer.diff_id) && store.blobs().has(&layer.blob),
            None => record.nothing,
        };
        if here {
            cache.put(&record)?;
        }
        Ok(Some((record, !here)))
    }

    /// Fetches what is only in the cache of another; whether there was such a thing.
    ///
    /// # Errors
    /// `Gone` when it cannot be had.
    pub(super) fn bring(&mut self, pieces: &[Piece]) -> Result<bool> {
        let away = self.layers.away(pieces);
        let mut wanted = Vec::new();
        for piece in &away {
            if let Layer::Step(made) = self.layers.get(*piece) {
                wanted.push((made.record.key, made.record.layer));
            }
        }
        if wanted.is_empty() {
            return Ok(false);
        }
        self.imported.fetch(&wanted)?;
        for piece in away {
            if let Some(made) = self.layers.made_mut(piece) {
                made.away = false;
                self.engine.store.build_cache().put(&made.record)?;
            }
        }
        Ok(true)
    }

    /// Makes the target one image of this store: all its layers are here.
    pub(super) fn complete(&mut self) -> Result<()> {
        if self.request.squash {
            self.squash()?;
        }
        let target = self.graph.target;
        let pieces = self.state(target)?.pieces.clone();
        self.bring(&pieces).map(drop)
    }

    /// Lets what is at work come to its end, and be found by a build that begins anew.
    pub(super) fn finish_jobs(&mut self) -> Result<()> {
        while self.jobs.steps() + self.jobs.seals() > 0 {
            for end in self.jobs.wait(self.engine, self.progress)? {
                match self.ended(end) {
                    Err(error) if !error.is::<Gone>() => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Whether the layers of a stage become blobs: the target's do, and all where a cache is to
    /// have them.
    pub(super) fn keeps_layers(&self, stage: usize) -> bool {
        let wanted = self.request.makes_image() || !self.request.cache_to.is_empty();
        wanted && self.graph.exported.contains(&stage)
            || self.request.cache_to.iter().any(|to| to.max)
    }

    /// Whether a directory is there for sure. That it is there is a result as well: another
    /// machine then need not fetch the layers to look.
    pub(super) fn is_directory(
        &mut self,
        step: &Step,
        pieces: &[Piece],
        path: &str,
    ) -> Result<bool> {
        let key = step.key.0;
        if !self.layers.away(pieces).is_empty() {
            let known = self.imported.find(&key).filter(|record| record.nothing);
            let is_known = known.is_some();
            self.nothings.extend(known);
            return Ok(is_known);
        }
        if !step::workdir::is_there(self.engine, &self.layers, pieces, path) {
            return Ok(false);
        }
        if !self.request.cache_to.is_empty() {
            self.nothings.push(CacheRecord {
                text: step.command.clone(),
                nothing: true,
                ..CacheRecord::new(key, self.now(), self.engine.mode)
            });
        }
        Ok(true)
    }
}
