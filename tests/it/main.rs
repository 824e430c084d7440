//! Integration tests: the real binary on the real kernel, one module per group of commands.
//!
//! `cases!` runs a case in each identity mode that the process can take; `require!` names what a
//! machine lacks. `KETCH_TEST_STRICT=1` makes every skip a failure.
#![allow(clippy::print_stderr)]

#[macro_use]
#[path = "../harness/mod.rs"]
mod harness;

mod cli;
mod crash;
mod debian;
mod hostile;
mod images;
mod lifecycle;
mod logs;
mod mounts;
mod peers;
mod personality;
mod process;
mod progress;
mod pull;
mod pull_faults;
mod rungs;
mod security;
mod security_escape;
mod security_race;
mod signals;
mod stack;
mod store;
mod system;
mod terminal;
mod userns;
