//! Signal masks, a descriptor that delivers signals, names and numbers.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::common::{Error, Result};

/// Signals blocked while this value lives, readable through its descriptor.
#[derive(Debug)]
pub(crate) struct Signals {
    descriptor: SignalFd,
    before: SigSet,
}

/// Never forwarded: fatal faults are the process's own, CHLD and PIPE mean something else here,
/// and the stop signals of job control must keep stopping ketch itself.
const OWN: [Signal; 14] = [
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGSYS,
    Signal::SIGABRT,
    Signal::SIGKILL,
    Signal::SIGSTOP,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGPROF,
    // A child's end is seen by its pidfd; who does not block this one is not woken by it.
    Signal::SIGCHLD,
];

impl Signals {
    /// Blocks every signal that can be forwarded, and PIPE and WINCH.
    pub(crate) fn block() -> Result<Signals> {
        let failed = |errno| Error::errno("block signals", "", errno);
        let mut set = SigSet::all();
        for signal in OWN {
            set.remove(signal);
        }
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before)).map_err(failed)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let descriptor = SignalFd::with_flags(&set, flags).map_err(failed)?;
        Ok(Signals { descriptor, before })
    }

    /// The next pending signal number, if any.
    pub(crate) fn next(&self) -> Option<i32> {
        self.descriptor
            .read_signal()
            .ok()
            .flatten()
            .map(|info| info.ssi_signo as i32)
    }

    /// Restores the mask from before, in a child that will exec.
    pub(crate) fn restore(&self) {
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Blocks all signals and waits for the next of them: the whole life of a reaper.
pub(crate) fn block_all() -> SigSet {
    let set = SigSet::all();
    let mut before = SigSet::empty();
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&set), Some(&mut before));
    before
}

/// Unblocks all signals and gives each its default action: what a payload starts with.
///
/// exec(2) resets handlers by itself but leaves an ignored signal ignored: SIGPIPE, which Rust
/// ignores, and what the caller ignored (nohup's SIGHUP). Only those cost a call.
pub(crate) fn reset_all() {
    let ignored = ignored();
    for number in 1..=64 {
        if ignored & (1 << (number - 1)) != 0 {
            set_default(number);
        }
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// rt_sigaction(2) without the C library, which keeps two real-time signals to itself: a caller
/// may have them ignored all the same.
fn set_default(number: i32) {
    // A kernel's sigaction of zeroes is the default action with nothing set; 8 is the size of
    // its signal mask.
    let action = [0u64; 4];
    // SAFETY: the kernel reads one action, at most 32 bytes, that lives for the call, and writes
    // no old one.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            number,
            action.as_ptr(),
            std::ptr::null_mut::<u64>(),
            8,
        )
    };
}

/// Signals this process ignores, signal N as bit N-1 (proc_pid_status(5), `SigIgn`); all of them
/// where proc does not tell.
fn ignored() -> u64 {
    let read = || -> Option<u64> {
        let mut text = [0u8; 4096];
        let mut file = std::fs::File::open("/proc/self/status").ok()?;
        let length = std::io::Read::read(&mut file, &mut text).ok()?;
        let text = std::str::from_utf8(text.get(..length)?).ok()?;
        let (_, after) = text.split_once("\nSigIgn:\t")?;
        u64::from_str_radix(after.get(..16)?, 16).ok()
    };
    read().unwrap_or(u64::MAX)
}

/// Ignores SIGPIPE: who writes to somebody who is gone gets EPIPE.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: ignoring a signal installs no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Waits for any signal of a fully blocked process.
pub(crate) fn wait_any() -> i32 {
    let set = SigSet::all();
    let mut info = 0i32;
    // SAFETY: both pointers are valid for the call.
    unsafe { libc::sigwait(set.as_ref(), &raw mut info) };
    info
}

/// Sends a signal to a process by number; only for processes that are our own children.
pub(crate) fn kill(pid: i32, signal: i32) {
    // SAFETY: kill takes integers.
    unsafe { libc::kill(pid, signal) };
}

/// Parses `TERM`, `SIGTERM`, `15`, `SIGRTMIN+3` or `RTMAX-1`.
pub(crate) fn parse(text: &str) -> Result<i32> {
    let bad = || {
        Error::usage("parse signal", format!("{text:?}"), "no such signal")
            .hint("use a name such as TERM or SIGKILL, or a number from 1 to 64")
    };
    if let Ok(number) = text.parse::<i32>() {
        return if (1..=64).contains(&number) {
            Ok(number)
        } else {
            Err(bad())
        };
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |rest: &str, base: i32, sign: char| -> Option<i32> {
        let number = if rest.is_empty() {
            0
        } else {
            rest.strip_prefix(sign)?.parse::<u8>().ok().map(i32::from)?
        };
        let value = if sign == '+' {
            base + number
        } else {
            base - number
        };
        (34..=64).contains(&value).then_some(value)
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return offset(rest, 34, '+').ok_or_else(bad);
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return offset(rest, 64, '-').ok_or_else(bad);
    }
    let name = match name {
        "CLD" => "CHLD",
        "POLL" => "IO",
        "IOT" => "ABRT",
        other => other,
    };
    format!("SIG{name}")
        .parse::<Signal>()
        .map(|signal| signal as i32)
        .map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_known() {
        // The test program's runtime ignores SIGPIPE; nothing can ignore SIGKILL.
        let found = ignored();
        assert_ne!(found & (1 << (libc::SIGPIPE - 1)), 0);
        assert_eq!(found & (1 << (libc::SIGKILL - 1)), 0);
    }

    #[test]
    fn signals_parse_by_name_and_number() {
        for (text, number) in [
            ("TERM", 15),
            ("sigkill", 9),
            ("15", 15),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
            ("CLD", 17),
        ] {
            assert_eq!(parse(text).unwrap(), number, "{text}");
        }
        for bad in ["", "0", "65", "SIGFOO", "-1", "RTMIN+99", "RTMIN-1", "SIG"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
