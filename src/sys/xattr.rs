//! Extended attributes by descriptor and by path (xattr(7)). No call here follows a link.

use std::ffi::{CStr, CString, OsString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;

use super::descriptor::path_of;

/// The attribute that holds what a file should be where it can't be that: `uid:gid:0MODE:type`,
/// containers/storage's `force_mask` form, which podman and buildah read too.
pub(crate) const OVERRIDE_STAT: &[u8] = b"user.containers.override_stat";

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

/// Sets an attribute of an open file; `O_PATH` descriptors give EBADF, see [`opened`].
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

/// Sets an attribute of `path` itself.
pub(crate) fn lset(path: &Path, name: &[u8], value: &[u8]) -> nix::Result<()> {
    let path = c_string(path.as_os_str().as_bytes())?;
    set_at(&path, name, value, libc::lsetxattr)
}

/// Reads an attribute of `path` itself; `None` when it has no such attribute.
pub(crate) fn lget(path: &Path, name: &[u8]) -> nix::Result<Option<Vec<u8>>> {
    let path = c_string(path.as_os_str().as_bytes())?;
    get_at(&path, name, libc::lgetxattr)
}

/// Names of the attributes of `path` itself, sorted.
pub(crate) fn llist(path: &Path) -> nix::Result<Vec<OsString>> {
    let path = c_string(path.as_os_str().as_bytes())?;
    let names = answer(|buffer| {
        // SAFETY: path is NUL-terminated, buffer is valid for its length.
        unsafe { libc::llistxattr(path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) }
    })?;
    Ok(split_names(&names))
}

fn split_names(answer: &[u8]) -> Vec<OsString> {
    let mut names: Vec<OsString> = answer
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsString::from_vec(name.to_vec()))
        .collect();
    names.sort();
    names
}

/// Names of the attributes of an open file, sorted.
pub(crate) fn flist(fd: impl AsFd) -> nix::Result<Vec<OsString>> {
    let fd = fd.as_fd();
    let names = answer(|buffer| {
        // SAFETY: buffer is valid for its length, the descriptor is borrowed.
        unsafe { libc::flistxattr(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) }
    })?;
    Ok(split_names(&names))
}

/// Attributes of the file behind an `O_PATH` descriptor, by its magic link in /proc: the
/// `f…xattr` calls refuse such descriptors.
pub(crate) mod opened {
    use super::*;

    /// Sets an attribute.
    pub(crate) fn set(fd: impl AsFd, name: &[u8], value: &[u8]) -> nix::Result<()> {
        set_at(&link(fd)?, name, value, libc::setxattr)
    }

    /// Reads an attribute; `None` when there is none of that name.
    pub(crate) fn get(fd: impl AsFd, name: &[u8]) -> nix::Result<Option<Vec<u8>>> {
        get_at(&link(fd)?, name, libc::getxattr)
    }

    /// Removes an attribute.
    pub(crate) fn remove(fd: impl AsFd, name: &[u8]) -> nix::Result<()> {
        let (link, name) = (link(fd)?, c_string(name)?);
        // SAFETY: both strings are NUL-terminated.
        Errno::result(unsafe { libc::removexattr(link.as_ptr(), name.as_ptr()) }).map(drop)
    }

    fn link(fd: impl AsFd) -> nix::Result<CString> {
        c_string(path_of(fd).as_bytes())
    }
}

/// setxattr(2), or lsetxattr(2), which does not follow a last link.
type SetCall = unsafe extern "C" fn(
    *const libc::c_char,
    *const libc::c_char,
    *const libc::c_void,
    libc::size_t,
    libc::c_int,
) -> libc::c_int;

/// getxattr(2) or lgetxattr(2).
type GetCall = unsafe extern "C" fn(
    *const libc::c_char,
    *const libc::c_char,
    *mut libc::c_void,
    libc::size_t,
) -> libc::ssize_t;

fn set_at(path: &CStr, name: &[u8], value: &[u8], call: SetCall) -> nix::Result<()> {
    let name = c_string(name)?;
    // SAFETY: both strings are NUL-terminated, value is valid for its length.
    let result = unsafe {
        call(
            path.as_ptr(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Errno::result(result).map(drop)
}

fn get_at(path: &CStr, name: &[u8], call: GetCall) -> nix::Result<Option<Vec<u8>>> {
    let name = c_string(name)?;
    present(answer(|buffer| {
        // SAFETY: both strings are NUL-terminated, buffer is valid for its length.
        unsafe {
            call(
                path.as_ptr(),
                name.as_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        }
    }))
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

    use nix::fcntl::OFlag;
    use nix::sys::stat::Mode;

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
        let link = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let handle = nix::fcntl::open(&path, link, Mode::empty()).unwrap();
        opened::set(&handle, b"user.z", b"z").unwrap();
        assert_eq!(lget(&path, b"user.z").unwrap().unwrap(), b"z");
        assert_eq!(llist(&path).unwrap(), ["user.a", "user.long", "user.z"]);
        opened::remove(&handle, b"user.z").unwrap();
        assert_eq!(opened::get(&handle, b"user.z").unwrap(), None);
        assert_eq!(fget(&file, b"user.a").unwrap().unwrap(), b"1");
        assert_eq!(lget(&path, b"user.long").unwrap().unwrap(), long);
        assert_eq!(lget(&path, b"user.none").unwrap(), None);
        assert_eq!(fget(&file, b"user.\0"), Err(Errno::EINVAL));
    }
}
