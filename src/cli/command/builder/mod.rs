//! `buildx` and `builder`: what docker's tools ask of a builder. There is one, ketch itself, by
//! as many names as tools have made.

pub(super) mod choose;
pub(super) mod create;
pub(super) mod imagetools;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod usage;
pub(super) mod version;

use crate::store::BuilderRecord;

/// Where every builder is reached: docker's name for where one is by itself.
const ENDPOINT: &str = crate::engine::system::builder::DEFAULT;

/// The platforms that can be built for: those asked for, marked as buildx marks them, and the
/// machine's own.
fn platforms(builder: &BuilderRecord) -> String {
    let own = crate::oci::Platform::host().to_string();
    let asked = builder
        .platforms
        .iter()
        .map(|platform| format!("{platform}*"));
    let more = (!builder.platforms.contains(&own)).then_some(own);
    asked.chain(more).collect::<Vec<_>>().join(", ")
}
