//! Networks of containers: what a network is, who is on it and at which address.
//!
//! The types here are values: the store keeps them on disk, the engine joins them with what
//! connects a namespace.
#![forbid(unsafe_code)]

mod address;
mod member;
mod pool;
mod record;
mod routes;
mod subnet;

pub(crate) use address::{free_address, hardware_address, parse_hardware_address};
pub(crate) use member::{Address, Attachment, Member};
pub(crate) use pool::{default_subnet, next_subnet, random_subnet6};
pub(crate) use record::{DEFAULT_INTERFACE, Driver, Pool, Record};
pub(crate) use routes::host_subnets;
pub(crate) use subnet::Subnet;
