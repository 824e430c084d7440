//! cgroup: see lib.rs.
