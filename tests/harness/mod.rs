//! What the integration tests stand on: a private home and store, the program under watch, images
//! made from bytes, a registry in this process and a terminal.
//!
//! Nothing here waits for a time to pass and nothing here needs the network.

#[macro_use]
pub(crate) mod require;
pub(crate) mod env;
pub(crate) mod image;
pub(crate) mod layer;
pub(crate) mod process;
pub(crate) mod registry;
pub(crate) mod terminal;

pub(crate) use env::{Env, Identity};
pub(crate) use image::Image;
pub(crate) use layer::Layer;
pub(crate) use registry::Registry;

/// Looks again and again until the kernel shows what no descriptor tells: the length of a file,
/// the end of a process that is not a child. Fails at the limit of a program.
#[track_caller]
pub(crate) fn eventually(what: &str, done: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + process::LIMIT;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "not yet: {what}");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Declares cases that run once in each identity mode this process can take.
macro_rules! cases {
    ($($(#[$meta:meta])* fn $name:ident($env:ident) $body:block)*) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn case($env: &$crate::harness::Env) $body
            #[test]
            fn root() { $crate::harness::Env::with($crate::harness::Identity::Root, case) }
            #[test]
            fn subid() { $crate::harness::Env::with($crate::harness::Identity::Subid, case) }
            #[test]
            fn single() { $crate::harness::Env::with($crate::harness::Identity::Single, case) }
        }
    )* };
}
