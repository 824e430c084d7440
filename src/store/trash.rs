//! Deferred deletion: rename to `trash/` at once, delete later.
//!
//! Deleting on a hot path makes later creates slow (ext4 searches recently deleted inodes), and
//! files of subordinate ids can only be deleted inside the user namespace.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Store;
use crate::common::{Error, Kind, Result};
use crate::sys::{file, tree};

/// Age after which an unfinished download is not worth resuming.
const PARTIAL_KEPT: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// What became of a deletion.
#[derive(Debug, Default)]
pub(crate) struct Purged {
    /// What is still in the trash, with the reason: usually files of subordinate ids, which
    /// the engine deletes again inside the user namespace.
    pub(crate) left: Vec<(PathBuf, Error)>,
}

/// Name of the one thing that takes next to no room and may lie here for a while.
const REST: &str = "r-0";

/// Renames `path` into the trash and returns its place there; `None` when it does not exist.
pub(super) fn throw(root: &Path, path: &Path) -> Result<Option<PathBuf>> {
    let trash = root.join("trash");
    let place = trash.join(file::random_name("t-")?);
    let moved = file::rename(path, &place);
    match moved {
        Ok(()) => Ok(Some(place)),
        Err(_) if path.symlink_metadata().is_err() => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            make_movable(path)?;
            file::rename(path, &place).map(|()| Some(place))
        }
        // A store whose trash was removed by hand.
        Err(error) if error.kind() == Kind::NotFound => {
            file::make_private_dir(&trash)?;
            file::rename(path, &place).map(|()| Some(place))
        }
        Err(error) => Err(error),
    }
}

/// As [`throw`], for what takes next to no room; false where such a thing lies here already, or
/// it cannot be moved.
pub(super) fn throw_rest(root: &Path, path: &Path) -> bool {
    std::fs::rename(path, rest(root)).is_ok()
}

/// Where [`throw_rest`] puts things.
pub(super) fn rest(root: &Path) -> PathBuf {
    root.join("trash").join(REST)
}

/// rename(2) to another directory rewrites `..` and so needs write permission on a directory
/// itself; the root of many images (Fedora's) has mode 0555.
fn make_movable(path: &Path) -> Result<()> {
    let found = path
        .symlink_metadata()
        .map_err(|error| Error::io("stat", path, error))?;
    if found.is_dir() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| Error::io("make writable", path, error))?;
    }
    Ok(())
}

/// Directories without permissions that the kernel makes in the working directory of a `volatile`
/// overlay, around its marker.
const CHAIN: [&str; 3] = ["work", "work/incompat", "work/incompat/volatile"];

/// Empties the working directory of an overlay, as far as that is as the kernel left it. A walk
/// that reads and opens each directory takes thirty calls more; whatever is left here, it removes.
pub(super) fn empty_overlay_work(work: &Path) {
    let marker = work.join("work/incompat/volatile/dirty");
    let mut removed = std::fs::remove_file(&marker);
    if let Err(error) = &removed
        && error.raw_os_error() == Some(libc::EACCES)
        && open_overlay_work(work)
    {
        removed = std::fs::remove_file(&marker);
    }
    if removed.is_ok() {
        let mut inside_out = CHAIN.iter().rev();
        let _ = inside_out.try_for_each(|below| std::fs::remove_dir(work.join(below)));
    }
}

/// Lets the owner of such a directory into all of it, and so delete it with rm(1); false where
/// that could not be done.
pub(super) fn open_overlay_work(work: &Path) -> bool {
    let open = |below: &&str| {
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(work.join(below), private).is_ok()
    };
    CHAIN.iter().all(open)
}

/// Moves what should not be there to the trash; nothing there is fine.
pub(super) fn discard(store: &Store, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    throw(&store.root, path).map(drop)
}

impl Store {
    /// Deletes what lies in the trash and what crashed processes left in `tmp/` and `layers/`.
    /// Two directory reads when there is nothing; not for the run path.
    pub(crate) fn sweep(&self) -> Result<Purged> {
        self.images().settle_index()?;
        self.sweep_tmp()?;
        self.sweep_staging()?;
        self.build_cache().sweep()?;
        let mut purged = Purged::default();
        for name in file::names(&self.path("trash"))? {
            let path = self.path("trash").join(name);
            if let Err(error) = tree::remove_tree(&path) {
                purged.left.push((path, error));
            }
        }
        Ok(purged)
    }

    fn sweep_tmp(&self) -> Result<()> {
        let tmp = self.path("tmp");
        for name in file::names(&tmp)? {
            let path = tmp.join(&name);
            let name = name.to_string_lossy();
            let fresh = || {
                let modified = path.symlink_metadata().and_then(|found| found.modified());
                modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < PARTIAL_KEPT))
            };
            // Locked files are in use; everything else in here belongs to nobody. An unnamed
            // temporary file has a name only on odd file systems and then no lock.
            let keep = (name.starts_with("blob-") || name.starts_with(".tmp-")) && fresh();
            if path.is_dir() {
                // Nothing of ketch's, but in the way of nobody else's use of the store either.
                throw(&self.root, &path)?;
            } else if !keep && file::try_lock_path(&path)?.is_some() {
                file::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn sweep_staging(&self) -> Result<()> {
        for mode in file::names(&self.path("layers"))? {
            let dir = self.path("layers").join(&mode);
            for name in file::names(&dir)? {
                let Some(hex) = name.to_str().and_then(|n| n.strip_prefix(".staging-")) else {
                    continue;
                };
                let lock = format!("layer-{}-{hex}", mode.to_string_lossy());
                let lock = self.path("tmp").join(lock);
                // Taking the lock (and making it anew when it is gone) keeps a starting
                // unpacker out while its leftover goes.
                let held =
                    file::open_or_create(&lock).map_err(|error| Error::io("open", &lock, error))?;
                drop(held);
                if let Some(_held) = file::try_lock_path(&lock)? {
                    throw(&self.root, &dir.join(&name))?;
                    file::remove_file(&lock)?;
                }
            }
        }
        Ok(())
    }
}
