//! Extended attributes by descriptor and by path (xattr(7)). No call here follows a link.

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;

/// The kernel's XATTR_SIZE_MAX and XATTR_LIST_MAX: no answer is longer.
const ANSWER_MAX: usize = 64 << 10;

/// What happens when the attribute exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It gets the new value.
    Replace,
    /// EEXIST.
    Refuse,
}

impl Existing {
    fn flags(self) -> libc::c_int {
        match self {
            Existing::Replace => 0,
            Existing::Refuse => libc::XATTR_CREATE,
        }
    }
}

/// Sets an attribute of an open file; O_PATH descriptors give EBADF, see [`set_by_fd_path`].
pub(crate) fn fset(
    fd: impl AsFd,
    name: &[u8],
    value: &[u8],
    existing: Existing,
) -> nix::Result<()> {
    let name = c_string(name)?;
    // SAFETY: name is NUL-terminated, value is valid for its length, the descriptor is borrowed.
    let result = unsafe {
        libc::fsetxattr(
            fd.as_fd().as_raw_fd(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            existing.flags(),
        )
    };
    Errno::result(result).map(drop)
}

/// Reads an attribute of an open file; `None` when it has no such attribute.
pub(crate) fn fget(fd: impl AsFd, name: &[u8]) -> nix::Result<Option<Vec<u8>>> {
    let name = c_string(name)?;
    present(answer(|buffer| {
        // SAFETY: name is NUL-terminated, buffer is valid for its length.
        unsafe {
            libc::fgetxattr(
                fd.as_fd().as_raw_fd(),
                name.as_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        }
    }))
}

/// Sets an attribute of what an O_PATH descriptor refers to, through /proc/self/fd (which must
/// be there). The link in /proc leads to the inode itself, also when that is a symbolic link.
pub(crate) fn set_by_fd_path(fd: impl AsFd, name: &[u8], value: &[u8]) -> nix::Result<()> {
    let path = c_string(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()).as_bytes())?;
    let name = c_string(name)?;
    // SAFETY: both strings are NUL-terminated, value is valid for its length.
    let result = unsafe {
        libc::setxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Errno::result(result).map(drop)
}

/// Sets an attribute of `path` itself.
pub(crate) fn lset(path: &Path, name: &[u8], value: &[u8]) -> nix::Result<()> {
    let (path, name) = (c_string(path.as_os_str().as_bytes())?, c_string(name)?);
    // SAFETY: both strings are NUL-terminated, value is valid for its length.
    let result = unsafe {
        libc::lsetxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Errno::result(result).map(drop)
}

/// Reads an attribute of `path` itself; `None` when it has no such attribute.
pub(crate) fn lget(path: &Path, name: &[u8]) -> nix::Result<Option<Vec<u8>>> {
    let (path, name) = (c_string(path.as_os_str().as_bytes())?, c_string(name)?);
    present(answer(|buffer| {
        // SAFETY: both strings are NUL-terminated, buffer is valid for its length.
        unsafe {
            libc::lgetxattr(
                path.as_ptr(),
                name.as_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        }
    }))
}

/// Names of the attributes of `path` itself, sorted.
pub(crate) fn llist(path: &Path) -> nix::Result<Vec<OsString>> {
    let path = c_string(path.as_os_str().as_bytes())?;
    let names = answer(|buffer| {
        // SAFETY: path is NUL-terminated, buffer is valid for its length.
        unsafe { libc::llistxattr(path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) }
    })?;
    let mut names: Vec<OsString> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsString::from_vec(name.to_vec()))
        .collect();
    names.sort();
    Ok(names)
}

fn c_string(bytes: &[u8]) -> nix::Result<CString> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// Runs `call` with a buffer that holds the usual answer, then with the largest there is.
fn answer(mut call: impl FnMut(&mut [u8]) -> libc::ssize_t) -> nix::Result<Vec<u8>> {
    let mut buffer = vec![0u8; 256];
    let mut length = Errno::result(call(&mut buffer));
    if length == Err(Errno::ERANGE) {
        buffer.resize(ANSWER_MAX, 0);
        length = Errno::result(call(&mut buffer));
    }
    buffer.truncate(usize::try_from(length?).unwrap_or(0));
    Ok(buffer)
}

fn present(result: nix::Result<Vec<u8>>) -> nix::Result<Option<Vec<u8>>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::ENODATA) => Ok(None),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn values_of_any_length_come_back_by_every_route() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let file = File::create(&path).unwrap();
        match fset(&file, b"user.a", b"1", Existing::Refuse) {
            Err(Errno::EOPNOTSUPP) => return,
            other => other.unwrap(),
        }
        let again = fset(&file, b"user.a", b"2", Existing::Refuse);
        assert_eq!(again, Err(Errno::EEXIST));
        let long = vec![7u8; 1000];
        lset(&path, b"user.long", &long).unwrap();
        set_by_fd_path(&file, b"user.z", b"").unwrap();
        assert_eq!(fget(&file, b"user.a").unwrap().unwrap(), b"1");
        assert_eq!(lget(&path, b"user.long").unwrap().unwrap(), long);
        assert_eq!(lget(&path, b"user.none").unwrap(), None);
        assert_eq!(llist(&path).unwrap(), ["user.a", "user.long", "user.z"]);
        assert_eq!(fget(&file, b"user.\0"), Err(Errno::EINVAL));
    }
}
