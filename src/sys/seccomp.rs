//! seccomp(2): loading a filter, and the notifications of one that has a listener.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// Instructions one filter may have (`BPF_MAXINSNS`).
const MAX_INSTRUCTIONS: usize = 4096;

/// A call that waits for an answer, as the filter saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notification {
    /// Names the waiting call; not used again while the listener lives.
    pub(crate) id: u64,
    /// The waiting thread, in the caller's pid namespace; 0 when it is not visible there.
    pub(crate) tid: i32,
    /// Number of the call, on `arch`.
    pub(crate) number: u32,
    /// `AUDIT_ARCH_*`.
    pub(crate) arch: u32,
    /// Its arguments.
    pub(crate) args: [u64; 6],
}

/// What a waiting call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This value.
    Value(i64),
    /// This errno.
    Errno(i32),
    /// What the kernel makes of it. The arguments may have changed since they were read, so
    /// this must never be the answer to a check.
    Continue,
}

/// Sizes of the kernel's structures (`SECCOMP_GET_NOTIF_SIZES`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// `struct seccomp_notif`.
    pub(crate) notification: u16,
    /// `struct seccomp_notif_resp`.
    pub(crate) response: u16,
    /// `struct seccomp_data`.
    pub(crate) data: u16,
}

/// seccomp(2); the C library has no wrapper.
///
/// # Safety
/// `argument` must be what `operation` wants.
unsafe fn seccomp(
    operation: libc::c_uint,
    flags: libc::c_ulong,
    argument: *const libc::c_void,
) -> nix::Result<libc::c_long> {
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, argument) })
}

