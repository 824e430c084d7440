//! Short programs started beside this process, in as few calls as the kernel needs.
//!
//! posix_spawn(3) looks at every signal first, which takes 124 calls of the child.

use std::ffi::{CString, c_int, c_void};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Stack of the child until its program begins, in bytes: it makes three calls.
const STACK: usize = 16 << 10;

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Spawned(Pid);

/// What the child needs, and where it says why it could not go on.
struct Call {
    argv: Vec<*const libc::c_char>,
    stderr: RawFd,
    failed: c_int,
}

/// Starts the program `args[0]`, an absolute path, with this process's environment, input and
/// output, `stderr` for its errors, and no signal blocked. It has the other descriptors that are
/// not close-on-exec.
///
/// # Errors
/// clone(2)'s, dup2(2)'s and execve(2)'s.
pub(crate) fn spawn(args: &[CString], stderr: BorrowedFd<'_>) -> Result<Spawned, Errno> {
    let ends = std::iter::once(std::ptr::null());
    let mut call = Call {
        argv: args.iter().map(|arg| arg.as_ptr()).chain(ends).collect(),
        stderr: stderr.as_raw_fd(),
        failed: 0,
    };
    let mut stack: Vec<u128> = vec![0; STACK / size_of::<u128>()];
    let top = stack.as_mut_ptr_range().end;
    // SAFETY: the child has a stack of its own, aligned to sixteen bytes, and shares all other
    // memory; CLONE_VFORK keeps this thread from going on, so from freeing the stack and `call`
    // or changing either, until the child has begun its program or ended. It only makes system
    // calls on what was made before. Handlers of signals of this process would run in it on
    // shared memory: there are none but the standard library's for faults.
    let pid = unsafe {
        libc::clone(
            begin,
            top.cast::<c_void>(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw mut call).cast::<c_void>(),
        )
    };
    let spawned = Spawned(Pid::from_raw(Errno::result(pid)?));
    // SAFETY: `call` is alive; the child, which wrote to it, has let this process go on.
    match unsafe { (&raw const call.failed).read_volatile() } {
        0 => Ok(spawned),
        failed => {
            let _ = spawned.wait();
            Err(Errno::from_raw(failed))
        }
    }
}

/// The child.
extern "C" fn begin(call: *mut c_void) -> c_int {
    let call = call.cast::<Call>();
    // SAFETY: `call` is the parent's, which waits meanwhile. Nothing here allocates or locks, and
    // the mask is a set of signals on this stack.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        if libc::dup2((*call).stderr, libc::STDERR_FILENO) != -1 {
            libc::execv(*(*call).argv.as_ptr(), (*call).argv.as_ptr());
        }
        (&raw mut (*call).failed).write_volatile(Errno::last_raw());
        libc::_exit(127)
    }
}

impl Spawned {
    /// Waits for its end; says whether it went well.
    ///
    /// # Errors
    /// waitpid(2)'s.
    pub(crate) fn wait(self) -> Result<bool, Errno> {
        loop {
            match waitpid(self.0, Some(WaitPidFlag::empty())) {
                Err(Errno::EINTR) => {}
                ended => return Ok(matches!(ended?, WaitStatus::Exited(_, 0))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    fn words(words: &[&str]) -> Vec<CString> {
        let word = |word: &&str| CString::new(*word).unwrap();
        words.iter().map(word).collect()
    }

    #[test]
    fn a_program_runs_beside_this_one_and_tells_its_errors() {
        let (mut heard, said) = std::io::pipe().unwrap();
        let script = "echo out of order >&2; exit $1";
        for (code, well) in [("0", true), ("3", false)] {
            let args = words(&["/bin/sh", "-c", script, "sh", code]);
            let spawned = spawn(&args, said.as_fd()).unwrap();
            assert_eq!(spawned.wait(), Ok(well));
        }
        drop(said);
        let mut text = String::new();
        heard.read_to_string(&mut text).unwrap();
        assert_eq!(text, "out of order\nout of order\n");
    }

    #[test]
    fn one_that_is_not_there_is_an_error() {
        let (_heard, said) = std::io::pipe().unwrap();
        let missing = spawn(&words(&["/nonexistent/program"]), said.as_fd());
        assert_eq!(missing.unwrap_err(), Errno::ENOENT);
    }
}
