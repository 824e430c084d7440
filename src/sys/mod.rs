//! Safe wrappers of the kernel, named after the call they make; the only home of `unsafe`.
//!
//! A wrapper adds no policy: it sets close-on-exec, retries `EINTR`, turns results into types
//! and names what it failed on.

pub(crate) mod accounting;
pub(crate) mod copy;
pub(crate) mod credentials;
pub(crate) mod descriptor;
pub(crate) mod exec;
pub(crate) mod file;
pub(crate) mod file_system;
pub(crate) mod listener;
pub(crate) mod memory;
pub(crate) mod merge;
pub(crate) mod mount;
pub(crate) mod namespace;
pub(crate) mod net;
pub(crate) mod netlink;
pub(crate) mod node;
pub(crate) mod path;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod processes;
mod replace;
pub(crate) mod seccomp;
pub(crate) mod signal;
pub(crate) mod socket;
pub(crate) mod spawn;
pub(crate) mod tree;
pub(crate) mod tty;
pub(crate) mod watch;
pub(crate) mod writeback;
pub(crate) mod xattr;
