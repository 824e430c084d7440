//! settings: see lib.rs.
