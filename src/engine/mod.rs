//! engine: see lib.rs.

pub(crate) mod image;
pub(crate) mod system;
