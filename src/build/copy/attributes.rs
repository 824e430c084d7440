//! Attributes of a source that a copy gets, and what a file of mode `single` is meant to be.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::{FileStat, SFlag, makedev};

use super::tree::Owners;
use crate::common::Hasher;
use crate::sys::xattr::{self, OVERRIDE_STAT};

/// What a file is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Intended {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) kind: SFlag,
    pub(super) device: u64,
}

/// What is known of a file by its attributes.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// Names and values, sorted.
    pub(super) list: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) intended: Option<Intended>,
}

impl Attributes {
    /// Its mode: of a device the one it is meant to have; that of a file or directory is on disk,
    /// and may have been changed there since its owner was noted.
    pub(super) fn mode(&self, facts: &FileStat) -> u32 {
        match self.intended {
            Some(found) if !matches!(found.kind, SFlag::S_IFREG | SFlag::S_IFDIR) => found.mode,
            _ => facts.st_mode & 0o7777,
        }
    }

    /// Its owner: the one it is meant to have.
    pub(super) fn owner(&self, facts: &FileStat, owners: Owners) -> (u32, u32) {
        match (owners, self.intended) {
            (Owners::Root, _) => (0, 0),
            (_, Some(intended)) => (intended.uid, intended.gid),
            (Owners::Mark, None) => (0, 0),
            (_, None) => (facts.st_uid, facts.st_gid),
        }
    }

    /// Adds names and values to a digest.
    pub(super) fn hash(&self, hasher: &mut Hasher) {
        for (name, value) in &self.list {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(&(value.len() as u64).to_le_bytes());
            hasher.update(value);
        }
    }
}

/// Attributes of an open file or directory. A file system may have none, and one that cannot be
/// read is not there.
pub(super) fn read(file: impl AsFd, owners: Owners) -> Attributes {
    let mut found = Attributes::default();
    for name in xattr::flist(file.as_fd()).unwrap_or_default() {
        let name = name.as_bytes();
        let wanted = is_copied(name);
        if !wanted && (!owners.has_marks() || name != OVERRIDE_STAT) {
            continue;
        }
        let Ok(Some(value)) = xattr::fget(file.as_fd(), name) else {
            continue;
        };
        match wanted {
            true => found.list.push((name.to_vec(), value)),
            false => found.intended = parse(&value),
        }
    }
    found
}

/// Capabilities and what users set; nothing that steers an overlay or ketch, and no label.
fn is_copied(name: &[u8]) -> bool {
    let own = [
        &b"user.overlay."[..],
        b"user.fuseoverlayfs.",
        b"user.containers.",
    ];
    name == b"security.capability"
        || name.starts_with(b"user.") && !own.iter().any(|prefix| name.starts_with(prefix))
}

/// Reads `uid:gid:0MODE:type`.
fn parse(text: &[u8]) -> Option<Intended> {
    let mut parts = std::str::from_utf8(text).ok()?.split(':');
    let (uid, gid) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mode = u32::from_str_radix(parts.next()?, 8).ok()? & 0o7777;
    let mut kind = parts.next().unwrap_or("file").split('-');
    let name = kind.next()?;
    let mut number = || kind.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let (kind, device) = match name {
        "dir" => (SFlag::S_IFDIR, 0),
        "pipe" => (SFlag::S_IFIFO, 0),
        "block" => (SFlag::S_IFBLK, makedev(number(), number())),
        "char" => (SFlag::S_IFCHR, makedev(number(), number())),
        _ => (SFlag::S_IFREG, 0),
    };
    Some(Intended {
        uid,
        gid,
        mode,
        kind,
        device,
    })
}
