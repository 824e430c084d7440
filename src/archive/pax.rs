//! Extended headers (POSIX pax): records that override fields of the entry they precede.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::field::corrupt;
use super::sparse::Segment;
use crate::common::Result;

/// Attributes of one entry; more don't fit any file system's inode.
const XATTRS_MAX: usize = 1024;

/// What extended headers say of one entry. `None`: they say nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// Seconds and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
    /// Name and value; a later record of the same name wins.
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: SparseRecords,
}

/// GNU.sparse.* records of the formats 0.0, 0.1 and 1.0.
#[derive(Debug, Clone, Default)]
pub(super) struct SparseRecords {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    /// GNU.sparse.size or GNU.sparse.realsize: the file's size, holes included.
    pub(super) real_size: Option<u64>,
    pub(super) map: Vec<Segment>,
    offset: Option<u64>,
}

impl SparseRecords {
    /// Whether any record of this family was there.
    pub(super) fn present(&self) -> bool {
        self.major.is_some() || self.real_size.is_some() || !self.map.is_empty()
    }
}

impl Pax {
    /// Adds the records of one extended header, which override earlier ones.
    pub(super) fn read(&mut self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let (key, value, rest) = record(data)?;
            self.apply(key, value)?;
            data = rest;
        }
        if self.sparse.offset.is_some() {
            return Err(corrupt(b"GNU.sparse.offset", "has no length"));
        }
        Ok(())
    }

    /// Refuses what makes no sense for all entries at once and what readers disagree about.
    pub(super) fn check_global(&self) -> Result<()> {
        if self.path.is_some() || self.link.is_some() || self.size.is_some() {
            return Err(corrupt(b"", "global header that names or sizes entries"));
        }
        if self.sparse.present() || self.sparse.name.is_some() {
            return Err(corrupt(b"", "global header with a sparse map"));
        }
        Ok(())
    }

    fn apply(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            return self.xattr(name.to_vec(), value.to_vec());
        }
        if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
            return self.libarchive_xattr(key, name, value);
        }
        if let Some(field) = key.strip_prefix(b"GNU.sparse.") {
            return self.sparse(field, value);
        }
        match key {
            b"path" => self.path = name(key, value)?,
            b"linkpath" => self.link = name(key, value)?,
            b"size" => self.size = number(key, value)?,
            b"uid" => self.uid = number(key, value)?,
            b"gid" => self.gid = number(key, value)?,
            b"mtime" if value.is_empty() => self.mtime = None,
            b"mtime" => {
                let time = time(value).ok_or_else(|| corrupt(key, "not a time"))?;
                self.mtime = Some(time);
            }
            _ => {}
        }
        Ok(())
    }

    fn xattr(&mut self, name: Vec<u8>, value: Vec<u8>) -> Result<()> {
        if name.is_empty() || name.contains(&0) {
            return Err(corrupt(&name, "malformed attribute name"));
        }
        if self.xattrs.len() >= XATTRS_MAX {
            return Err(corrupt(&name, "too many attributes"));
        }
        match self.xattrs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.xattrs.push((name, value)),
        }
        Ok(())
    }

    /// libarchive's older form: the name percent-encoded, the value in base64. bsdtar writes
    /// both forms; SCHILY's, which needs no decoding, wins.
    fn libarchive_xattr(&mut self, key: &[u8], name: &[u8], value: &[u8]) -> Result<()> {
        let name = percent_decode(name).ok_or_else(|| corrupt(key, "malformed name"))?;
        if self.xattrs.iter().any(|(known, _)| *known == name) {
            return Ok(());
        }
        let end = value.iter().rposition(|byte| *byte != b'=');
        let digits = &value[..end.map_or(0, |end| end + 1)];
        let value = STANDARD_NO_PAD
            .decode(digits)
            .map_err(|_| corrupt(key, "malformed base64"))?;
        self.xattr(name, value)
    }

    fn sparse(&mut self, field: &[u8], value: &[u8]) -> Result<()> {
        let sparse = &mut self.sparse;
        match field {
            b"major" => sparse.major = number(field, value)?,
            b"minor" => sparse.minor = number(field, value)?,
            b"name" => sparse.name = name(field, value)?,
            b"size" | b"realsize" => sparse.real_size = number(field, value)?,
            b"map" => {
                sparse.map.clear();
                let mut numbers = Vec::new();
                for part in value.split(|byte| *byte == b',') {
                    numbers.extend(number(field, part)?);
                }
                for pair in numbers.chunks(2) {
                    let [offset, length] = *pair else {
                        return Err(corrupt(field, "has an odd count"));
                    };
                    sparse.map.push(Segment { offset, length });
                }
            }
            b"offset" if sparse.offset.is_some() => {
                return Err(corrupt(field, "follows another offset"));
            }
            b"offset" => sparse.offset = number(field, value)?,
            b"numbytes" => {
                let length = number(field, value)?;
                let (Some(offset), Some(length)) = (sparse.offset.take(), length) else {
                    return Err(corrupt(field, "has no offset"));
                };
                sparse.map.push(Segment { offset, length });
            }
            _ => {}
        }
        Ok(())
    }
}

