//! runtime: see lib.rs.
