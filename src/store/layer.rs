//! Unpacked layers: independent of each other, immutable, published by rename.

use std::fs::{File, Permissions};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lock::{Pin, StoreLock, boot_id};
use super::trash::discard;
use super::{Store, corrupt, read_json, write_json};
use crate::common::{Digest, Error, Kind, Result};
use crate::sys::file;
use crate::sys::file_system::spread;

/// See [`Layers::places`]. Not the name of a digest, so that no collection takes it for one.
const PLACES: &str = "places";

/// The unpacked layers of one identity mode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layers<'a> {
    pub(super) store: &'a Store,
}

/// What is known about an unpacked layer without walking it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerInfo {
    /// Sum of file lengths in bytes; docker's size of a layer.
    pub(crate) size: u64,
    /// Number of entries.
    pub(crate) files: u64,
    /// Bytes allocated on disk; `None` until `df` measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<u64>,
    /// Directories that no entry of the layer names, the top ("") included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unnamed: Vec<String>,
    /// It hides every layer below it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opaque: bool,
    /// Boot in which it was unpacked; set by the store.
    #[serde(default)]
    pub(crate) boot: String,
}

/// Answer to wanting a layer.
#[derive(Debug)]
pub(crate) enum Stage {
    /// It is unpacked already.
    Present,
    /// It has to be unpacked into this empty directory.
    Make(LayerStage),
}

impl Layers<'_> {
    /// `layers/<mode>`.
    pub(crate) fn dir(&self) -> PathBuf {
        self.store.path("layers").join(self.store.mode.as_str())
    }

    /// The layer's directory, there or not.
    pub(crate) fn path(&self, diff_id: &Digest) -> PathBuf {
        self.dir().join(diff_id.hex())
    }

    /// Whether the layer is unpacked.
    pub(crate) fn has(&self, diff_id: &Digest) -> bool {
        self.path(diff_id).is_dir()
    }

    /// What was recorded when it was unpacked.
    pub(crate) fn info(&self, diff_id: &Digest) -> Result<LayerInfo> {
        read_json(&info_path(&self.path(diff_id)))
    }

    /// Replaces the record, for a size measured later.
    pub(super) fn set_info(&self, diff_id: &Digest, info: &LayerInfo) -> Result<()> {
        write_json(&info_path(&self.path(diff_id)), info)
    }

    /// Intended owners, modes and types of entries that cannot carry the
    /// `user.containers.override_stat` attribute themselves (links, special files): path beneath
    /// the layer and the attribute's text.
    pub(crate) fn owners(&self, diff_id: &Digest) -> Result<Vec<(PathBuf, String)>> {
        let path = owners_path(&self.path(diff_id));
        let bytes = match file::read_bounded(&path, 256 << 20) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut owners = Vec::new();
        let mut fields = bytes.split(|byte| *byte == 0);
        while let Some(name) = fields.next().filter(|name| !name.is_empty()) {
            let text = fields
                .next()
                .and_then(|text| std::str::from_utf8(text).ok());
            let text = text.ok_or_else(|| corrupt(&path, "not pairs of path and text"))?;
            let name = std::ffi::OsString::from_vec(name.to_vec());
            owners.push((PathBuf::from(name), text.to_owned()));
        }
        Ok(owners)
    }

    /// Wants the layer `diff_id`. Waits while another thread or process unpacks it.
    ///
    /// A layer of an earlier boot that no image and no container names may be torn by a power cut:
    /// it is made again.
    pub(crate) fn stage(&self, diff_id: &Digest) -> Result<Stage> {
        let pin = self.store.pin()?.clone();
        if self.reuse(diff_id)? {
            return Ok(Stage::Present);
        }
        if !self.dir().is_dir() {
            file::make_private_dir(&self.dir())?;
            spread(&self.dir());
        }
        let lock_path =
            self.store
                .path("tmp")
                .join(format!("layer-{}-{}", self.store.mode, diff_id.hex()));
        let lock = file::lock_path(&lock_path)?;
        if self.reuse(diff_id)? {
            file::remove_file(&lock_path)?;
            return Ok(Stage::Present);
        }
        let staging = self.dir().join(format!(".staging-{}", diff_id.hex()));
        let target = self.path(diff_id);
        for leftover in [&staging, &target] {
            discard(self.store, leftover)?;
        }
        file::make_private_dir(&staging)?;
        Ok(Stage::Make(LayerStage {
            root: self.store.root.clone(),
            staging,
            target,
            lock_path,
            done: false,
            _lock: lock,
            _pin: pin,
        }))
    }

    /// Name in [`dir`](Layers::dir) of a layer below all others with the places that every
    /// container mounts something at (docker has one too, its `-init` layer): without it each
    /// start makes those that the image lacks in its own upper directory, copies `/etc` up for
    /// that, and removes all again at its end. `None` when it cannot be had.
    pub(crate) fn places(&self) -> Option<PathBuf> {
        let name = Path::new(PLACES);
        let there = self.dir().join(name).is_dir();
        (there || self.make_places().is_ok()).then(|| name.to_owned())
    }

    fn make_places(&self) -> Result<()> {
        let lock_path = self
            .store
            .path("tmp")
            .join(format!("layer-{}-{PLACES}", self.store.mode));
        let _lock = file::lock_path(&lock_path)?;
        let (staging, target) = (
            self.dir().join(format!(".staging-{PLACES}")),
            self.dir().join(PLACES),
        );
        discard(self.store, &staging)?;
        if !target.is_dir() {
            make_dir_of_mode(&staging, 0o755)?;
            for dir in ["dev", "proc", "sys", "etc"] {
                make_dir_of_mode(&staging.join(dir), 0o755)?;
            }
            for name in ["etc/hosts", "etc/hostname", "etc/resolv.conf"] {
                make_empty(&staging.join(name), 0o644)?;
            }
            // Not mounted at: docker's sign that this is a container. podman's lies in /run, which
            // not every image has, and files are to be those of the image.
            make_empty(&staging.join(".dockerenv"), 0o644)?;
            file::rename(&staging, &target)?;
        }
        file::remove_file(&lock_path)
    }

    fn reuse(&self, diff_id: &Digest) -> Result<bool> {
        let path = self.path(diff_id);
        let _lock = self.store.lock_shared()?;
        if !path.is_dir() {
            return Ok(false);
        }
        // A damaged record says nothing about the layer itself.
        let boot = self.info(diff_id).map(|info| info.boot);
        let trusted = boot.is_ok_and(|boot| boot == boot_id()) || self.is_named(diff_id)?;
        if trusted && let Ok(file) = File::open(info_path(&path)) {
            super::blob::refresh(&file).map_err(|error| Error::io("touch", &path, error))?;
        }
        Ok(trusted)
    }

    /// Whether an image or a container names the layer. Such a one was written back before the
    /// name was set, and may be mounted right now.
    fn is_named(&self, diff_id: &Digest) -> Result<bool> {
        let images = self.store.images().records()?;
        if images.iter().any(|image| image.layers.contains(diff_id)) {
            return Ok(true);
        }
        let mut containers = self.store.containers().list()?.into_iter().flatten();
        if containers.any(|entry| entry.record.layers.contains(diff_id)) {
            return Ok(true);
        }
        self.store.build_cache().names_layer(diff_id)
    }
}

