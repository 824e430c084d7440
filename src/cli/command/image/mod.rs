//! Commands on images.

pub(super) mod build;
pub(super) mod diff;
pub(super) mod exists;
pub(super) mod history;
pub(super) mod import;
pub(crate) mod inspect;
pub(super) mod list;
pub(super) mod load;
pub(super) mod prune;
pub(super) mod pull;
pub(super) mod push;
pub(super) mod remove;
pub(super) mod save;
pub(super) mod tag;
pub(super) mod untag;

use crate::cli::personality::Personality;
use crate::reference::Reference;

/// An image's name as its user wrote it, in the personality's form: podman shows whole names. An
/// id, a directory and what ketch carries itself stay as they are.
pub(super) fn whole(personality: Personality, image: &str) -> String {
    let is_id = image.len() >= 12 && image.bytes().all(|byte| byte.is_ascii_hexdigit());
    let own = image.starts_with(['/', '.']) || image.starts_with("builtin:");
    match (personality, Reference::parse(image)) {
        (Personality::Podman, Ok(name)) if !is_id && !own => name.to_string(),
        _ => image.to_owned(),
    }
}

/// A canonical name as the personality shows it: docker's short form, podman's whole one.
pub(super) fn shown(personality: Personality, canonical: &str) -> String {
    match (personality, Reference::parse(canonical)) {
        (Personality::Docker, Ok(name)) => name.familiar(),
        _ => canonical.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podman_shows_whole_names() {
        for (image, want) in [
            ("debian", "docker.io/library/debian:latest"),
            ("builtin:hello", "builtin:hello"),
            ("/srv/root", "/srv/root"),
            ("0123456789ab", "0123456789ab"),
        ] {
            assert_eq!(whole(Personality::Podman, image), want);
            assert_eq!(whole(Personality::Docker, image), image);
        }
    }
}
