//! Memory of a waiting thread, read with bounds.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::sys::seccomp::{read_memory, write_memory};

/// Longest path with its NUL (`PATH_MAX`).
const PATH_MAX: usize = 4096;
/// Longest attribute name with its NUL (`XATTR_NAME_MAX`).
const NAME_MAX: usize = 256;
/// Smallest page of any supported machine: a read that ends at such a border never touches a
/// page beyond the string's own.
const PAGE: u64 = 4096;

/// A path argument. ENAMETOOLONG and EFAULT as the kernel gives them.
pub(super) fn path(tid: i32, address: u64) -> Result<PathBuf, Errno> {
    let bytes = string(tid, address, PATH_MAX)?.ok_or(Errno::ENAMETOOLONG)?;
    Ok(PathBuf::from(OsStr::from_bytes(&bytes)))
}

/// An attribute's name.
pub(super) fn attribute_name(tid: i32, address: u64) -> Result<CString, Errno> {
    let bytes = string(tid, address, NAME_MAX)?.ok_or(Errno::ERANGE)?;
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// Bytes up to a NUL; `None` when `limit` bytes hold none.
fn string(tid: i32, mut address: u64, limit: usize) -> Result<Option<Vec<u8>>, Errno> {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 256];
    while bytes.len() < limit {
        let border = (PAGE - address % PAGE) as usize;
        let want = border.min(chunk.len()).min(limit - bytes.len());
        let got = read_memory(tid, address, &mut chunk[..want])?;
        if let Some(end) = chunk[..got].iter().position(|byte| *byte == 0) {
            bytes.extend_from_slice(&chunk[..end]);
            return Ok(Some(bytes));
        }
        if got != want {
            return Err(Errno::EFAULT);
        }
        bytes.extend_from_slice(&chunk[..got]);
        address = address.checked_add(got as u64).ok_or(Errno::EFAULT)?;
    }
    Ok(None)
}

/// Exactly `length` bytes; the caller bounds `length`.
pub(super) fn bytes(tid: i32, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; length];
    if length != 0 && read_memory(tid, address, &mut buffer)? != length {
        return Err(Errno::EFAULT);
    }
    Ok(buffer)
}

/// `count` ids of 4 bytes, or of 2 when `half`.
pub(super) fn ids(tid: i32, address: u64, count: usize, half: bool) -> Result<Vec<u32>, Errno> {
    let raw = bytes(tid, address, count * if half { 2 } else { 4 })?;
    Ok(if half {
        raw.chunks_exact(2)
            .map(|b| u32::from(u16::from_ne_bytes([b[0], b[1]])))
            .collect()
    } else {
        raw.chunks_exact(4)
            .map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    })
}

/// Writes ids likewise.
pub(super) fn put_ids(tid: i32, address: u64, ids: &[u32], half: bool) -> Result<(), Errno> {
    let raw: Vec<u8> = if half {
        ids.iter()
            .flat_map(|id| narrow(*id).to_ne_bytes())
            .collect()
    } else {
        ids.iter().flat_map(|id| id.to_ne_bytes()).collect()
    };
    if raw.is_empty() {
        return Ok(());
    }
    write_memory(tid, address, &raw)
}

/// A 16-bit id; what does not fit is the overflow id (`high2lowuid`).
pub(super) fn narrow(id: u32) -> u16 {
    u16::try_from(id).unwrap_or(65534)
}
