//! The store: everything ketch keeps on disk, and the only module that knows its paths.
//!
//! ```text
//! version                      "1"; written last when a store is made
//! lock                         the store lock
//! oci-layout index.json        the root is an OCI image layout; index.json follows images/
//! blobs/sha256/<hex>           manifests, configs, original compressed layers
//! layers/<mode>/<hex>/         one unpacked layer, by diff-id, immutable
//! layers/<mode>/<hex>.json     its size and count; <hex>.owners: intended owners (mode single)
//! layers/<mode>/places         empty places of mounts, the lowest layer of every container
//! layers/<mode>/.staging-<hex> a layer being unpacked; valid while tmp/layer-<mode>-<hex> is held
//! images/n-<hash>.json         one named image, by the hash of its canonical name
//! images/m-<hex>.json          one image without a name, by manifest digest
//! containers/<id>/             container.json config.json lock state upper work rootfs log,
//!                              state.lock: held for a change of state; stopped: by a user,
//!                              created: to be started later, for one that its end removes
//! containers/listing           rows of the last list, to read only what is new (see `listing`)
//! containers/names/<name>      symbolic link whose text is the id, packed: the claim of a name
//! events                       what happened, one line of JSON each
//! networks/<name>/             one network: record, lock, members (see `network`)
//! volumes/<name>/              one volume: record and data (see `volume`)
//! build/                       the build cache (see `build`)
//! volumes/ networks/ build/ secrets/   made when first needed
//! tmp/blob-<hex>.partial       a download, kept for resuming; its flock is the right to write
//! tmp/pin-<random>             held while its process adds things no name points to yet
//! trash/                       renamed away, still to be deleted
//! ```
//!
//! **GC roots** are the image, container and build cache records. A blob or layer that none
//! names is deleted by [`Store::collect`], except one that is younger than the oldest live pin:
//! every process that adds or reuses blobs or layers holds a pin until it drops its `Store`, and
//! reuse makes a thing young again. So a pull can take hours without holding a lock, and killing
//! it leaves only what the next collection removes. Names are set last.
//!
//! **Lock order**: object lock (partial, layer, container) → store lock → `images/.lock`. The
//! store lock is shared around "look and publish" steps and exclusive around a collection;
//! neither waits for a network or a process. A collection only *tries* object locks. Readers
//! take no lock: every file is replaced by rename.
//!
//! **Power cuts**: nothing here calls fsync on its own. [`Store::sync`] writes back once, before
//! a name is set. A layer carries the boot it was made in; one of an earlier boot that no record
//! names may be torn and is made again. A blob is used only at its full length.
//!
//! **Versions**: a store of another version is refused with its number; this is version 1.

#![forbid(unsafe_code)]

mod aside;
mod asked;
mod blob;
mod build;
mod builder;
mod check;
mod container;
mod document;
mod gc;
mod glance;
mod health;
mod image;
mod incoming;
mod index;
mod journal;
mod layer;
mod life;
mod listing;
mod lock;
mod mark;
mod network;
mod removal;
mod secret;
mod state;
#[cfg(test)]
mod tests;
mod trash;
mod usage;
mod volume;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::common::{Error, Kind, Mode, Result};
use crate::sys::file;
use crate::sys::file_system::{file_system, spread};
use crate::sys::writeback;

pub(crate) use aside::Aside;
pub(crate) use blob::{Blob, Blobs};
pub(crate) use build::{BuildPresence, CacheRecord, CachedLayer, StepWork};
pub(crate) use builder::{BuilderRecord, Builders};
#[cfg(test)]
pub(crate) use check::Problem;
pub(crate) use check::Report;
pub(crate) use container::{
    ContainerDir, ContainerEntry, ContainerLock, ContainerRecord, Containers,
};
pub(crate) use document::ImageDocuments;
pub(crate) use glance::Glance;
pub(crate) use health::{HealthRecord, HealthResult, HealthStatus};
pub(crate) use image::{Folder, ImageRecord, Images, Stack};
pub(crate) use journal::Event;
pub(crate) use layer::{LayerInfo, Layers, Stage};
pub(crate) use listing::Listing;
pub(crate) use mark::Mark;
pub(crate) use network::Join;
pub(crate) use secret::{MAX_SECRET, SecretRecord};
pub(crate) use state::{ExitRecord, Phase, StateRecord};
pub(crate) use usage::StoreUsage;
pub(crate) use volume::VolumeRecord;
pub(crate) use writer::BlobWriter;

