//! Values shared by every layer: digests, identifiers, errors, exit statuses, units.
//!
//! Nothing here touches a file, the kernel or the terminal.

mod carried;
mod csv;
mod digest;
mod error;
mod exit;
mod hex;
mod id;
mod identity;
mod passwd;
mod time;
mod ui;
mod units;

pub(crate) use carried::Carried;
pub(crate) use csv::quoted_field;
pub(crate) use digest::{Digest, Hasher};
pub(crate) use error::{Error, Kind, Result};
pub(crate) use exit::ExitStatus;
pub(crate) use id::{ContainerId, bare_name, check_name};
pub(crate) use identity::Mode;
pub(crate) use passwd::{group_entries, passwd_entries};
pub(crate) use time::{Timestamp, parse_moment, parse_rfc3339};
pub(crate) use ui::{Meter, Silent, Ui, strictly};
pub(crate) use units::{
    binary_size, decimal_size, human_size, parse_decimal_size, parse_duration, parse_size,
};
