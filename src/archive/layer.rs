//! The compressed form of a new layer, with both its digests, in one pass and constant memory.

use std::io::{self, Write};

use super::code::{Coder, Coding};
use crate::common::{Digest, Hasher};

/// A new layer's names and lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct NewLayer {
    /// Digest of the tar stream.
    pub(crate) diff_id: Digest,
    /// Digest of the compressed bytes.
    pub(crate) digest: Digest,
    /// Length of the compressed bytes.
    pub(crate) size: u64,
}

/// Takes a tar stream and writes it compressed to `W`. The same stream gives the same bytes,
/// whatever the machine.
pub(crate) struct LayerWriter<W: Write> {
    tar: Hasher,
    coder: Coder<Hashed<W>>,
}

impl<W: Write> LayerWriter<W> {
    /// Begins a layer as the store has them.
    pub(crate) fn new(out: W) -> LayerWriter<W> {
        LayerWriter::coded(out, Coding::default())
    }

    /// Begins a layer that is compressed so.
    pub(crate) fn coded(out: W, coding: Coding) -> LayerWriter<W> {
        let hashed = Hashed {
            out,
            hasher: Hasher::default(),
            length: 0,
        };
        LayerWriter {
            tar: Hasher::default(),
            coder: Coder::new(hashed, coding),
        }
    }

    /// Ends it.
    pub(crate) fn finish(self) -> io::Result<NewLayer> {
        let mut hashed = self.coder.finish()?;
        hashed.out.flush()?;
        Ok(NewLayer {
            diff_id: self.tar.finish(),
            digest: hashed.hasher.finish(),
            size: hashed.length,
        })
    }
}

impl<W: Write> Write for LayerWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.coder.write(bytes)?;
        self.tar.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Hashed<W> {
    out: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
