//! Pseudo-terminals and the caller's terminal.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

/// Standard input, past every buffer of the standard library: what a container writes and reads
/// is passed on byte by byte, not printed.
pub(crate) fn standard_input() -> BorrowedFd<'static> {
    // SAFETY: descriptor 0 is open for the whole life of the process: Rust's start-up opens
    // /dev/null for a standard stream that is closed.
    unsafe { BorrowedFd::borrow_raw(libc::STDIN_FILENO) }
}

/// Standard output, likewise.
pub(crate) fn standard_output() -> BorrowedFd<'static> {
    // SAFETY: as for standard input.
    unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) }
}

/// Standard error, likewise.
pub(crate) fn standard_error() -> BorrowedFd<'static> {
    // SAFETY: as for standard input.
    unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) }
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WindowSize {
    /// Lines.
    pub(crate) rows: u16,
    /// Characters in a line.
    pub(crate) columns: u16,
}

/// Size of a terminal; `None` when it is none.
fn window_size(fd: BorrowedFd<'_>) -> Option<WindowSize> {
    // SAFETY: winsize is plain data; all zero is a valid value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: TIOCGWINSZ writes a winsize, alive for the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0).then_some(WindowSize {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}

/// Size of the terminal this process was started on, if it has one.
pub(crate) fn own_window_size() -> Option<WindowSize> {
    window_size(standard_input()).or_else(|| window_size(standard_output()))
}

/// Sets the size of a terminal; the kernel tells its foreground processes.
pub(crate) fn set_window_size(fd: BorrowedFd<'_>, size: WindowSize) {
    let size = libc::winsize {
        ws_row: size.rows,
        ws_col: size.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCSWINSZ reads a winsize, alive for the call.
    unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
}

/// Opens the other end of a pseudo-terminal from its master, without going through a path
/// that a container could have replaced (TIOCGPTPEER, Linux 4.13).
pub(crate) fn open_peer(master: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: TIOCGPTPEER takes open flags as an integer.
    let fd = Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) })?;
    // SAFETY: the kernel returned a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Unlocks the other end of a pseudo-terminal (TIOCSPTLCK).
pub(crate) fn unlock_peer(master: BorrowedFd<'_>) -> Result<(), Errno> {
    let unlock = 0i32;
    // SAFETY: TIOCSPTLCK reads an int, alive for the call.
    Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlock) })
        .map(drop)
}

/// Makes `fd` the controlling terminal of this session leader.
pub(crate) fn make_controlling(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: TIOCSCTTY takes an integer.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

/// The caller's terminal in raw mode; the mode from before comes back when this is dropped.
#[derive(Debug)]
pub(crate) struct RawMode {
    terminal: OwnedFd,
    before: Termios,
}

impl RawMode {
    /// Switches the terminal `fd` to raw mode; `None` when it is not a terminal.
    pub(crate) fn enter(fd: BorrowedFd<'_>) -> Option<RawMode> {
        let before = tcgetattr(fd).ok()?;
        let terminal = fd.try_clone_to_owned().ok()?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(fd, SetArg::TCSADRAIN, &raw).ok()?;
        Some(RawMode { terminal, before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A background process would be stopped by SIGTTOU here; the caller blocks it.
        let _ = tcsetattr(self.terminal.as_fd(), SetArg::TCSADRAIN, &self.before);
    }
}
