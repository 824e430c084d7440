//! One small process for each container that outlives its caller, or that has a terminal, a log,
//! a health check or a restart policy. It ends with its container; there is no service.
//!
//! ```text
//!   ketch (caller)                         supervisor (forked, a session of its own)
//!     engine: record, plan                   |
//!     spawn ---- clone, socket pair -------->| engine::launch: init, payload
//!       <----------------- Ready or Failed --| from here on no stream of the caller is open
//!     prints the id and ends (-d), or        |
//!     attached: Input, Resize, Signal ------>| payload's pipes or terminal
//!       <------------ Output, Exit ----------|   -> log, -> every attached client
//!                                            | `attach`: a socket in the container's directory
//!   ketch attach ------ Attach ------------->|   for clients that come later
//!   ketch start ------- Start -------------->|   opens the gate of an initialized one
//! ```
//!
//! The supervisor inherits the container's lock and holds it for its whole life, so that others
//! see by the lock alone whether the container lives. It is the parent of the payload and the
//! only writer of the log. What it needs for a restart it reads anew from the container's record.
//!
//! A foreground `run` is bound to its caller: when the caller's end of the socket closes without
//! a word, the container is killed. `start -a` and `attach` only look on.
#![forbid(unsafe_code)]

mod attached;
mod carrier;
mod clients;
mod detach;
mod gate;
mod handover;
mod health;
mod keeper;
mod launch;
mod payload;
mod protocol;
mod restart;
mod spawn;
mod watch;

pub(crate) use attached::Viewer;
pub(crate) use detach::DetachKeys;
pub(crate) use handover::{ARGUMENT, resume};
pub(crate) use launch::{
    Outcome, RunOptions, attach, check_anew, initialize, restart, run, serve_anew, start,
};
pub(crate) use protocol::Wanted;
