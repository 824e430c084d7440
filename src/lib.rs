//! ketch: a daemonless, single-binary container runner.
//!
//! This file is the code map. Imports point down only; two modules of one layer never import
//! each other; `tests/tidy.rs` enforces it.
//!
//! | layer | modules | they know |
//! |---|---|---|
//! | 0 | `common` | values: digest, ids, errors, exit status, units |
//! | 1 | `sys`, `reference`, `oci`, `dockerfile` | sys: the kernel, and the only `unsafe`; the others: pure documents |
//! | 2 | `host`, `settings` | facts of this machine; settings of this user |
//! | 3 | `archive`, `cgroup`, `seccomp`, `logs`, `network`, `cdi` | one mechanism each |
//! | 4 | `store`, `registry`, `spec`, `runtime` | disk, HTTP, OCI spec making, processes |
//! | 5 | `engine` | joins layer 4 into verbs: request struct in, result struct out, no printing |
//! | 6 | `supervisor`, `build`, `doctor` | one use of the engine each |
//! | 7 | `boot` | the start of the machine: joins supervisor and engine |
//! | 8 | `cli` | clap, the terminal, the only printing |

mod common;

mod dockerfile;
mod oci;
mod reference;
mod sys;

mod host;
mod settings;

mod archive;
mod cdi;
mod cgroup;
mod logs;
mod network;
mod seccomp;

mod registry;
mod runtime;
mod spec;
mod store;

mod engine;

mod build;
mod doctor;
mod supervisor;

mod boot;

mod cli;

/// Runs the command line of this process and returns its exit code.
pub fn main() -> u8 {
    sys::process::begin();
    cli::main().code()
}