use lock::Pin;

/// Format of the tree drawn above.
const VERSION: &str = "1";

/// What `oci-layout` must hold (image-spec, image-layout.md).
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Whether the compressed layers are kept after unpacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum KeepBlobs {
    /// Kept while the disk has room: a push then never changes a digest.
    #[default]
    Auto,
    /// Always kept.
    Always,
    /// Dropped as soon as they are unpacked and verified.
    Never,
}

/// `KeepBlobs::Auto` drops compressed layers below this share of free space.
const AUTO_FREE_PERCENT: u64 = 5;

/// One store, opened. Cheap to make, shared between threads by reference.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    mode: Mode,
    keep_blobs: OnceLock<KeepBlobs>,
    pin: OnceLock<Arc<Pin>>,
}

impl Store {
    /// Opens the store at `root`, making it when there is none. `mode` chooses the unpacked
    /// layers to work with.
    ///
    /// # Errors
    /// `Denied` when the directory belongs to someone else or the file system is read-only,
    /// `Unsupported` for a store of another version, `Usage` when `root` holds other things.
    pub(crate) fn open(root: &Path, mode: Mode) -> Result<Store> {
        let store = Store {
            root: root.to_owned(),
            mode,
            keep_blobs: OnceLock::new(),
            pin: OnceLock::new(),
        };
        if !store.check_version()? {
            store.create()?;
        }
        Ok(store)
    }

    /// Sets the policy for compressed layers.
    pub(crate) fn set_keep_blobs(&self, keep: KeepBlobs) {
        let _ = self.keep_blobs.set(keep);
    }

    /// Where the store lies.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The identity mode whose layers it works with.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a compressed layer should be kept once unpacked: the policy, and under `Auto`
    /// the free space.
    pub(crate) fn keeps_blobs(&self) -> bool {
        match self.keep_blobs.get().copied().unwrap_or_default() {
            KeepBlobs::Always => true,
            KeepBlobs::Never => false,
            KeepBlobs::Auto => file_system(&self.root).map_or(true, |fs| {
                fs.free / 100 * 100 >= fs.total / 100 * AUTO_FREE_PERCENT
            }),
        }
    }

