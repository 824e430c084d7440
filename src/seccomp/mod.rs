//! seccomp: see lib.rs.
