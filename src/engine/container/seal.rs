//! The layer of a build step: from the directory that it wrote to a blob with its digests, and to
//! one of the store's unpacked layers.

use std::collections::BTreeMap;
use std::io::BufWriter;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as Permissions;
use serde::{Deserialize, Serialize};

use super::commit;
use super::lower::Lower;
use crate::archive::{Form, LayerWriter, NewLayer, PackOptions, Packer};
use crate::common::{Digest, Error, Mode};
use crate::engine::image::assemble;
use crate::engine::worker::Worker;
use crate::engine::{Engine, identity};
use crate::runtime::{self, UserRequest};
use crate::store::{LayerInfo, Stage};
use crate::sys::xattr::{self, OVERRIDE_STAT};
use crate::sys::{file, tree};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A directory that a step wrote.
#[derive(Debug, Clone)]
pub(crate) struct Unsealed {
    /// The directory, in overlayfs's form.
    pub(crate) upper: PathBuf,
    /// What it lies on, topmost first, whole paths.
    pub(crate) lowers: Vec<PathBuf>,
    /// Those of them that are layers of the store, base first.
    pub(crate) layers: Vec<Digest>,
    /// Intended owners of what cannot carry them itself, by path.
    pub(crate) owners: Vec<(PathBuf, String)>,
    /// Whom the step ran as, as in an image's configuration.
    pub(crate) user: String,
}

/// A layer with its blob in the store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// Its digests.
    pub(crate) layer: NewLayer,
    /// Sum of its files' lengths in bytes.
    pub(crate) size: u64,
    /// Number of its entries.
    pub(crate) files: u64,
    /// Bytes that it takes on the disk.
    pub(crate) disk: u64,
}

/// Makes the layer's blob in a child process. The caller holds the store's pin.
///
/// # Errors
/// What making the process gave; those of the work come from [`Worker::finish`].
pub(crate) fn seal(engine: &Engine<'_>, unsealed: Unsealed) -> Result<Worker<Sealed>> {
    engine.store.hold()?;
    identity::begin_as_owner(engine, || write(engine, &unsealed))
}

fn write(engine: &Engine<'_>, unsealed: &Unsealed) -> Result<Sealed> {
    let incoming = engine.store.incoming()?;
    let out = incoming.file()?;
    let single = engine.mode == Mode::Single;
    let intended = match single {
        true => Some(intended(engine, unsealed)?),
        // What carries no owner of its own with a range of ids are devices, and they say so.
        false => (engine.mode == Mode::Subid).then(BTreeMap::new),
    };
    let lower = Lower::new(engine, unsealed.lowers.iter().cloned());
    let user = match single {
        true => user(&unsealed.user, &lower),
        false => (0, 0),
    };
    let roots = |path: &Path| {
        let place = lower.place(path);
        place.is_some_and(|place| !matches!(xattr::lget(&place, OVERRIDE_STAT), Ok(Some(_))))
    };
    // One id on disk tells nothing: what the step made is its user's, what the image has there
    // without a record is root's.
    let owner = |path: &Path, uid: u32, gid: u32| match single {
        false => (uid, gid),
        true if user == (0, 0) || roots(path) => (0, 0),
        true => user,
    };
    let options = PackOptions {
        owner: &owner,
        covers: &|path| lower.has_directory(path),
        form: match engine.mode {
            Mode::Root if engine.host.euid() == 0 => Form::Upper,
            _ => Form::UserUpper,
        },
        intended: intended.as_ref(),
        ..PackOptions::plain(engine.mode)
    };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let top: OwnedFd = nix::fcntl::open(&unsealed.upper, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open", &unsealed.upper, errno))?;
    let writer = LayerWriter::new(BufWriter::with_capacity(BUFFER, out));
    let mut packer = Packer::new(BufWriter::with_capacity(BUFFER, writer), &options);
    packer.tree(&top, b"", false)?;
    let (writer, files) = packer.finish()?;
    let layer = commit::end(writer)?;
    incoming.publish(&engine.store, &layer.digest, layer.size)?;
    let usage = tree::usage(&unsealed.upper)?;
    Ok(Sealed {
        layer,
        size: usage.size,
        files,
        disk: usage.disk,
    })
}

/// Intended owners of what cannot carry them: the step's own, and below them those of the layers
/// that it lies on.
fn intended(engine: &Engine<'_>, unsealed: &Unsealed) -> Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    for layer in &unsealed.layers {
        found.extend(engine.store.layers().owners(layer)?);
    }
    found.extend(unsealed.owners.iter().cloned());
    Ok(found)
}

/// Whom a step ran as, by the files below it; root when they do not say.
fn user(text: &str, lower: &Lower) -> (u32, u32) {
    let request = UserRequest {
        text: text.to_owned(),
        ..UserRequest::default()
    };
    let read = |path: &str| {
        let place = lower.place(Path::new(path))?;
        let bytes = file::read_bounded(&place, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let [passwd, group] = ["etc/passwd", "etc/group"].map(|path| read(path).unwrap_or_default());
    let found = runtime::find_user(&request, &passwd, &group);
    found.map_or((0, 0), |user| (user.uid, user.gid))
}

/// Makes a sealed directory one of the store's layers: by moving it, where nobody else uses it
/// and its files carry their owners, else from its blob. Whether the directory was moved.
///
/// # Errors
/// What writing the layer gave.
pub(crate) fn settle(
    engine: &Engine<'_>,
    upper: &Path,
    sealed: &Sealed,
    movable: bool,
) -> Result<bool> {
    let layers = engine.store.layers();
    if movable && engine.mode != Mode::Single {
        let Stage::Make(stage) = layers.stage(&sealed.layer.diff_id)? else {
            return Ok(false);
        };
        // A root directory that belongs to another id cannot be moved by its maker.
        if stage.adopt(upper).is_ok() {
            let info = LayerInfo {
                size: sealed.size,
                files: sealed.files,
                disk: Some(sealed.disk),
                // The archive has no entry for the top.
                unnamed: vec![String::new()],
                ..LayerInfo::default()
            };
            stage.commit(info, &[])?;
            return Ok(true);
        }
    }
    assemble::unpack(engine, &sealed.layer)?;
    Ok(false)
}
