//! doctor: see lib.rs.
