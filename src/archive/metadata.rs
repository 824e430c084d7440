//! Owner, type and attributes: what is set on the file, what is kept beside it, what is dropped.

use std::fmt;
use std::path::PathBuf;

use super::reader::{Entry, EntryKind};
use crate::common::Mode;

/// Type of a file, as `override_stat` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Regular file.
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Named pipe.
    Pipe,
    /// Block device of this major and minor number.
    Block(u32, u32),
    /// Character device of this major and minor number.
    Char(u32, u32),
}

impl FileKind {
    pub(super) fn of(entry: &Entry) -> FileKind {
        let (major, minor) = entry.device;
        match entry.kind {
            EntryKind::File | EntryKind::HardLink => FileKind::File,
            EntryKind::Dir => FileKind::Dir,
            EntryKind::Symlink => FileKind::Symlink,
            EntryKind::Fifo => FileKind::Pipe,
            EntryKind::Block => FileKind::Block(major, minor),
            EntryKind::Char => FileKind::Char(major, minor),
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileKind::File => f.write_str("file"),
            FileKind::Dir => f.write_str("dir"),
            FileKind::Symlink => f.write_str("symlink"),
            FileKind::Pipe => f.write_str("pipe"),
            FileKind::Block(major, minor) => write!(f, "block-{major}-{minor}"),
            FileKind::Char(major, minor) => write!(f, "char-{major}-{minor}"),
        }
    }
}

/// The intended owner, mode and type of a file that has others on disk and can't hold the
/// attribute that says so; the store keeps these beside the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    /// Path below the layer's top.
    pub(crate) path: PathBuf,
    /// `uid:gid:0MODE:type`, the text the attribute would have.
    pub(crate) stat: String,
}

/// The text of `override_stat` for an entry.
pub(super) fn override_text(entry: &Entry) -> String {
    let kind = FileKind::of(entry);
    format!("{}:{}:0{:o}:{kind}", entry.uid, entry.gid, entry.mode)
}

/// The parts of an `override_stat` text: owner, group, mode and type.
pub(super) fn parse_override(text: &[u8]) -> Option<(u32, u32, u32, FileKind)> {
    let mut parts = std::str::from_utf8(text).ok()?.split(':');
    let (uid, gid) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mode = u32::from_str_radix(parts.next()?, 8).ok()? & 0o7777;
    // podman leaves the type out for what is on disk what it is meant to be.
    let mut kind = parts.next().unwrap_or("file").split('-');
    let name = kind.next()?;
    let mut number = || kind.next()?.parse().ok();
    let kind = match name {
        "dir" => FileKind::Dir,
        "symlink" => FileKind::Symlink,
        "pipe" => FileKind::Pipe,
        "block" => FileKind::Block(number()?, number()?),
        "char" => FileKind::Char(number()?, number()?),
        _ => FileKind::File,
    };
    Some((uid, gid, mode, kind))
}

/// Whether an attribute from a layer may be set. Those that steer the overlay mount, ketch
/// itself or this host's security modules never are.
pub(super) fn xattr_allowed(name: &[u8], mode: Mode) -> bool {
    if name == b"security.capability" {
        return true;
    }
    if name.starts_with(b"system.posix_acl_") {
        // Elsewhere the ids in an ACL would be those of strangers.
        return mode == Mode::Root;
    }
    let own = [
        &b"user.overlay."[..],
        b"user.fuseoverlayfs.",
        b"user.containers.",
    ];
    name.starts_with(b"user.") && !own.iter().any(|prefix| name.starts_with(prefix))
}

/// File capabilities as images have them. What one id's root gives a file the kernel binds to
/// that id (version 3 of `vfs_cap_data` in linux/capability.h: one number more), which is nobody
/// on another machine.
pub(super) fn unbound(mut value: Vec<u8>) -> Vec<u8> {
    const LENGTH: usize = 20;
    if value.len() == LENGTH + 4 && value[3] == 3 {
        value[3] = 2;
        value.truncate(LENGTH);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_steer_mounts_or_this_host_are_dropped() {
        for (name, root, single) in [
            (&b"user.note"[..], true, true),
            (b"security.capability", true, true),
            (b"system.posix_acl_access", true, false),
            (b"trusted.overlay.opaque", false, false),
            (b"trusted.x", false, false),
            (b"user.overlay.opaque", false, false),
            (b"user.overlay.whiteout", false, false),
            (b"user.fuseoverlayfs.opaque", false, false),
            (b"user.containers.override_stat", false, false),
            (b"security.selinux", false, false),
            (b"security.ima", false, false),
            (b"security.evm", false, false),
            (b"system.nfs4_acl", false, false),
            (b"other", false, false),
        ] {
            let found = (
                xattr_allowed(name, Mode::Root),
                xattr_allowed(name, Mode::Single),
            );
            assert_eq!(found, (root, single), "{}", name.escape_ascii());
        }
    }
}
