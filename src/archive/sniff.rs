//! Whether a file is an archive, by its content.

use std::io::Read;

use tar::Header;

use super::compress::decompress;
use super::field::checksum_fits;

/// Whether `source` is a tar archive with at least one entry, compressed or not.
pub(crate) fn is_archive(source: impl Read) -> bool {
    let mut header = Header::new_old();
    let Ok(mut tar) = decompress(source) else {
        return false;
    };
    tar.read_exact(header.as_mut_bytes()).is_ok() && checksum_fits(&header)
}
