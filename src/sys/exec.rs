//! The last calls before the payload's own code runs.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::os::fd::RawFd;

use nix::errno::Errno;

/// Replaces this process; returns only the errno of a failure.
pub(crate) fn execve(path: &CStr, args: &[CString], env: &[CString]) -> Errno {
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter()
            .map(|item| item.as_ptr())
            .chain(std::iter::once(std::ptr::null()))
            .collect()
    };
    let (argv, envp) = (pointers(args), pointers(env));
    // SAFETY: both arrays end with a null pointer, and they and the strings they point to live
    // until the call returns, if it does.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    Errno::last()
}

/// Marks every descriptor from `first` on close-on-exec (close_range(2), Linux 5.11; before
/// that each one listed in /proc/self/fd).
pub(crate) fn close_on_exec_from(first: RawFd) {
    const CLOSE_RANGE_CLOEXEC: u32 = 4;
    // SAFETY: marking descriptors closes none of them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first as u32,
            u32::MAX,
            CLOSE_RANGE_CLOEXEC,
        )
    };
    if result == 0 {
        return;
    }
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    for entry in entries.flatten() {
        if let Some(fd) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<RawFd>().ok())
            && fd >= first
        {
            // SAFETY: F_SETFD on any number is harmless.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// Leaves an inherited descriptor open for the next image.
pub(crate) fn keep_open(number: RawFd) -> Result<(), Errno> {
    // SAFETY: F_SETFD on any number is harmless.
    Errno::result(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }).map(drop)
}

/// Closes every descriptor from `first` on, in a child that holds none of them any more in
/// its own code and will not exec.
pub(crate) fn close_from(first: RawFd) {
    close_between(first, RawFd::MAX);
}

/// Closes every descriptor from `first` on but `kept`, in a child that uses none of the others
/// any more.
pub(crate) fn close_all_but(mut first: RawFd, kept: &BTreeSet<RawFd>) {
    for number in kept.range(first..) {
        if first < *number {
            close_between(first, number - 1);
        }
        first = number + 1;
    }
    close_from(first);
}

/// Closes the descriptors from `first` to `last` (close_range(2), Linux 5.9; before that each one
/// listed in /proc/self/fd).
fn close_between(first: RawFd, last: RawFd) {
    // SAFETY: takes integers; callers are forked children that use none of them afterwards.
    if unsafe { libc::syscall(libc::SYS_close_range, first as u32, last as u32, 0) } == 0 {
        return;
    }
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers: Vec<RawFd> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| (first..=last).contains(fd))
        .collect();
    for fd in numbers {
        // SAFETY: as above; a number that is closed already is EBADF and no harm.
        unsafe { libc::close(fd) };
    }
}

/// Overwrites the environment this process was started with, which /proc/PID/environ shows.
/// For a forked child that reads no variable any more.
pub(crate) fn forget_environment() {
    unsafe extern "C" {
        static mut environ: *mut *mut libc::c_char;
    }
    // SAFETY: `environ` is a null-terminated array of C strings in writable memory, and no other
    // thread lives that could read them.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            libc::memset((*entry).cast(), 0, libc::strlen(*entry));
            entry = entry.add(1);
        }
    }
}

/// Sets one resource limit (getrlimit(2)); `u64::MAX` is unlimited. A hard limit that may not
/// be raised is clamped to the present one; returns the pair in force when it was.
pub(crate) fn set_rlimit(resource: u32, soft: u64, hard: u64) -> Result<Option<(u64, u64)>, Errno> {
    let set = |soft: u64, hard: u64| {
        let limit = libc::rlimit {
            rlim_cur: soft,
            rlim_max: hard,
        };
        // SAFETY: `limit` lives for the call.
        Errno::result(unsafe { libc::setrlimit(resource, &raw const limit) }).map(drop)
    };
    match set(soft, hard) {
        Ok(()) => return Ok(None),
        Err(Errno::EPERM) => {}
        Err(errno) => return Err(errno),
    }
    let mut now = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `now` is a valid place for the result.
    Errno::result(unsafe { libc::getrlimit(resource, &raw mut now) })?;
    let hard = hard.min(now.rlim_max);
    let soft = soft.min(hard);
    set(soft, hard).map(|()| Some((soft, hard)))
}

/// Makes a descriptor the standard stream `target` (0, 1 or 2), open across exec.
pub(crate) fn dup_onto(fd: RawFd, target: RawFd) -> Result<(), Errno> {
    // SAFETY: dup2 takes integers; the old `target` is closed, which callers mean to happen.
    Errno::result(unsafe { libc::dup2(fd, target) }).map(drop)
}

/// Leaves the caller's session and process group.
pub(crate) fn set_session() {
    let _ = nix::unistd::setsid();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptors_but_the_kept_are_closed() {
        // So high that no other test has one of them.
        const FIRST: RawFd = 900;
        let open = |number: RawFd| {
            // SAFETY: F_GETFD on any number is harmless.
            unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
        };
        let all: Vec<RawFd> = (FIRST..FIRST + 6).collect();
        for number in &all {
            dup_onto(1, *number).unwrap();
        }
        let kept = BTreeSet::from([1, FIRST, FIRST + 2, FIRST + 3]);
        close_all_but(FIRST, &kept);
        let left: Vec<RawFd> = all.into_iter().filter(|number| open(*number)).collect();
        assert_eq!(left, [FIRST, FIRST + 2, FIRST + 3]);
        close_from(FIRST);
        assert!(!left.into_iter().any(open) && open(1));
    }
}
