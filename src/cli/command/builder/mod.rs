//! `buildx` and `builder`: what docker's tools ask of a builder. There is one, ketch itself.

pub(super) mod imagetools;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod usage;
pub(super) mod version;

use crate::cli::parse::bad;
use crate::common::Result;

/// Name of the one builder.
const NAME: &str = "default";

/// Refuses a builder that is not the one there is.
fn check_name(flag: &str, name: Option<&str>) -> Result<()> {
    match name.map(|name| name.trim_end_matches('*')) {
        None | Some("" | NAME) => Ok(()),
        Some(name) => Err(bad(
            flag,
            name,
            "no such builder: ketch itself is the only one, default",
        )),
    }
}

/// The platforms that can be built for: the machine's own.
fn platforms() -> String {
    crate::oci::Platform::host().to_string()
}
