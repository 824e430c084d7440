//! From an OCI runtime specification to processes.
//!
//! ```text
//!   caller (ketch)                              init (clone3 into new namespaces)
//!     plan::from_spec: all decisions               |
//!     parent::start ---- clone ------------------->|
//!       id maps (newuidmap, or as root)            | opens bind sources, waits for `Go` when maps are not its own
//!       Go --------------------------------------->|
//!     (engine writes config.json meanwhile)        | init::STEPS: mounts, devices, pivot, user …
//!       <------------- Warn, Console(fd), Listener(fd), User --|
//!       <------------- Failed{step, error}  or     | execve: end of file on the close-on-exec
//!       <------------- end of file = running       |         socket
//!     attend: signals, terminal, time limit, identity emulation, until the pidfd reports the end
//! ```
//!
//! The two sides share one sequenced-packet socket; `message` lists what may pass.
#![forbid(unsafe_code)]

mod attend;
mod below;
mod between;
mod capture;
mod enter;
mod front;
mod fuse;
mod init;
mod mapped;
mod message;
mod neighbour;
mod parent;
mod plan;
mod target;

pub(crate) use attend::{Attendance, attend, attend_for};
pub(crate) use capture::capture;
pub(crate) use enter::enter;
pub(crate) use front::{Front, Said, forget_caller};
pub(crate) use init::{find_user, mount_stopped};
pub(crate) use message::Failure;
pub(crate) use neighbour::{Neighbour, Space};
pub(crate) use parent::{
    Connecting, Gate, Join, Running, StartFailure, Started, Streams, Unconnected, start,
};
pub(crate) use plan::{
    Connect, Entry, Extras, HostUser, MapWriter, Overlay, Plan, Rootfs, SecretFile, UserEntry,
    UserRequest, entry, from_spec,
};
pub(crate) use target::Target;