/// Loads `program` (packed `struct sock_filter`s) for the calling thread and its children to
/// come, for good. Needs no_new_privs or CAP_SYS_ADMIN. With `listener`, returns the descriptor
/// (close-on-exec) on which answerable calls arrive; a waiting call then yields to fatal signals
/// only, on kernels that can do so (5.19), so that no call is done twice.
///
/// Allocates nothing and takes no lock: it runs in a cloned child, just before exec.
pub(crate) fn load(program: &[u8], listener: bool) -> nix::Result<Option<OwnedFd>> {
    let count = program.len() / size_of::<libc::sock_filter>();
    if count == 0 || count > MAX_INSTRUCTIONS {
        return Err(Errno::EINVAL);
    }
    let fprog = libc::sock_fprog {
        len: count as libc::c_ushort,
        filter: program.as_ptr().cast_mut().cast(),
    };
    let set = |flags| {
        // SAFETY: `fprog` counts whole instructions inside `program`; the kernel copies them in
        // as bytes, so their alignment does not matter, and writes nothing.
        unsafe {
            seccomp(
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                (&raw const fprog).cast(),
            )
        }
    };
    if !listener {
        return set(0).map(|_| None);
    }
    let flag = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let fd = match set(flag | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(Errno::EINVAL) => set(flag)?,
        other => other?,
    };
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// The kernel's structure sizes; fails where it cannot notify at all (before 5.0).
pub(crate) fn sizes() -> nix::Result<Sizes> {
    let mut sizes = libc::seccomp_notif_sizes {
        seccomp_notif: 0,
        seccomp_notif_resp: 0,
        seccomp_data: 0,
    };
    // SAFETY: the operation writes one `seccomp_notif_sizes`.
    unsafe {
        seccomp(
            libc::SECCOMP_GET_NOTIF_SIZES,
            0,
            (&raw mut sizes).cast_const().cast(),
        )
    }?;
    Ok(Sizes {
        notification: sizes.seccomp_notif,
        response: sizes.seccomp_notif_resp,
        data: sizes.seccomp_data,
    })
}

/// Whether a supervisor can answer calls here: notifications, and structures no larger than
/// those this program was built with.
pub(crate) fn can_notify() -> bool {
    sizes().is_ok_and(|sizes| {
        usize::from(sizes.notification) <= size_of::<libc::seccomp_notif>()
            && usize::from(sizes.response) <= size_of::<libc::seccomp_notif_resp>()
    })
}

/// The listening end of a filter.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

impl Listener {
    /// Takes the descriptor that `load` returned.
    pub(crate) fn new(fd: OwnedFd) -> Listener {
        Listener(fd)
    }

    /// # Safety
    /// `argument` must be what `request` wants.
    unsafe fn ioctl<T>(&self, request: libc::Ioctl, argument: *mut T) -> nix::Result<i32> {
        // SAFETY: the caller's promise.
        Errno::result(unsafe { libc::ioctl(self.0.as_raw_fd(), request, argument) })
    }

    /// Takes the next waiting call; blocks when there is none. ENOENT: it went away meanwhile.
    pub(crate) fn receive(&self) -> nix::Result<Notification> {
        // SAFETY: all-zero is a valid value, and the one the kernel asks for.
        let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: RECV writes one `seccomp_notif`; `can_notify` compared the sizes.
        unsafe { self.ioctl(libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut raw) }?;
        Ok(Notification {
            id: raw.id,
            tid: raw.pid as i32,
            number: raw.data.nr as u32,
            arch: raw.data.arch,
            args: raw.data.args,
        })
    }

    /// Ends the wait of call `id`. ENOENT: its thread is gone.
    pub(crate) fn answer(&self, id: u64, answer: Answer) -> nix::Result<()> {
        let (val, error, flags) = match answer {
            Answer::Value(value) => (value, 0, 0),
            Answer::Errno(errno) => (0, -errno, 0),
            Answer::Continue => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32),
        };
        let mut raw = libc::seccomp_notif_resp {
            id,
            val,
            error,
            flags,
        };
        // SAFETY: SEND reads one `seccomp_notif_resp`.
        unsafe { self.ioctl(libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut raw) }.map(drop)
    }

    /// Whether call `id` still waits, so that its thread id still means the same thread. Asked
    /// after its memory or its /proc folder was opened, and before acting on what was found.
    pub(crate) fn is_valid(&self, mut id: u64) -> bool {
        // SAFETY: ID_VALID reads one u64.
        unsafe { self.ioctl(libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw mut id) }.is_ok()
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reads memory of thread `tid` at `address` into `buffer`; fewer bytes when a page is missing.
pub(crate) fn read_memory(tid: i32, address: u64, buffer: &mut [u8]) -> nix::Result<usize> {
    use nix::sys::uio::{RemoteIoVec, process_vm_readv};
    let remote = RemoteIoVec {
        base: usize::try_from(address).map_err(|_| Errno::EFAULT)?,
        len: buffer.len(),
    };
    process_vm_readv(
        nix::unistd::Pid::from_raw(tid),
        &mut [std::io::IoSliceMut::new(buffer)],
        &[remote],
    )
}

/// Writes `bytes` to memory of thread `tid` at `address`; EFAULT unless all of it fits.
pub(crate) fn write_memory(tid: i32, address: u64, bytes: &[u8]) -> nix::Result<()> {
    use nix::sys::uio::{RemoteIoVec, process_vm_writev};
    let remote = RemoteIoVec {
        base: usize::try_from(address).map_err(|_| Errno::EFAULT)?,
        len: bytes.len(),
    };
    let written = process_vm_writev(
        nix::unistd::Pid::from_raw(tid),
        &[std::io::IoSlice::new(bytes)],
        &[remote],
    )?;
    if written == bytes.len() {
        Ok(())
    } else {
        Err(Errno::EFAULT)
    }
}

/// Test helper: runs `child` in a forked process that holds one mapped id and the filter.
#[cfg(test)]
pub(crate) mod testing {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use super::*;

    /// What `spawn` made.
    #[derive(Debug)]
    pub(crate) struct Child {
        /// Process id of the child.
        pub(crate) pid: i32,
        /// The filter's listener, taken out of the child.
        pub(crate) listener: OwnedFd,
    }

    impl Child {
        /// The child's exit code; `None` while it runs. A signal counts as 255.
        pub(crate) fn try_wait(&self) -> Option<i32> {
            let mut status = 0;
            // SAFETY: waits for our own child and writes one integer.
            match unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) } {
                0 => None,
                _ if libc::WIFEXITED(status) => Some(libc::WEXITSTATUS(status)),
                _ => Some(255),
            }
        }
    }

    /// Forks; the child enters a user namespace where only id 0 exists, loads `program` with a
    /// listener, waits for the parent to take it, and execs `argv`. The error says which step
    /// the machine refused.
    pub(crate) fn spawn(program: &[u8], argv: &[&str]) -> Result<Child, String> {
        let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
        let uid_map = format!("0 {uid} 1");
        let gid_map = format!("0 {gid} 1");
        let strings: Vec<_> = argv
            .iter()
            .map(|a| std::ffi::CString::new(*a).unwrap())
            .collect();
        let mut pointers: Vec<_> = strings.iter().map(|s| s.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let (read, write) = nix::unistd::pipe().unwrap();
        let (go_read, go_write) = nix::unistd::pipe().unwrap();
        // SAFETY: the child makes system calls on memory prepared above and leaves by exec or
        // _exit; it neither allocates nor locks.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let put = |path: &std::ffi::CStr, text: &str| {
                // SAFETY: NUL-ended path; the bytes live across the call.
                unsafe {
                    let fd = libc::open(path.as_ptr(), libc::O_WRONLY);
                    fd >= 0 && libc::write(fd, text.as_ptr().cast(), text.len()) > 0
                }
            };
            // SAFETY: integer arguments only, or pointers to memory prepared before the fork.
            unsafe {
                let mapped = libc::unshare(libc::CLONE_NEWUSER) == 0
                    && put(c"/proc/self/setgroups", "deny")
                    && put(c"/proc/self/uid_map", &uid_map)
                    && put(c"/proc/self/gid_map", &gid_map);
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                let mut fd = -1i32;
                if mapped && let Ok(Some(listener)) = load(program, true) {
                    fd = listener.as_raw_fd();
                    std::mem::forget(listener);
                }
                libc::write(write.as_raw_fd(), (&raw const fd).cast(), 4);
                let mut byte = 0u8;
                libc::close(go_write.as_raw_fd());
                libc::read(go_read.as_raw_fd(), (&raw mut byte).cast(), 1);
                if fd >= 0 {
                    libc::execv(pointers[0], pointers.as_ptr());
                }
                libc::_exit(99)
            }
        }
        drop(write);
        let mut number = [0u8; 4];
        let _ = nix::unistd::read(&read, &mut number);
        let number = i32::from_ne_bytes(number);
        if number < 0 {
            drop(go_write);
            // SAFETY: reaps our own child.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            return Err("user namespace or seccomp listener refused".to_owned());
        }
        // SAFETY: pidfd calls with integers; each returned descriptor is ours alone.
        let listener = unsafe {
            let pidfd = libc::syscall(libc::SYS_pidfd_open, pid, 0) as i32;
            let fd = libc::syscall(libc::SYS_pidfd_getfd, pidfd, number, 0) as i32;
            libc::close(pidfd);
            (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
        };
        drop(go_write);
        match listener {
            Some(listener) => Ok(Child { pid, listener }),
            None => Err("pidfd_getfd refused".to_owned()),
        }
    }
}
