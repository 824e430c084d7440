//! registry: see lib.rs.