/// One `LENGTH KEY=VALUE\n` at the start of `data`, and what follows it.
fn record(data: &[u8]) -> Result<(&[u8], &[u8], &[u8])> {
    let bad = || corrupt(b"", "malformed extended header");
    // The longest length that can be right has seven digits.
    let space = data.iter().take(8).position(|byte| *byte == b' ');
    let digits = &data[..space.ok_or_else(bad)?];
    let length = decimal(digits).ok_or_else(bad)?;
    let length = usize::try_from(length).map_err(|_| bad())?;
    if length > data.len() || length < digits.len() + 2 {
        return Err(bad());
    }
    let (whole, rest) = data.split_at(length);
    let body = &whole[digits.len() + 1..];
    let (newline, body) = body.split_last().ok_or_else(bad)?;
    let equals = body.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
    let (key, value) = (&body[..equals], &body[equals + 1..]);
    if *newline != b'\n' || key.is_empty() || key.contains(&0) {
        return Err(bad());
    }
    Ok((key, value, rest))
}

/// A name; an empty value takes back what an earlier header said.
fn name(key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
    if value.contains(&0) {
        return Err(corrupt(key, "contains a nul byte"));
    }
    Ok((!value.is_empty()).then(|| value.to_vec()))
}

/// A count; an empty value takes back what an earlier header said.
fn number(key: &[u8], value: &[u8]) -> Result<Option<u64>> {
    if value.is_empty() {
        return Ok(None);
    }
    match decimal(value).filter(|value| i64::try_from(*value).is_ok()) {
        Some(value) => Ok(Some(value)),
        None => Err(corrupt(key, "not a number")),
    }
}

/// Decimal digits only: no sign, no blanks.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// `[-]SECONDS[.FRACTION]`, cut to nanoseconds.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or(b"");
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = digits.fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    match (negative, nanos) {
        (false, _) => Some((seconds, nanos)),
        (true, 0) => Some((-seconds, 0)),
        // A time counts its nanoseconds upwards from the second below it.
        (true, _) => Some((-seconds - 1, 1_000_000_000 - nanos)),
    }
}

fn percent_decode(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name.iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let high = char::from(*rest.next()?).to_digit(16)?;
            let low = char::from(*rest.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(*byte);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[u8]) -> Result<Pax> {
        let mut pax = Pax::default();
        pax.read(data)?;
        Ok(pax)
    }

    #[test]
    fn records_override_and_take_back() {
        let pax = read(b"9 path=a\n9 path=b\n12 uid=1000\n7 uid=\n30 mtime=1700000000.123456789\n")
            .unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"b"[..]));
        assert_eq!(pax.uid, None);
        assert_eq!(pax.mtime, Some((1_700_000_000, 123_456_789)));
    }

    #[test]
    fn times_before_the_epoch_keep_their_fraction() {
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"-1"), Some((-1, 0)));
        for bad in [&b"1e9"[..], b"", ".5".as_bytes(), b"1.x", b"+1", b" 1"] {
            assert_eq!(time(bad), None);
        }
    }

    #[test]
    fn malformed_records_are_refused() {
        for data in [
            &b"5 a\n"[..],
            b"6 a=b",
            b"7 a=b\n",
            b"0 a=b\n",
            b"6 a=bX",
            b"6 =ab\n",
            b"06a=b\n",
            b"-6 a=b\n",
            b"99999999999999999999 a=b\n",
            b"11 size=-1\n",
            b"13 size=0x10\n",
            b"12 path=a\0b\n",
            b"10 size=1 \n",
            b"6 a=b\n\0\0\0",
        ] {
            assert!(read(data).is_err(), "{}", data.escape_ascii());
        }
    }

    #[test]
    fn attributes_come_in_two_forms() {
        let pax = read(b"23 SCHILY.xattr.a.b=x\0\n34 LIBARCHIVE.xattr.user%2Ec=eQ==\n");
        let pax = pax.unwrap();
        assert_eq!(pax.xattrs[0], (b"a.b".to_vec(), b"x\0".to_vec()));
        assert_eq!(pax.xattrs[1], (b"user.c".to_vec(), b"y".to_vec()));
    }
}
