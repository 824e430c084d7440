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
mod fuse;
mod init;
mod mapped;
mod message;
mod parent;
mod plan;

pub(crate) use attend::{Attendance, attend};
pub(crate) use parent::{Join, StartFailure, Started, start};
pub(crate) use plan::{
    Extras, MapWriter, Overlay, Plan, Rootfs, UserEntry, UserRequest, from_spec,
};
