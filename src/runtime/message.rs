//! What passes between init and its parent.

use serde::{Deserialize, Serialize};

use crate::common::{Carried, Error};

/// Parent to init: the id maps are written, or later: the network is connected, or the payload
/// may begin.
pub(crate) const GO: &[u8] = b"go";

/// Init to parent. A descriptor rides along with all that are about one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromInit {
    /// Something asked for could not be given in full.
    Warn(String),
    /// Master side of the container's terminal.
    Console,
    /// seccomp notification descriptor.
    Listener,
    /// The user that was found in the rootfs.
    User(ResolvedUser),
    /// A process was made in the container: its number, and its pidfd rides along.
    Entered(i32),
    /// The user namespace, for the program that `Serve` starts: init is closed to others.
    UserNamespace,
    /// A socket of the resolver's address in the container: the datagram one, then the other.
    Resolver,
    /// The network namespace, which the parent connects.
    NetworkNamespace,
    /// A FUSE device whose file system has to be served from outside the container.
    Serve,
    /// Everything is made; init waits for the word to become the payload.
    Held,
    /// A step failed; nothing follows.
    Failed(Failure),
}

/// Who the payload runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResolvedUser {
    /// User id inside the container.
    pub(crate) uid: u32,
    /// Group id inside the container.
    pub(crate) gid: u32,
    /// Supplementary groups.
    pub(crate) groups: Vec<u32>,
    /// Home directory from the image's passwd file.
    pub(crate) home: String,
}

/// A failed step, with the parts of its error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Name of the step in init's table.
    pub(crate) step: String,
    /// The kernel's errno, 0 when it was none.
    pub(crate) errno: i32,
    /// The error.
    error: Carried,
}

impl Failure {
    /// Takes an error apart for the way to the parent.
    pub(crate) fn of(step: &str, error: &Error) -> Failure {
        Failure {
            step: step.to_owned(),
            errno: error.raw_os_error().unwrap_or(0),
            error: error.into(),
        }
    }

    /// The error again, on the parent's side.
    pub(crate) fn into_error(self) -> Error {
        self.error.into_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Kind;

    #[test]
    fn an_error_survives_the_way_to_the_parent() {
        let error = Error::io(
            "open",
            "/x",
            std::io::Error::from_raw_os_error(libc::EACCES),
        )
        .hint("ask");
        let text = error.to_string();
        let failure = Failure::of("mounts", &error);
        assert_eq!(failure.errno, libc::EACCES);
        let back = failure.into_error();
        assert_eq!(
            (back.to_string(), back.kind(), back.advice()),
            (text, Kind::Denied, Some("ask"))
        );
    }
}
