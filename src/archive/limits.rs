//! How much a layer may ask for. The defaults are far above any real image; they stop bombs.

use crate::common::{Error, Kind, Result};

/// Bounds of one layer; exceeding one is `Kind::Corrupt`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Entries, and directories made because an entry needed them.
    pub(crate) entries: u64,
    /// Bytes of one path or link target (PATH_MAX without its NUL).
    pub(crate) name: usize,
    /// Components of one path.
    pub(crate) depth: usize,
    /// Bytes of one extended header, and of one sparse map.
    pub(crate) extended: u64,
    /// Bytes of the tar stream, and of any one file, holes included.
    pub(crate) bytes: u64,
    /// Tar bytes per compressed byte, once past `ratio_from`.
    pub(crate) ratio: u64,
    /// Tar bytes that are never held against `ratio`.
    pub(crate) ratio_from: u64,
}

impl Limits {
    /// Those of a layer.
    pub(super) const fn usual() -> Limits {
        Limits {
            entries: 10_000_000,
            name: 4095,
            depth: 1024,
            extended: 1 << 20,
            bytes: 1 << 40,
            // deflate itself can't exceed 1032; zstd and bzip2 bombs reach millions.
            ratio: 2000,
            ratio_from: 4 << 30,
        }
    }

    /// Refuses a stream of which `consumed` bytes came to `produced` ones.
    pub(super) fn check(&self, consumed: u64, produced: u64) -> Result<()> {
        let bomb = produced > self.ratio_from && produced / consumed.max(1) > self.ratio;
        if bomb || produced > self.bytes {
            let why = format!("{consumed} bytes unpack to more than {produced}: over the limit");
            return Err(Error::new(Kind::Corrupt, "decompress", "").because(why));
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::usual()
    }
}
