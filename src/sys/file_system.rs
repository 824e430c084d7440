//! The file system that a path is on: its kind and its space, by statfs(2).

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::statfs::{Statfs, statfs};

use crate::common::{Error, Result};

/// Magic numbers, names, and whether other machines see the same files.
const KNOWN: [(i64, &str, bool); 31] = [
    (0xEF53, "ext4", false),
    (0x5846_5342, "xfs", false),
    (0x9123_683E, "btrfs", false),
    (0x0102_1994, "tmpfs", false),
    (0x8584_58F6, "ramfs", false),
    (0x794C_7630, "overlay", false),
    (0x2FC1_2FC1, "zfs", false),
    (0xF2F5_2010, "f2fs", false),
    (0xCA45_1A4E, "bcachefs", false),
    (0x7371_7368, "squashfs", false),
    (0xE0F5_E1E2, "erofs", false),
    (0x4D44, "vfat", false),
    (0x6573_5546, "fuse", false),
    (0x0027_E0EB, "cgroup", false),
    (0x6367_7270, "cgroup2", false),
    (0x6969, "NFS", true),
    (0x517B, "SMB", true),
    (0xFE53_4D42, "SMB", true),
    (0xFF53_4D42, "CIFS", true),
    (0x0BD0_0BD0, "Lustre", true),
    (0x4750_4653, "GPFS", true),
    (0x1983_0326, "BeeGFS", true),
    (0x00C3_6400, "CephFS", true),
    (0x5346_414F, "AFS", true),
    (0x6B41_4653, "AFS", true),
    (0xAAD7_AAEA, "PanFS", true),
    (0x0102_1997, "9p", true),
    (0x2003_0528, "OrangeFS", true),
    (0x7375_7245, "Coda", true),
    (0x0116_1970, "GFS2", true),
    (0x7461_636F, "OCFS2", true),
];

/// `FS_TOPDIR_FL` of linux/fs.h.
const TOP_OF_HIERARCHY: libc::c_int = 0x0002_0000;

/// What statfs(2) says about the file system of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSystem {
    /// Its magic number.
    magic: i64,
    /// Bytes an ordinary user can still write.
    pub(crate) free: u64,
    /// Bytes in all.
    pub(crate) total: u64,
}

impl FileSystem {
    fn new(found: &Statfs) -> FileSystem {
        let block = u64::try_from(found.block_size()).unwrap_or(0);
        FileSystem {
            // The type's sign and width differ by architecture; the numbers have 32 bits.
            magic: i64::from(found.filesystem_type().0 as u32),
            free: found.blocks_available().saturating_mul(block),
            total: found.blocks().saturating_mul(block),
        }
    }

    /// Its name, or `unknown`.
    pub(crate) fn name(self) -> &'static str {
        self.known().map_or("unknown", |(_, name, _)| name)
    }

    /// Says whether other machines see the same files: overlay's upper directory, locks and
    /// mapped owners do not work there.
    pub(crate) fn is_network(self) -> bool {
        self.known().is_some_and(|(_, _, network)| network)
    }

    /// Says whether it is served by a program, which may be a network's (sshfs).
    pub(crate) fn is_fuse(self) -> bool {
        self.name() == "fuse"
    }

    fn known(self) -> Option<(i64, &'static str, bool)> {
        KNOWN.into_iter().find(|(magic, _, _)| *magic == self.magic)
    }
}

/// Asks for the file system of `path`, or of its nearest parent that exists.
pub(crate) fn file_system(path: &Path) -> Result<FileSystem> {
    let mut at = path;
    loop {
        match statfs(at) {
            Ok(found) => return Ok(FileSystem::new(&found)),
            Err(Errno::ENOENT) => match at.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => at = parent,
                _ => return Err(Error::errno("statfs", path, Errno::ENOENT)),
            },
            Err(errno) => return Err(Error::errno("statfs", at, errno)),
        }
    }
}

/// Asks the file system to place the directories that are made in `dir` far from each other, each
/// with what will be in it. ext4 never gives a number of a file that was removed in the last
/// minutes to a new one: it looks past all of them, so that files made beside many removed ones
/// cost ten times as much. Other file systems have no such wish, and nothing depends on it.
pub(crate) fn spread(dir: &Path) {
    let Ok(dir) = File::open(dir) else { return };
    if let Some(mut flags) = flags(&dir) {
        flags |= TOP_OF_HIERARCHY;
        // SAFETY: as in `flags`.
        unsafe { libc::ioctl(dir.as_raw_fd(), libc::FS_IOC_SETFLAGS, &raw mut flags) };
    }
}

/// The flags of a file (ioctl_iflags(2)); `None` where its file system has none.
fn flags(file: &File) -> Option<libc::c_int> {
    let mut flags: libc::c_int = 0;
    // SAFETY: the argument is a pointer to an int, which is what the kernel reads and writes for
    // both calls whatever the number of the call says (ioctl_iflags(2)); the file is open.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) };
    (done == 0).then_some(flags)
}

/// Whether [`spread`] was asked for `dir`; `None` where the file system does not know it.
#[cfg(test)]
pub(crate) fn is_spread(dir: &Path) -> Option<bool> {
    let ext4 = file_system(dir).ok()?.name() == "ext4";
    let flags = flags(&File::open(dir).ok()?)?;
    ext4.then_some(flags & TOP_OF_HIERARCHY != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_named_as_such() {
        let of = |magic| FileSystem {
            magic,
            free: 0,
            total: 0,
        };
        assert_eq!(
            (of(0x0BD0_0BD0).name(), of(0x0BD0_0BD0).is_network()),
            ("Lustre", true)
        );
        assert_eq!(
            (of(0xEF53).name(), of(0xEF53).is_network()),
            ("ext4", false)
        );
        assert_eq!((of(1).name(), of(1).is_network()), ("unknown", false));
        let mut magics: Vec<i64> = KNOWN.iter().map(|(magic, _, _)| *magic).collect();
        magics.sort_unstable();
        magics.dedup();
        assert_eq!(magics.len(), KNOWN.len());
    }

    #[test]
    fn a_missing_path_is_on_the_file_system_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let here = file_system(dir.path()).unwrap();
        let there = file_system(&dir.path().join("no/such")).unwrap();
        assert_eq!((there.magic, there.total), (here.magic, here.total));
        assert!(here.free <= here.total);
        assert_eq!(file_system(Path::new("/proc")).unwrap().name(), "unknown");
    }
}
