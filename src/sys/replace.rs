//! Writing whole files in place of others.

use std::io::{self, Write};
use std::path::Path;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::file::{create_new, random_name};
use crate::common::{Error, Result};

/// Replaces or creates `path` with `bytes` (mode 0600): a reader sees the old or the new content.
///
/// No fsync: a crash of processes leaves one or the other, a power cut may lose it. The temporary
/// name is `.tmp-…` in the same directory; it is removed when a step fails.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, |new, old| std::fs::rename(new, old))
}

/// As [`write_atomic`], for a file that nobody reads before something written later says that it
/// is there: a missing one is created in place, and what a crash leaves of it is replaced.
pub(crate) fn write_unseen(path: &Path, bytes: &[u8]) -> Result<()> {
    match create_new(path).and_then(|mut file| file.write_all(bytes)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            replace(path, bytes, exchange)
        }
        other => other.map_err(|error| Error::io("write", path, error)),
    }
}

fn replace(
    path: &Path,
    bytes: &[u8],
    rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<()> {
    let temporary = path.with_file_name(random_name(".tmp-")?);
    create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| rename(&temporary, path))
        .map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            Error::io("write", path, error)
        })
}

/// Has `new` take the place of `old` without its content being sent to the disk, as ext4 does in
/// a rename over another file (`auto_da_alloc`): who starts containers is not to wait for it.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat2(AT_FDCWD, new, AT_FDCWD, old, RenameFlags::RENAME_EXCHANGE) {
        Ok(()) => std::fs::remove_file(new),
        // Some network file systems cannot, and `old` may have gone.
        Err(_) => std::fs::rename(new, old),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_place_of_another_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for text in ["one", "another", "x"] {
            write_unseen(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let new = folder.path().join("new");
        std::fs::write(&new, "last").unwrap();
        exchange(&new, &folder.path().join("none")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(write_unseen(&folder.path().join("no/file"), b"").is_err());
    }
}
