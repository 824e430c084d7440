//! Decompression chosen by content. Media types lie; the first bytes don't.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

/// Input taken from the source at once.
const INPUT_BUFFER: usize = 128 << 10;

/// Largest zstd window accepted, as a power of two: what `zstd -d` and the other engines take.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Memory an xz stream may ask for; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames, skippable ones too.
    Zstd,
    /// .xz, any number of streams.
    Xz,
    /// bzip2, any number of streams.
    Bzip2,
    /// Not compressed.
    None,
}

impl Compression {
    /// Tells the compression from the first bytes (at least six, unless the data is shorter).
    pub(crate) fn detect(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            _ => Compression::None,
        }
    }
}

/// Returns a reader of the decompressed bytes of `source`. It reads `source` to its end, and
/// data after the compressed streams is an error.
pub(crate) fn decompress<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut source = BufReader::with_capacity(INPUT_BUFFER, Whole(source));
    let compression = Compression::detect(source.fill_buf()?);
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
            Box::new(XzDecoder::new_stream(source, stream))
        }
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(source)),
        Compression::None => Box::new(source),
    })
}

/// Fills each buffer as far as the source goes, so that detection sees enough and decoders get
/// large pieces however small the source's own are.
struct Whole<R>(R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn xz(data: &[u8]) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(data, 1).unwrap()
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompress(bytes)?.read_to_end(&mut out)?;
        Ok(out)
    }

    type Encoder = fn(&[u8]) -> Vec<u8>;

    const ENCODERS: [Encoder; 4] = [gzip, xz, bzip2, zstd];

    #[test]
    fn every_format_is_found_by_content_and_may_have_several_parts() {
        let data: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        let (first, second) = data.split_at(700_001);
        assert_eq!(unpack(&data).unwrap(), data);
        assert_eq!(unpack(b"").unwrap(), b"");
        for encode in ENCODERS {
            let joined = [encode(first), encode(second)].concat();
            assert_eq!(unpack(&joined).unwrap(), data);
        }
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9][..], &zstd(&data)].concat();
        assert_eq!(unpack(&skippable).unwrap(), data);
    }

    #[test]
    fn truncated_and_lengthened_streams_are_errors() {
        let data: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
        for (index, encode) in ENCODERS.into_iter().enumerate() {
            let whole = encode(&data);
            for cut in [1, 5, whole.len() / 2] {
                assert!(
                    unpack(&whole[..whole.len() - cut]).is_err(),
                    "{index} -{cut}"
                );
            }
            let mut longer = whole.clone();
            longer.extend_from_slice(b"garbage after the end");
            assert!(unpack(&longer).is_err(), "{index} longer");
            let mut flipped = whole.clone();
            let middle = flipped.len() / 2;
            flipped[middle] ^= 0x55;
            assert!(unpack(&flipped).is_err() || unpack(&flipped).unwrap() != data);
        }
    }
}
