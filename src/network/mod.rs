//! Networks of containers: what connects a network namespace, and what is let through.
#![forbid(unsafe_code)]

pub(crate) mod bridge;
pub(crate) mod firewall;
mod sysctl;
