//! The process that the user waits for, while another one stays with a container's process: so
//! that the user can leave it alone by typing the detach keys.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

use super::message::Failure;
use crate::common::ExitStatus;
use crate::sys::descriptor::close_inherited;
use crate::sys::{exec, socket};

/// What the keeper of a process tells the front.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// It runs.
    Started,
    /// It could not be started, with the exit status of that.
    Failed(ExitStatus, Failure),
    /// It ended.
    Ended(ExitStatus),
    /// The user leaves it.
    Left,
}

/// The keeper's line to the front, and the keys that end it.
#[derive(Debug)]
pub(crate) struct Front {
    socket: OwnedFd,
    keys: Vec<u8>,
    /// How many of them were typed last.
    matched: usize,
}

impl Front {
    /// Of the keeper's end of a message pair; without `keys` the user cannot leave.
    pub(crate) fn new(socket: OwnedFd, keys: Vec<u8>) -> Front {
        Front {
            socket,
            keys,
            matched: 0,
        }
    }

    /// Tells the front something; whether it hears is its own affair.
    pub(crate) fn say(socket: BorrowedFd<'_>, said: &Said) {
        let bytes = serde_json::to_vec(said).unwrap_or_default();
        let _ = socket::send(socket, &bytes, None);
    }

    /// Hears what the keeper says; `None` when it is gone.
    pub(crate) fn hear(socket: BorrowedFd<'_>) -> Option<Said> {
        let (bytes, _) = socket::receive(socket).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// The descriptor to poll for the front's end.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What of `bytes` is for the process, and whether all detach keys were typed. Keys that
    /// may yet become the whole sequence are held back.
    pub(super) fn typed(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (passed, true);
                }
                continue;
            }
            passed.extend_from_slice(&self.keys[..self.matched]);
            self.matched = usize::from(self.keys.first() == Some(byte));
            if self.matched == 0 {
                passed.push(*byte);
            }
        }
        (passed, false)
    }

    /// Lets the front go, and the caller's terminal with it.
    pub(super) fn leave(self) {
        forget_caller(0);
        Front::say(self.socket.as_fd(), &Said::Left);
    }
}

/// Leaves the caller's session and gives up its streams and every descriptor it had, but for
/// `kept` ones from 3 on.
pub(crate) fn forget_caller(kept: u32) {
    exec::set_session();
    close_inherited(3 + kept as i32);
    if let Ok(null) = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()) {
        for stream in 0..=2 {
            let _ = exec::dup_onto(null.as_raw_fd(), stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_back_until_it_is_clear_what_they_are() {
        let mut front = Front::new(
            open("/dev/null", OFlag::O_RDWR, Mode::empty()).unwrap(),
            vec![16, 17],
        );
        assert_eq!(front.typed(b"ab"), (b"ab".to_vec(), false));
        assert_eq!(front.typed(&[16]), (vec![], false));
        assert_eq!(front.typed(b"x"), (vec![16, b'x'], false));
        assert_eq!(front.typed(&[16, 16]), (vec![16], false));
        assert_eq!(front.typed(&[17, b'y']), (vec![], true));
    }
}
