//! network: see lib.rs.
