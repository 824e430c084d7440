//! Archives for tests, block by block, so that every kind of broken one can be made too.

/// A tar stream being built.
#[derive(Debug, Clone, Default)]
pub(super) struct Tar {
    bytes: Vec<u8>,
}

/// Fields of one header; what is not set is a root-owned 0644 thing of 2023.
#[derive(Debug, Clone)]
pub(super) struct Head<'a> {
    pub(super) kind: u8,
    pub(super) path: &'a [u8],
    pub(super) link: &'a [u8],
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) size: u64,
    pub(super) mtime: u64,
    pub(super) device: (u32, u32),
}

impl<'a> Head<'a> {
    pub(super) fn new(kind: u8, path: &'a str) -> Head<'a> {
        Head {
            kind,
            path: path.as_bytes(),
            link: b"",
            mode: 0o644,
            owner: (0, 0),
            size: 0,
            mtime: 1_700_000_000,
            device: (0, 0),
        }
    }

    pub(super) fn block(&self) -> [u8; 512] {
        let mut block = [0u8; 512];
        let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
        put(0, &self.path[..self.path.len().min(100)]);
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, format!("{:07o}", self.owner.0).as_bytes());
        put(116, format!("{:07o}", self.owner.1).as_bytes());
        put(124, format!("{:011o}", self.size).as_bytes());
        put(136, format!("{:011o}", self.mtime).as_bytes());
        put(156, &[self.kind]);
        put(157, &self.link[..self.link.len().min(100)]);
        put(257, b"ustar\x0000");
        put(329, format!("{:07o}", self.device.0).as_bytes());
        put(337, format!("{:07o}", self.device.1).as_bytes());
        seal(&mut block);
        block
    }
}

/// Sets the checksum of a header.
pub(super) fn seal(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

impl Tar {
    pub(super) fn raw(mut self, bytes: &[u8]) -> Tar {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn padded(mut self, data: &[u8]) -> Tar {
        self.bytes.extend_from_slice(data);
        let end = self.bytes.len().next_multiple_of(512);
        self.bytes.resize(end, 0);
        self
    }

    pub(super) fn head(self, head: &Head<'_>) -> Tar {
        self.raw(&head.block())
    }

    pub(super) fn file(self, path: &str, data: &[u8]) -> Tar {
        self.file_as(Head::new(b'0', path), data)
    }

    pub(super) fn file_as(self, mut head: Head<'_>, data: &[u8]) -> Tar {
        head.size = data.len() as u64;
        self.head(&head).padded(data)
    }

    pub(super) fn dir(self, path: &str) -> Tar {
        let mut head = Head::new(b'5', path);
        head.mode = 0o755;
        self.head(&head)
    }

    pub(super) fn link(self, kind: u8, path: &str, target: &str) -> Tar {
        let mut head = Head::new(kind, path);
        head.link = target.as_bytes();
        self.head(&head)
    }

    pub(super) fn symlink(self, path: &str, target: &str) -> Tar {
        self.link(b'2', path, target)
    }

    pub(super) fn hard_link(self, path: &str, target: &str) -> Tar {
        self.link(b'1', path, target)
    }

    /// An extended header of `kind` ('x', 'g', 'L', 'K') with a body.
    pub(super) fn extended(self, kind: u8, body: &[u8]) -> Tar {
        self.file_as(Head::new(kind, "extended"), body)
    }

    pub(super) fn pax(self, records: &[(&str, &[u8])]) -> Tar {
        let body: Vec<u8> = records.iter().flat_map(|(k, v)| record(k, v)).collect();
        self.extended(b'x', &body)
    }

    /// With the two zero blocks that end an archive.
    pub(super) fn end(self) -> Vec<u8> {
        self.raw(&[0; 1024]).bytes
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let body = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let mut length = body.len() + 1;
    while length != body.len() + length.to_string().len() {
        length += 1;
    }
    [length.to_string().as_bytes(), &body].concat()
}
