//! Cargo's build script: has the linker put the functions of a start beside each other.
//!
//! `start.ld` is an addition to the linker's own script, which GNU ld and lld take alike. Only a
//! release is linked with it: other builds are not to wait for it, and other programs of this
//! package have other functions.

// Cargo listens there.
#![allow(clippy::print_stdout)]

use std::env;

fn main() {
    let script = ".cargo/start.ld";
    println!("cargo::rerun-if-changed={script}");
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rustc-link-arg-bins=-T{package}/{script}");
    }
}
