//! reference: see lib.rs.
