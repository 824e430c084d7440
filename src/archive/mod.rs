//! archive: see lib.rs.
