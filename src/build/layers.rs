//! The layers of a build: those of base images and those that its steps made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::state::Piece;
use crate::common::{Digest, Error, Kind, Timestamp};
use crate::engine::Engine;
use crate::engine::container::{Ground, Unsealed};
use crate::engine::image::stack;
use crate::oci::Descriptor;
use crate::store::CacheRecord;

/// One layer.
#[derive(Debug)]
pub(super) enum Layer {
    /// Of an image: unpacked, with a blob.
    Image {
        /// Its digest.
        diff_id: Digest,
        /// Its blob.
        blob: Box<Descriptor>,
    },
    /// Of a step: what the cache knows of it.
    Step(Box<Made>),
}

/// The layer of a step.
#[derive(Debug)]
pub(super) struct Made {
    /// Its record in the cache.
    pub(super) record: CacheRecord,
    /// The record says less than is known.
    pub(super) dirty: bool,
    /// Whom the step ran as.
    pub(super) user: String,
    /// Intended owners of what cannot carry them itself.
    pub(super) owners: Vec<(PathBuf, String)>,
    /// It is in an imported cache, and not here.
    pub(super) away: bool,
    /// What its blob was measured as, when this build made it.
    pub(super) sealed: Option<crate::engine::container::Sealed>,
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Layers {
    all: Vec<Layer>,
}

impl Layers {
    /// Adds one.
    pub(super) fn push(&mut self, layer: Layer) -> Piece {
        self.all.push(layer);
        self.all.len() - 1
    }

    /// One of them.
    pub(super) fn get(&self, piece: Piece) -> &Layer {
        &self.all[piece]
    }

    /// A step's, to be changed.
    pub(super) fn made_mut(&mut self, piece: Piece) -> Option<&mut Made> {
        match &mut self.all[piece] {
            Layer::Step(made) => Some(made),
            Layer::Image { .. } => None,
        }
    }

    /// Numbers of the steps' layers.
    pub(super) fn steps(&self) -> Vec<Piece> {
        let step = |piece: &Piece| matches!(self.all[*piece], Layer::Step(_));
        (0..self.all.len()).filter(step).collect()
    }

    /// Those that are only in another's cache.
    pub(super) fn away(&self, pieces: &[Piece]) -> Vec<Piece> {
        let away = |piece: &&Piece| matches!(&self.all[**piece], Layer::Step(made) if made.away);
        pieces.iter().filter(away).copied().collect()
    }

    /// Digest of a layer that is among the store's unpacked ones.
    fn settled(&self, piece: Piece) -> Option<Digest> {
        match &self.all[piece] {
            Layer::Image { diff_id, .. } => Some(*diff_id),
            Layer::Step(made) if made.record.step.is_none() => {
                made.record.layer.map(|layer| layer.diff_id)
            }
            Layer::Step(_) => None,
        }
    }

    /// Where a layer's files are, below the directory of unpacked layers where they are there.
    fn place(&self, engine: &Engine<'_>, piece: Piece) -> PathBuf {
        match (&self.all[piece], self.settled(piece)) {
            (_, Some(diff_id)) => PathBuf::from(diff_id.hex()),
            (Layer::Step(made), None) => {
                let step = made.record.step.as_deref().unwrap_or_default();
                engine.store.build_cache().result(step)
            }
            (Layer::Image { diff_id, .. }, None) => PathBuf::from(diff_id.hex()),
        }
    }

    /// Whole paths of layers, topmost first.
    pub(super) fn paths(&self, engine: &Engine<'_>, pieces: &[Piece]) -> Vec<PathBuf> {
        let dir = engine.store.layers().dir();
        let pieces = pieces.iter().rev();
        pieces
            .map(|piece| dir.join(self.place(engine, *piece)))
            .collect()
    }

    /// Layers as what a step stands on.
    pub(super) fn ground(&self, engine: &Engine<'_>, pieces: &[Piece]) -> Ground {
        let settled: Vec<Digest> = pieces
            .iter()
            .map_while(|piece| self.settled(*piece))
            .collect();
        let stack = stack::of(&engine.store, &settled);
        let mut ground = Ground::default();
        for piece in pieces.iter().skip(stack.hidden).rev() {
            let place = self.place(engine, *piece);
            // The same layer twice changes nothing, and overlay refuses it.
            if !ground.layers.contains(&place) {
                ground.layers.push(place);
            }
        }
        let above = self.paths(engine, &pieces[settled.len()..]);
        let folders = stack.folders.into_iter().filter(|folder| {
            let shown = |layer: &PathBuf| layer.join(&folder.path).symlink_metadata().is_ok();
            !above.iter().any(shown)
        });
        ground.folders = folders
            .map(|folder| {
                let path = PathBuf::from(folder.path);
                let source = Path::new(&folder.from.hex()).join(&path);
                (path, source)
            })
            .collect();
        if let Some(top) = above.first() {
            ground.folders.insert(0, (PathBuf::new(), top.clone()));
        }
        ground
    }

    /// Intended owners of what cannot carry them, by path, for mode `single`.
    pub(super) fn owners(
        &self,
        engine: &Engine<'_>,
        pieces: &[Piece],
    ) -> Result<BTreeMap<PathBuf, String>> {
        let mut found = BTreeMap::new();
        for diff_id in pieces.iter().filter_map(|piece| self.settled(*piece)) {
            found.extend(engine.store.layers().owners(&diff_id)?);
        }
        Ok(found)
    }

    /// A step's layer as it is sealed; `below` is what it lies on.
    pub(super) fn unsealed(
        &self,
        engine: &Engine<'_>,
        piece: Piece,
        below: &[Piece],
    ) -> Option<Unsealed> {
        let Layer::Step(made) = &self.all[piece] else {
            return None;
        };
        let step = made.record.step.as_deref()?;
        Some(Unsealed {
            upper: engine.store.build_cache().result(step),
            lowers: self.paths(engine, below),
            layers: below
                .iter()
                .filter_map(|piece| self.settled(*piece))
                .collect(),
            owners: made.owners.clone(),
            user: made.user.clone(),
        })
    }

    /// Digest and blob of a layer for an image's documents.
    ///
    /// # Errors
    /// `Bug` for one whose digest is not known.
    pub(super) fn described(&self, piece: Piece) -> Result<(Digest, Descriptor)> {
        match &self.all[piece] {
            Layer::Image { diff_id, blob } => Ok((*diff_id, (**blob).clone())),
            Layer::Step(made) => {
                let layer = made.record.layer.ok_or_else(|| {
                    Error::new(Kind::Bug, "describe layer of", &made.record.text)
                        .because("nobody has sealed it")
                })?;
                let media_type = format!("{}+gzip", crate::oci::MediaType::OCI_LAYER);
                let blob = Descriptor::new(media_type, layer.blob, layer.blob_size);
                Ok((layer.diff_id, blob))
            }
        }
    }

    /// When a layer was made; `None` for an image's.
    pub(super) fn created(&self, piece: Piece) -> Option<Timestamp> {
        match &self.all[piece] {
            Layer::Image { .. } => None,
            Layer::Step(made) => Some(made.record.created),
        }
    }
}
