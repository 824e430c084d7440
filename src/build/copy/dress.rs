//! Owner, attributes, mode and times of what a copy has made, by the means of the identity mode.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{
    FileStat, Mode as Permissions, SFlag, UtimensatFlags, fchmod, futimens, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, fchownat};

use super::attributes::Attributes;
use super::tree::kind;
use super::write::{Writer, failed};
use crate::common::{Error, Kind, Mode, Result};
use crate::sys::xattr::{self, Existing, OVERRIDE_STAT};

/// What a new object is to be.
pub(super) struct Looks<'a> {
    pub(super) owner: (u32, u32),
    pub(super) mode: u32,
    pub(super) facts: &'a FileStat,
    pub(super) attributes: &'a Attributes,
}

impl Writer<'_> {
    /// Owner and times of what cannot be opened.
    pub(super) fn own_named(
        &mut self,
        (to, new): (BorrowedFd<'_>, &OsStr),
        path: &Path,
        looks: &Looks<'_>,
        kind: SFlag,
    ) -> Result<()> {
        let owner = looks.owner;
        if self.target.mode != Mode::Single {
            let (uid, gid) = (Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1)));
            fchownat(to, new, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)
                .map_err(|e| owner_failed(path, owner, e))?;
        } else if owner != (0, 0) {
            let below = path.strip_prefix("/").unwrap_or(path).to_owned();
            self.owners
                .push((below, text(owner, looks.mode, kind, looks.facts.st_rdev)));
        }
        let (accessed, modified) = times(looks.facts);
        utimensat(
            to,
            new,
            &accessed,
            &modified,
            UtimensatFlags::NoFollowSymlink,
        )
        .map_err(|e| failed("set times of", path, e))
    }

    /// Owner, attributes, mode and times of an open file or directory. `as_asked`: it was made
    /// with its permissions and by its owner, where that is who writes here: root.
    pub(super) fn finish_like(
        &self,
        made: &impl AsFd,
        path: &Path,
        looks: &Looks<'_>,
        as_asked: bool,
    ) -> Result<()> {
        for (name, value) in &looks.attributes.list {
            match xattr::fset(made, name, value, Existing::Replace) {
                // Not every file system has them, and not everybody may set each.
                Ok(()) | Err(Errno::EPERM | Errno::EOPNOTSUPP | Errno::EINVAL) => {}
                Err(errno) => return Err(failed("set attribute of", path, errno)),
            }
        }
        let is_so = as_asked && looks.owner == self.shared.writer && looks.mode & !0o777 == 0;
        if !is_so {
            self.own(made, looks.owner, looks.mode, kind(looks.facts), 0)
                .map_err(|e| owner_failed(path, looks.owner, e))?;
        }
        // A change of owner takes capabilities away.
        for (name, value) in &looks.attributes.list {
            if name == b"security.capability" {
                let _ = xattr::fset(made, name, value, Existing::Replace);
            }
        }
        set_times(made, looks.facts).map_err(|e| failed("set times of", path, e))
    }

    /// The end of a directory that no source has.
    pub(super) fn finish_made(
        &self,
        made: &OwnedFd,
        path: &Path,
        owner: (u32, u32),
        mode: u32,
    ) -> Result<()> {
        self.own(made, owner, mode, SFlag::S_IFDIR, 0)
            .map_err(|e| owner_failed(path, owner, e))?;
        if let Some(seconds) = self.options.epoch {
            let time = TimeSpec::new(seconds, 0);
            futimens(made, &time, &time).map_err(|e| failed("set times of", path, e))?;
        }
        Ok(())
    }

    /// Owner and mode, by the means of the identity mode.
    pub(super) fn own(
        &self,
        made: &impl AsFd,
        owner: (u32, u32),
        mode: u32,
        kind: SFlag,
        device: u64,
    ) -> nix::Result<()> {
        if self.target.mode == Mode::Single {
            let other = matches!(xattr::fget(made, OVERRIDE_STAT), Ok(Some(_)));
            if owner != (0, 0) || other {
                let text = text(owner, mode, kind, device);
                xattr::fset(made, OVERRIDE_STAT, text.as_bytes(), Existing::Replace)?;
            }
        } else {
            fchown(
                made,
                Some(Uid::from_raw(owner.0)),
                Some(Gid::from_raw(owner.1)),
            )?;
        }
        fchmod(made, Permissions::from_bits_truncate(mode))
    }
}

/// The text of `override_stat`.
pub(super) fn text((uid, gid): (u32, u32), mode: u32, kind: SFlag, device: u64) -> String {
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let kind = match kind {
        SFlag::S_IFDIR => "dir".to_owned(),
        SFlag::S_IFLNK => "symlink".to_owned(),
        SFlag::S_IFIFO => "pipe".to_owned(),
        SFlag::S_IFBLK => format!("block-{major}-{minor}"),
        SFlag::S_IFCHR => format!("char-{major}-{minor}"),
        _ => "file".to_owned(),
    };
    format!("{uid}:{gid}:0{mode:o}:{kind}")
}

fn times(facts: &FileStat) -> (TimeSpec, TimeSpec) {
    (
        TimeSpec::new(facts.st_atime, facts.st_atime_nsec),
        TimeSpec::new(facts.st_mtime, facts.st_mtime_nsec),
    )
}

pub(super) fn set_times(made: &impl AsFd, facts: &FileStat) -> nix::Result<()> {
    let (accessed, modified) = times(facts);
    futimens(made, &accessed, &modified)
}

/// An owner who has no place in the user namespace is EINVAL.
pub(super) fn owner_failed(path: &Path, (uid, gid): (u32, u32), errno: Errno) -> Error {
    match errno {
        Errno::EINVAL => Error::new(
            Kind::Unsupported,
            "set owner of",
            path.display().to_string(),
        )
        .because(format!("owner {uid}:{gid} is outside the ids of this user"))
        .hint("a larger range in /etc/subuid and /etc/subgid, or KETCH_IDENTITY=single"),
        errno => failed("set owner of", path, errno),
    }
}
