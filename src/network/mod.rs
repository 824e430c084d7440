//! Networks of containers: what a network is, who is on it and at which address; what connects a
//! network namespace, and what is let through.
//!
//! The types are values: the store keeps them on disk, the engine joins them with what connects.
#![forbid(unsafe_code)]

mod address;
pub(crate) mod bridge;
pub(crate) mod firewall;
mod member;
mod pool;
mod record;
mod routes;
mod subnet;
mod sysctl;

pub(crate) use address::{free_address, hardware_address, parse_hardware_address};
pub(crate) use member::{Address, Attachment, Member};
pub(crate) use pool::{default_subnet, next_subnet, random_subnet6};
pub(crate) use record::{DEFAULT_INTERFACE, Driver, Pool, Record};
pub(crate) use routes::{connected_subnets, host_subnets};
pub(crate) use subnet::Subnet;
