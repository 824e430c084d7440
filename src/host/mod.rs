//! host: see lib.rs.
