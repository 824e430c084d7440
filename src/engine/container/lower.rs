//! The layers below a writable one, as overlayfs would show them, without mounting anything.
//!
//! They are immutable, so that paths can be looked up by name; a link on the way is an end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::common::Mode;
use crate::engine::Engine;
use crate::sys::xattr;

/// Layers, topmost first.
#[derive(Debug)]
pub(super) struct Lower {
    layers: Vec<PathBuf>,
    family: &'static str,
}

/// What one layer says of a path.
enum There {
    /// Nothing: ask the next.
    Nothing,
    /// That nothing is there.
    Gone,
    /// An object; `opaque` when it hides the same directory below.
    Object { facts: Box<Metadata>, opaque: bool },
}

impl Lower {
    pub(super) fn new(engine: &Engine<'_>, layers: impl Iterator<Item = PathBuf>) -> Lower {
        Lower {
            layers: layers.collect(),
            family: match engine.mode {
                Mode::Root => "trusted",
                Mode::Subid | Mode::Single => "user",
            },
        }
    }

    /// Lays another one on top.
    pub(super) fn push_top(&mut self, layer: PathBuf) {
        self.layers.insert(0, layer);
    }

    /// What the layers show at `path` below the top.
    pub(super) fn find(&self, path: &Path) -> Option<Metadata> {
        self.layers
            .iter()
            .find_map(|layer| match self.look(layer, path) {
                There::Nothing => None,
                There::Gone => Some(None),
                There::Object { facts, .. } => Some(Some(*facts)),
            })
            .flatten()
    }

    /// Whether the layers show a directory at `path`.
    pub(super) fn has_directory(&self, path: &Path) -> bool {
        self.find(path).is_some_and(|facts| facts.is_dir())
    }

    /// Where the object that the layers show at `path` lies.
    pub(super) fn place(&self, path: &Path) -> Option<PathBuf> {
        let found = self
            .layers
            .iter()
            .find_map(|layer| match self.look(layer, path) {
                There::Nothing => None,
                There::Gone => Some(None),
                There::Object { .. } => Some(Some(layer.join(path))),
            });
        found.flatten()
    }

    /// The directories that overlayfs would merge at `path`, topmost first; what is no directory
    /// alone; nothing where the layers show nothing.
    pub(super) fn stack(&self, path: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for layer in &self.layers {
            match self.look(layer, path) {
                There::Nothing => {}
                There::Gone => break,
                There::Object { facts, opaque } => {
                    if facts.is_dir() || found.is_empty() {
                        found.push(layer.join(path));
                    }
                    if opaque || !facts.is_dir() {
                        break;
                    }
                }
            }
        }
        found
    }

    /// Whether any layer has something, or a mark, at `path`.
    pub(super) fn says(&self, path: &Path) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|layer| !matches!(self.look(layer, path), There::Nothing))
    }

    /// Names that the layers show in the directory `path`.
    pub(super) fn names(&self, path: &Path) -> BTreeSet<OsString> {
        let mut names = BTreeSet::new();
        let mut gone = BTreeSet::new();
        for layer in &self.layers {
            let opaque = match self.look(layer, path) {
                There::Nothing => continue,
                There::Object { facts, opaque } if facts.is_dir() => opaque,
                _ => break,
            };
            for entry in std::fs::read_dir(layer.join(path)).into_iter().flatten() {
                let Ok(entry) = entry else { continue };
                let name = entry.file_name();
                match entry.path().symlink_metadata() {
                    Ok(facts) if self.is_mark(&entry.path(), &facts) => drop(gone.insert(name)),
                    Ok(_) if !gone.contains(&name) => drop(names.insert(name)),
                    _ => {}
                }
            }
            if opaque {
                break;
            }
        }
        names
    }

    fn look(&self, layer: &Path, path: &Path) -> There {
        let mut at = layer.to_owned();
        let mut hidden = false;
        let Ok(mut facts) = at.symlink_metadata() else {
            return There::Nothing;
        };
        let mut opaque = false;
        for part in path.components() {
            if !facts.is_dir() {
                return There::Gone;
            }
            hidden |= opaque;
            at.push(part);
            facts = match at.symlink_metadata() {
                Ok(facts) => facts,
                Err(_) if hidden => return There::Gone,
                Err(_) => return There::Nothing,
            };
            if self.is_mark(&at, &facts) {
                return There::Gone;
            }
            opaque = facts.is_dir() && self.has(&at, "opaque", Some(b"y"));
        }
        There::Object {
            facts: Box::new(facts),
            opaque: opaque || hidden,
        }
    }

    fn is_mark(&self, path: &Path, facts: &Metadata) -> bool {
        let node = facts.file_type().is_char_device() && facts.rdev() == 0;
        node || facts.is_file() && facts.len() == 0 && self.has(path, "whiteout", None)
    }

    fn has(&self, path: &Path, what: &str, value: Option<&[u8]>) -> bool {
        let name = format!("{}.overlay.{what}", self.family);
        match xattr::lget(path, name.as_bytes()) {
            Ok(Some(found)) => value.is_none_or(|value| value == found),
            _ => false,
        }
    }
}
