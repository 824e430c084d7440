//! sys: see lib.rs.
