//! Commands on images.

pub(super) mod diff;
pub(super) mod history;
pub(super) mod import;
pub(crate) mod inspect;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod pull;
pub(super) mod remove;
pub(super) mod tag;

use crate::cli::personality::Personality;
use crate::reference::Reference;

/// A canonical name as the personality shows it: docker's short form, podman's whole one.
pub(super) fn shown(personality: Personality, canonical: &str) -> String {
    match (personality, Reference::parse(canonical)) {
        (Personality::Docker, Ok(name)) => name.familiar(),
        _ => canonical.to_owned(),
    }
}
