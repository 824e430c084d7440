//! Networks of containers: what a network is, who is on it and at which address.
//!
//! The types here are values: the store keeps them on disk, the engine joins them with what
//! connects a namespace.
//!
//! | files | what they do |
//! |---|---|
//! | `connect` | joins a member's namespace to its network, whatever the driver |
//! | `beside` | the same where nobody has the rights over both |
//! | `bridge`, `parent` | the drivers: a bridge and pairs; interfaces on one of the host's |
//! | `firewall` | what is let through |
//! | `space` | work in somebody else's namespaces |
//! | `shared` | the namespace for bridges of who is not root |
#![forbid(unsafe_code)]

mod address;
pub(crate) mod attendant;
mod beside;
pub(crate) mod bridge;
mod connect;
pub(crate) mod dns;
mod firewall;
pub(crate) mod forward;
mod member;
mod parent;
mod pool;
mod record;
mod routes;
pub(crate) mod shared;
pub(crate) mod space;
mod subnet;
mod sysctl;
pub(crate) mod user;

pub(crate) use address::{free_address, hardware_address, parse_hardware_address};
pub(crate) use beside::connect_beside;
pub(crate) use connect::{Connected, Ground, connect, disconnect};
pub(crate) use firewall::{Find, Protocol, Published};
pub(crate) use member::{Address, Attachment, Member};
pub(crate) use pool::{default_subnet, next_subnet, random_subnet6, some_subnet};
pub(crate) use record::{DEFAULT_INTERFACE, Driver, Pool, Record};
pub(crate) use routes::{connected_subnets, host_subnets};
pub(crate) use subnet::Subnet;
