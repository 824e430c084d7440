//! sys: see lib.rs.

pub(crate) mod probe;
