//! Layers written byte by byte, so that a case can say things no tar program would.

use std::collections::BTreeMap;

/// How a layer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Plain,
    Gzip,
    /// Two gzip members, one behind the other.
    GzipTwice,
    Zstd,
    Xz,
    Bzip2,
}

/// A tar stream under construction; every entry has a fixed time unless the case says otherwise.
#[derive(Clone)]
pub(crate) struct Layer {
    tar: Vec<u8>,
    owner: (u64, u64),
    mtime: u64,
    pax: BTreeMap<String, Vec<u8>>,
    pub(crate) compression: Compression,
    ended: bool,
}

impl Layer {
    pub(crate) fn new() -> Layer {
        Layer {
            tar: Vec::new(),
            owner: (0, 0),
            mtime: 1_600_000_000,
            pax: BTreeMap::new(),
            compression: Compression::Gzip,
            ended: true,
        }
    }

    /// The owner of the entries that follow.
    pub(crate) fn owner(mut self, uid: u64, gid: u64) -> Self {
        self.owner = (uid, gid);
        self
    }

    /// The time of the entries that follow, in seconds since 1970.
    pub(crate) fn mtime(mut self, seconds: u64) -> Self {
        self.mtime = seconds;
        self
    }

    pub(crate) fn compressed(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Leaves out the two blocks of zeros at the end of the stream.
    pub(crate) fn without_end(mut self) -> Self {
        self.ended = false;
        self
    }

    /// A PAX record for the next entry alone.
    pub(crate) fn pax(mut self, key: &str, value: &[u8]) -> Self {
        self.pax.insert(key.to_owned(), value.to_vec());
        self
    }

    pub(crate) fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(b'5', path, "", mode, b"", (0, 0))
    }

    pub(crate) fn file(self, path: &str, mode: u32, data: &[u8]) -> Self {
        self.entry(b'0', path, "", mode, data, (0, 0))
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, 0o777, b"", (0, 0))
    }

    pub(crate) fn hardlink(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, 0o644, b"", (0, 0))
    }

    pub(crate) fn fifo(self, path: &str, mode: u32) -> Self {
        self.entry(b'6', path, "", mode, b"", (0, 0))
    }

    pub(crate) fn char_device(self, path: &str, mode: u32, major: u32, minor: u32) -> Self {
        self.entry(b'3', path, "", mode, b"", (major, minor))
    }

    /// One entry of any type; names longer than a header holds go into PAX records.
    pub(crate) fn entry(
        mut self,
        kind: u8,
        path: &str,
        target: &str,
        mode: u32,
        data: &[u8],
        device: (u32, u32),
    ) -> Self {
        for (key, text) in [("path", path), ("linkpath", target)] {
            if text.len() > 100 {
                self.pax.insert(key.to_owned(), text.as_bytes().to_vec());
            }
        }
        let records: Vec<u8> = std::mem::take(&mut self.pax)
            .iter()
            .flat_map(|(key, value)| record(key, value))
            .collect();
        if !records.is_empty() {
            self.raw(b'x', "pax", "", 0o644, &records, (0, 0));
        }
        self.raw(kind, path, target, mode, data, device);
        self
    }

    fn raw(
        &mut self,
        kind: u8,
        path: &str,
        target: &str,
        mode: u32,
        data: &[u8],
        device: (u32, u32),
    ) {
        let mut header = tar::Header::new_ustar();
        header.set_mode(mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(self.mtime);
        header.set_size(data.len() as u64);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_device_major(device.0).unwrap();
        header.set_device_minor(device.1).unwrap();
        let old = header.as_old_mut();
        // Names are copied as they are: the setters of the crate refuse what hostile images hold.
        for (field, text) in [(&mut old.name, path), (&mut old.linkname, target)] {
            let length = text.len().min(field.len());
            field[..length].copy_from_slice(&text.as_bytes()[..length]);
        }
        header.set_cksum();
        self.tar.extend(header.as_bytes());
        self.tar.extend(data);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
    }

    /// The uncompressed stream, whose digest is the diff id.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut tar = self.tar.clone();
        if self.ended {
            tar.resize(tar.len() + 1024, 0);
        }
        tar
    }

    /// The stream as it travels.
    pub(crate) fn blob(&self) -> Vec<u8> {
        let tar = self.tar();
        match self.compression {
            Compression::Plain => tar,
            Compression::Gzip => gzip(&tar),
            Compression::GzipTwice => {
                let (first, second) = tar.split_at(tar.len() / 2);
                [gzip(first), gzip(second)].concat()
            }
            Compression::Zstd => zstd::encode_all(&tar[..], 1).unwrap(),
            Compression::Xz => {
                let mut out = Vec::new();
                let mut reader = liblzma::read::XzEncoder::new(&tar[..], 1);
                std::io::copy(&mut reader, &mut out).unwrap();
                out
            }
            Compression::Bzip2 => {
                let mut out = Vec::new();
                let mut reader = bzip2::read::BzEncoder::new(&tar[..], bzip2::Compression::fast());
                std::io::copy(&mut reader, &mut out).unwrap();
                out
            }
        }
    }

    pub(crate) fn media_type(&self) -> &'static str {
        match self.compression {
            Compression::Plain => "application/vnd.oci.image.layer.v1.tar",
            Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            _ => "application/vnd.oci.image.layer.v1.tar+gzip",
        }
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, data).unwrap();
    encoder.finish().unwrap()
}

/// One PAX record: its own length in decimal, a blank, key=value and a newline.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut out = format!("{length} {key}=").into_bytes();
    out.extend(value);
    out.push(b'\n');
    out
}
