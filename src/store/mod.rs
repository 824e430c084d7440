//! store: see lib.rs.
