//! Directories that the upper directory has to show as a layer describes them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode, UtimensatFlags, fchmodat, lstat, mkdirat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat};

use crate::common::{Error, Result};
use crate::runtime::plan::Overlay;
use crate::sys::xattr;

/// Mode of a root that no layer describes.
const DEFAULT: Mode = Mode::from_bits_truncate(0o755);

/// Makes the overlay's folders in the fresh directory `upper`; the working directory is the
/// overlay's base. One that is there already is left as it is.
pub(super) fn show(overlay: &Overlay, upper: &Path) -> Result<()> {
    if overlay.shown {
        return Ok(());
    }
    make(overlay, upper, false)
}

/// As [`show`], in a tree that holds the layers already: every folder is described.
pub(super) fn correct(overlay: &Overlay, tree: &Path) -> Result<()> {
    make(overlay, tree, true)
}

fn make(overlay: &Overlay, upper: &Path, known_too: bool) -> Result<()> {
    let mut described = Vec::with_capacity(overlay.folders.len());
    for (path, source) in &overlay.folders {
        let target = upper.join(path);
        let facts = lstat(source).map_err(|errno| Error::errno("stat", source, errno))?;
        if !path.as_os_str().is_empty() {
            match mkdirat(AT_FDCWD, &target, Mode::S_IRWXU) {
                Err(Errno::EEXIST) if known_too => {}
                Err(Errno::EEXIST) => continue,
                other => other.map_err(|errno| Error::errno("make directory", &target, errno))?,
            }
        }
        describe(&target, source, &facts)?;
        described.push((target, facts));
    }
    if overlay
        .folders
        .first()
        .is_none_or(|(path, _)| !path.as_os_str().is_empty())
    {
        set_mode(upper, DEFAULT)?;
    }
    // The deepest first: what is made in a directory changes its times.
    for (target, facts) in described.iter().rev() {
        set_mode(target, Mode::from_bits_truncate(facts.st_mode))?;
        let accessed = TimeSpec::new(facts.st_atime, facts.st_atime_nsec);
        let modified = TimeSpec::new(facts.st_mtime, facts.st_mtime_nsec);
        let flags = UtimensatFlags::NoFollowSymlink;
        utimensat(AT_FDCWD, target, &accessed, &modified, flags)
            .map_err(|errno| Error::errno("set times of", target, errno))?;
    }
    Ok(())
}

fn set_mode(target: &Path, mode: Mode) -> Result<()> {
    fchmodat(AT_FDCWD, target, mode, FchmodatFlags::FollowSymlink)
        .map_err(|errno| Error::errno("set mode of", target, errno))
}

/// Owner and attributes. Those that steer the overlay stay behind.
fn describe(target: &Path, source: &Path, facts: &FileStat) -> Result<()> {
    let now = lstat(target).map_err(|errno| Error::errno("stat", target, errno))?;
    if (now.st_uid, now.st_gid) != (facts.st_uid, facts.st_gid) {
        let (uid, gid) = (Uid::from_raw(facts.st_uid), Gid::from_raw(facts.st_gid));
        fchownat(
            AT_FDCWD,
            target,
            Some(uid),
            Some(gid),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        )
        .map_err(|errno| Error::errno("set owner of", target, errno))?;
    }
    for name in xattr::llist(source).unwrap_or_default() {
        let name = name.as_bytes();
        if !carried(name) {
            continue;
        }
        if let Ok(Some(value)) = xattr::lget(source, name) {
            xattr::lset(target, name, &value)
                .map_err(|errno| Error::errno("set attribute of", target, errno))?;
        }
    }
    Ok(())
}

fn carried(name: &[u8]) -> bool {
    name.starts_with(b"user.") && !name.starts_with(b"user.overlay.")
        || name.starts_with(b"system.posix_acl_")
}