/// Makes a directory with exactly this mode.
fn make_dir_of_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::create_dir(path)
        .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|error| Error::io("create directory", path, error))
}

/// Makes an empty file with exactly this mode.
fn make_empty(path: &Path, mode: u32) -> Result<()> {
    file::create_new(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(mode)))
        .map_err(|error| Error::io("create", path, error))
}

/// `<hex>.json` beside the layer; its modification time is the layer's last use by a pull.
pub(super) fn info_path(layer: &Path) -> PathBuf {
    layer.with_extension("json")
}

/// `<hex>.owners` beside the layer; only there when the layer has such entries.
pub(super) fn owners_path(layer: &Path) -> PathBuf {
    layer.with_extension("owners")
}

/// A layer being unpacked; nobody else unpacks it meanwhile. Dropped without
/// [`commit`](LayerStage::commit), it goes to the trash.
#[derive(Debug)]
pub(crate) struct LayerStage {
    root: PathBuf,
    staging: PathBuf,
    target: PathBuf,
    lock_path: PathBuf,
    done: bool,
    _lock: File,
    _pin: Arc<Pin>,
}

impl LayerStage {
    /// The empty directory (mode 0700) to unpack into; its own mode and owner become those of
    /// the layer's root.
    pub(crate) fn dir(&self) -> &Path {
        &self.staging
    }

    /// Takes a directory that is the layer already in the place of the empty one. On an error
    /// nothing has changed.
    pub(crate) fn adopt(&self, dir: &Path) -> Result<()> {
        // rename(2) to another directory needs write permission on a directory itself.
        let facts = dir
            .symlink_metadata()
            .map_err(|error| Error::io("stat", dir, error))?;
        let mode = facts.permissions().mode() & 0o7777;
        let shut = mode & 0o200 == 0;
        let set = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, Permissions::from_mode(mode))
                .map_err(|error| Error::io("set mode of", path, error))
        };
        if shut {
            set(dir, mode | 0o700)?;
        }
        file::rename(dir, &self.staging)?;
        match shut {
            true => set(&self.staging, mode),
            false => Ok(()),
        }
    }

    /// Publishes the layer. The caller has verified the diff-id.
    ///
    /// `owners`: see [`Layers::owners`]; paths must not contain NUL.
    pub(crate) fn commit(mut self, info: LayerInfo, owners: &[(PathBuf, String)]) -> Result<()> {
        let _store = StoreLock::shared(&self.root)?;
        if !owners.is_empty() {
            let mut bytes = Vec::new();
            for (path, text) in owners {
                bytes.extend_from_slice(path.as_os_str().as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(0);
            }
            file::write_atomic(&owners_path(&self.target), &bytes)?;
        }
        let info = LayerInfo {
            boot: boot_id(),
            ..info
        };
        write_json(&info_path(&self.target), &info)?;
        file::rename(&self.staging, &self.target)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for LayerStage {
    fn drop(&mut self) {
        if !self.done {
            // Rename, not delete: deleting is slow and may need the user namespace.
            let _ = super::trash::throw(&self.root, &self.staging);
        }
        let _ = file::remove_file(&self.lock_path);
    }
}
