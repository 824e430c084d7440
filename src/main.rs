//! The `ketch` executable; everything it does is in the library.
//!
//! With glibc, whose start-up code hands the arguments to the standard library itself, `main` is
//! the C one: Rust's own would read /proc/self/maps and set up a stack for overflow handlers,
//! sixteen system calls of every start. What of it matters `ketch::main` does.
#![cfg_attr(all(not(test), target_env = "gnu"), no_main)]

/// Entry point by the name that the C library calls.
#[cfg(all(not(test), target_env = "gnu"))]
#[unsafe(no_mangle)]
extern "C" fn main() -> std::ffi::c_int {
    ketch::main().into()
}

#[cfg(not(all(not(test), target_env = "gnu")))]
fn main() -> std::process::ExitCode {
    ketch::main().into()
}
