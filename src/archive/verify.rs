//! A reader that proves what it read: the digest and size of a blob, checked at its end.

use std::io::{self, Read};

use crate::common::{Digest, Error, Hasher, Kind};

/// Passes bytes through and fails at the end unless they were exactly the blob promised.
/// Never yields more than `size` bytes.
#[derive(Debug)]
pub(crate) struct Verified<R> {
    inner: R,
    hasher: Option<Hasher>,
    expected: Digest,
    size: u64,
    seen: u64,
}

impl<R: Read> Verified<R> {
    /// Wraps `inner`, which must give `size` bytes with the digest `expected`.
    pub(crate) fn new(inner: R, expected: Digest, size: u64) -> Verified<R> {
        Verified {
            inner,
            hasher: Some(Hasher::default()),
            expected,
            size,
            seen: 0,
        }
    }

    fn corrupt(&self, why: String) -> io::Error {
        let error = Error::new(Kind::Corrupt, "verify blob", self.expected.to_string());
        io::Error::new(io::ErrorKind::InvalidData, error.because(why))
    }

    fn end(&mut self) -> io::Result<usize> {
        if self.seen < self.size {
            return Err(self.corrupt(format!("{} bytes of {}", self.seen, self.size)));
        }
        if let Some(hasher) = self.hasher.take() {
            let found = hasher.finish();
            if found != self.expected {
                return Err(self.corrupt(format!("content has digest {found}")));
            }
        }
        Ok(0)
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return self.end();
        }
        self.seen += count as u64;
        if self.seen > self.size {
            return Err(self.corrupt(format!("more than {} bytes", self.size)));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], expected: &[u8], size: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Verified::new(bytes, Digest::of(expected), size).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn only_the_exact_blob_reads_to_its_end() {
        assert_eq!(read(b"blob", b"blob", 4).unwrap(), b"blob");
        for (bytes, size) in [(&b"blo"[..], 4), (b"blobs", 4), (b"blab", 4), (b"blob", 5)] {
            assert!(read(bytes, b"blob", size).is_err(), "{bytes:?} {size}");
        }
    }
}
