//! sys: see lib.rs.

pub(crate) mod seccomp;
