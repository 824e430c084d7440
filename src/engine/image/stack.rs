//! How an image's layers fit on each other.
//!
//! Layers are unpacked alone and shared by images, so a directory that a layer needs but does
//! not describe looks like nothing in particular there. In the image it looks like the nearest
//! layer below says; overlayfs would show the topmost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::common::{Digest, Mode};
use crate::store::{Folder, LayerInfo, Stack, Store};
use crate::sys::xattr;

/// Looks at unpacked layers, base first. A layer that has no record counts as one that names
/// everything it holds.
pub(crate) fn of(store: &Store, diff_ids: &[Digest]) -> Stack {
    let info = |diff_id| store.layers().info(diff_id).unwrap_or_default();
    let infos: Vec<LayerInfo> = diff_ids.iter().map(info).collect();
    let hidden = infos.iter().rposition(|info| info.opaque).unwrap_or(0);
    let shown = diff_ids.iter().zip(&infos).skip(hidden);
    let layers: Vec<Layer> = shown
        .rev()
        .map(|(diff_id, info)| Layer {
            diff_id: *diff_id,
            dir: store.layers().path(diff_id),
            unnamed: info.unnamed.iter().map(String::as_str).collect(),
        })
        .collect();
    let pile = Pile {
        layers,
        opaque: match store.mode() {
            Mode::Root => b"trusted.overlay.opaque",
            Mode::Subid | Mode::Single => b"user.overlay.opaque",
        },
    };
    Stack {
        hidden,
        folders: pile.folders(),
    }
}

struct Layer<'a> {
    diff_id: Digest,
    dir: PathBuf,
    unnamed: BTreeSet<&'a str>,
}

/// Layers, topmost first.
struct Pile<'a> {
    layers: Vec<Layer<'a>>,
    opaque: &'static [u8],
}

/// What one layer has at a path.
#[derive(PartialEq, Eq)]
enum There {
    Nothing,
    Folder { opaque: bool },
    Other,
}

impl Pile<'_> {
    fn folders(&self) -> Vec<Folder> {
        // The last layer has nothing below it that could say more.
        let above = &self.layers[..self.layers.len().saturating_sub(1)];
        let unnamed: BTreeSet<&str> = above
            .iter()
            .flat_map(|layer| layer.unnamed.iter().copied())
            .collect();
        let mut wanted: BTreeSet<&Path> = BTreeSet::from([Path::new("")]);
        for path in unnamed {
            let (shown, named) = self.find(Path::new(path));
            if named.is_some() && named != shown {
                // What is made for a path has its parents, which must look right too.
                wanted.extend(Path::new(path).ancestors());
            }
        }
        let folder = |path: &Path| {
            let (shown, named) = self.find(path);
            // A root that nobody names is like any directory of that kind.
            let shown = shown.filter(|_| !path.as_os_str().is_empty());
            let at = named.or(shown)?;
            Some(Folder {
                path: path.to_str()?.to_owned(),
                from: self.layers[at].diff_id,
            })
        };
        wanted.into_iter().filter_map(folder).collect()
    }

    /// The layer whose directory overlayfs shows at `path`, and the first that names it.
    fn find(&self, path: &Path) -> (Option<usize>, Option<usize>) {
        let mut shown = None;
        for (at, layer) in self.layers.iter().enumerate() {
            let there = self.look(layer, path);
            if there == There::Other {
                break;
            }
            if matches!(there, There::Folder { .. }) {
                shown = shown.or(Some(at));
                if !path
                    .to_str()
                    .is_some_and(|path| layer.unnamed.contains(path))
                {
                    return (shown, Some(at));
                }
            }
            if there == (There::Folder { opaque: true }) {
                break;
            }
        }
        (shown, None)
    }

    fn look(&self, layer: &Layer<'_>, path: &Path) -> There {
        let mut at = layer.dir.clone();
        let mut opaque = false;
        for part in path.components() {
            at.push(part);
            match std::fs::symlink_metadata(&at) {
                Ok(facts) if facts.is_dir() => {}
                Ok(_) => return There::Other,
                Err(_) if opaque => return There::Other,
                Err(_) => return There::Nothing,
            }
            opaque |= matches!(xattr::lget(&at, self.opaque), Ok(Some(value)) if value == b"y");
        }
        There::Folder { opaque }
    }
}
