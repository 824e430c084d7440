//! sys: see lib.rs.

pub(crate) mod file;
pub(crate) mod tree;