    /// Blobs by digest.
    pub(crate) fn blobs(&self) -> Blobs<'_> {
        Blobs { store: self }
    }

    /// Unpacked layers of this store's mode, by diff-id.
    pub(crate) fn layers(&self) -> Layers<'_> {
        Layers { store: self }
    }

    /// Images by name, id or digest.
    pub(crate) fn images(&self) -> Images<'_> {
        Images { store: self }
    }

    /// Containers by id or name.
    pub(crate) fn containers(&self) -> Containers<'_> {
        Containers { store: self }
    }

    /// Writes everything back to the disk (one syncfs), so that a name set afterwards never
    /// points to something a power cut took away.
    pub(crate) fn sync(&self) -> Result<()> {
        writeback::sync_file_system(&self.root)
    }

    /// `version`, `lock`, `tmp` and the like.
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Holds this process's pin from now until the store is dropped. Work in a forked child
    /// needs its caller to hold it: the child ends without dropping anything.
    ///
    /// # Errors
    /// What a store that cannot be written gives, with what to do about it.
    pub(crate) fn hold(&self) -> Result<()> {
        self.pin().map(drop)
    }

    fn pin(&self) -> Result<&Arc<Pin>> {
        if let Some(pin) = self.pin.get() {
            return Ok(pin);
        }
        let pin = Arc::new(Pin::new(&self.path("tmp"))?);
        Ok(self.pin.get_or_init(|| pin))
    }

    /// True when a store of this version is there.
    fn check_version(&self) -> Result<bool> {
        let path = self.path("version");
        let bytes = match file::read_bounded(&path, 64) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == Kind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let found = String::from_utf8_lossy(&bytes);
        if found.trim() != VERSION {
            return Err(Error::new(
                Kind::Unsupported,
                "open store",
                self.root.display().to_string(),
            )
            .because(format!(
                "it has format version {:?}, this ketch knows {VERSION}",
                found.trim()
            ))
            .hint("use the ketch that made it, or choose another directory with KETCH_ROOT"));
        }
        self.check_owner()?;
        Ok(true)
    }

    /// A store in another user's hands could hold any image under any name.
    fn check_owner(&self) -> Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let found = std::fs::metadata(&self.root)
            .map_err(|error| Error::io("open store", &self.root, error))?;
        let own = nix::unistd::geteuid().as_raw();
        if found.uid() != own {
            return Err(
                Error::new(Kind::Denied, "open store", self.root.display().to_string())
                    .because(format!("it belongs to uid {}, not to {own}", found.uid()))
                    .hint("choose a directory of your own with KETCH_ROOT"),
            );
        }
        if found.mode() & 0o077 != 0 {
            // Layers hold setuid files: nobody else may reach them.
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&self.root, private)
                .map_err(|error| Error::io("make private", &self.root, error))?;
        }
        Ok(())
    }

    fn create(&self) -> Result<()> {
        const OWN: [&str; 15] = [
            "version",
            "events",
            "events.1",
            "lock",
            "oci-layout",
            "index.json",
            "blobs",
            "layers",
            "images",
            "containers",
            "volumes",
            "networks",
            "build",
            "secrets",
            "tmp",
        ];
        let explain = |error: Error| {
            let error = match error.raw_os_error() {
                Some(libc::EROFS) => error.with_kind(Kind::Denied),
                _ => error,
            };
            error.hint("choose a writable directory on a local disk with KETCH_ROOT")
        };
        if let Some(parent) = self.root.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| explain(Error::io("create directory", parent, error)))?;
        }
        file::make_private_dir(&self.root).map_err(explain)?;
        self.check_owner()?;
        for name in file::names(&self.root)? {
            let known = name
                .to_str()
                .is_some_and(|n| OWN.contains(&n) || n == "trash" || n.starts_with(".tmp-"));
            if !known {
                return Err(Error::usage(
                    "create store",
                    self.root.display().to_string(),
                    format!("the directory holds other things ({})", name.display()),
                )
                .hint("choose an empty or missing directory with KETCH_ROOT"));
            }
        }
        self.create_tree().map_err(explain)
    }

    fn create_tree(&self) -> Result<()> {
        for dir in [
            "blobs",
            "blobs/sha256",
            "layers",
            "images",
            "containers",
            "containers/names",
            "tmp",
            "trash",
        ] {
            file::make_private_dir(&self.path(dir))?;
        }
        file::make_private_dir(&self.layers().dir())?;
        // A container that ended leaves a dozen removed files: beside those of hundreds a start
        // took a fifth more time.
        for dir in [self.path("containers"), self.layers().dir()] {
            spread(&dir);
        }
        let write = |name: &str, bytes: &[u8]| file::write_atomic(&self.path(name), bytes);
        write("oci-layout", OCI_LAYOUT)?;
        if !self.path("index.json").exists() {
            write("index.json", index::EMPTY)?;
        }
        write("version", format!("{VERSION}\n").as_bytes())
    }
}

/// A file of the store that cannot be what ketch wrote.
fn corrupt(path: &Path, why: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, "read", path.display().to_string())
        .because(why.into())
        .hint("run: ketch system check --repair")
}

/// Largest JSON record, in bytes.
const MAX_RECORD: usize = 4 << 20;

/// Reads a JSON record.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = file::read_bounded(path, MAX_RECORD)?;
    serde_json::from_slice(&bytes).map_err(|error| corrupt(path, error.to_string()))
}

/// `None` for what is not there.
fn optional<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a JSON record by rename, without fsync; one that could not be read again is refused.
fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        Error::new(Kind::Bug, "encode", path.display().to_string()).because(error)
    })?;
    if bytes.len() > MAX_RECORD {
        let why = format!(
            "{} bytes, more than the {MAX_RECORD} that a record may have; labels are part of it",
            bytes.len()
        );
        return Err(
            Error::new(Kind::Unsupported, "write", path.display().to_string()).because(why),
        );
    }
    file::write_atomic(path, &bytes)
}
