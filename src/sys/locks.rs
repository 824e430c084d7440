//! Which files are locked, all at once (proc_locks(5)): one read instead of a probe of each.

use std::collections::HashSet;

use super::file;

/// A file as the kernel's list of locks names it: device numbers and inode.
pub(crate) type FileKey = (u64, u64, u64);

/// The files that somebody holds a lock of. A file that is missing here may be locked all the
/// same: over a network, in a file system that shows other device numbers (btrfs), or by a
/// process of another pid namespace with a lock of its own (not an open file description's).
pub(crate) fn held() -> HashSet<FileKey> {
    let bytes = file::read_kernel("/proc/locks").unwrap_or_default();
    parse(&String::from_utf8_lossy(&bytes))
}

/// The key of a file by its `st_dev` and inode.
pub(crate) fn key(device: u64, inode: u64) -> FileKey {
    (
        libc::major(device).into(),
        libc::minor(device).into(),
        inode,
    )
}

/// `1: OFDLCK ADVISORY  WRITE -1 fe:00:1234 0 EOF`; who waits has `->` after the number.
fn parse(text: &str) -> HashSet<FileKey> {
    let file = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let file = words.next().filter(|word| *word != "->");
        let file = file.and_then(|_| words.nth(3))?;
        let mut parts = file.split(':');
        let mut hex = || u64::from_str_radix(parts.next()?, 16).ok();
        let (major, minor) = (hex()?, hex()?);
        Some((major, minor, parts.next()?.parse().ok()?))
    };
    text.lines().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_lock_of_an_open_file_is_listed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let found = file.as_file().metadata().unwrap();
        let key = key(found.dev(), found.ino());
        assert!(!held().contains(&key));
        file::lock(file.as_file(), file::Sharing::Exclusive).unwrap();
        assert!(held().contains(&key));
    }

    #[test]
    fn who_waits_holds_nothing() {
        let text = "1: OFDLCK ADVISORY  WRITE -1 fe:00:12 0 EOF\n\
                    1: -> OFDLCK ADVISORY  WRITE -1 fe:00:13 0 EOF\n\
                    2: FLOCK  ADVISORY  READ 77 00:2a:14 0 EOF\nnonsense\n";
        assert_eq!(parse(text), [(0xfe, 0, 12), (0, 0x2a, 14)].into());
    }
}
