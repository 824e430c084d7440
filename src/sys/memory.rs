//! What this process keeps in memory: code that has run, a heap that was larger once.

use std::time::Duration;

use nix::errno::Errno;
use nix::poll::PollFd;

/// Bytes of a page; where it is larger, the calls below round or fail without harm.
const PAGE: usize = 4096;

/// Stack below the caller's frame that a long wait gives back, in bytes.
const STACK: usize = 1 << 20;

/// Stack that a call of this module may itself be using.
const FRAMES: usize = 2 * PAGE;

/// Start and end of the program's file in memory, whole pages.
fn code() -> (usize, usize) {
    unsafe extern "C" {
        // Set by every linker: the start of the file's image and the end of its code.
        static __executable_start: u8;
        static etext: u8;
    }
    let begin = (&raw const __executable_start as usize).next_multiple_of(PAGE);
    let end = &raw const etext as usize / PAGE * PAGE;
    (begin, end)
}

/// poll(2) for a wait that may last for months: gives back all memory that waiting does not
/// need, code and stack included. An interrupted wait is `Ok(0)`.
///
/// The kernel maps sixteen pages around each page of a file that is touched, but never beyond
/// its mapping. So the two pages that are executing when the kernel is entered are made mappings
/// of their own, by an advice that nothing else has; all other code goes.
pub(crate) fn idle(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<usize, Errno> {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: malloc_trim takes an integer, and no other thread lives in a supervisor.
        unsafe { libc::malloc_trim(0) };
    }
    for function in [
        wait as *const () as usize,
        libc::syscall as *const () as usize,
    ] {
        let begin = function / PAGE * PAGE;
        // SAFETY: the range is code mapped from the executable file; this advice changes how pages are
        // read ahead, and no byte.
        unsafe { libc::madvise(begin as *mut libc::c_void, PAGE, libc::MADV_RANDOM) };
    }
    let time = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    wait(fds, time)
}

/// The end of [`idle`], in as few pages as possible: lets go of stack and code and enters the
/// kernel.
#[inline(never)]
fn wait(fds: &mut [PollFd<'_>], time: *const libc::timespec) -> Result<usize, Errno> {
    let here = &raw const time as usize;
    let end = (here - FRAMES) / PAGE * PAGE;
    let (begin, code_end) = code();
    // SAFETY: below this frame, and two pages of room for those it calls, no live value lies on
    // the stack of the only thread. Pages that are not mapped are an error that changes nothing.
    // The code's range holds read-only segments mapped from the executable file, without text
    // relocations: the next access reads the same bytes again, and a gap between the segments is
    // an error that changes nothing. `PollFd` is a transparent pollfd; the slice and the time live
    // for the call, which reads no signal mask.
    let result = unsafe {
        libc::syscall(libc::SYS_madvise, end - STACK, STACK, libc::MADV_DONTNEED);
        libc::syscall(
            libc::SYS_madvise,
            begin,
            code_end - begin,
            libc::MADV_DONTNEED,
        );
        libc::syscall(
            libc::SYS_ppoll,
            fds.as_mut_ptr(),
            fds.len(),
            time,
            std::ptr::null::<libc::sigset_t>(),
            0,
        )
    };
    match Errno::result(result) {
        Ok(count) => Ok(count as usize),
        Err(Errno::EINTR) => Ok(0),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    use nix::poll::PollFlags;

    #[test]
    fn an_idle_wait_ends_by_time_and_by_what_it_waits_for() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let mut fds = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
        assert_eq!(idle(&mut fds, Some(Duration::from_millis(1))), Ok(0));
        nix::unistd::write(&writer, b"x").unwrap();
        assert_eq!(idle(&mut fds, None), Ok(1));
        assert_eq!(fds[0].any(), Some(true));
    }
}
