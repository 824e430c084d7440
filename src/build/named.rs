//! `--build-context`: what names in a Dockerfile stand for beside stages and images.

use std::fmt;
use std::path::PathBuf;

use super::context::remote::Place;
use crate::engine::image::layout::Entry;
use crate::reference::Reference;

/// A name and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The name as [`normal`] has it.
    pub(crate) name: String,
    /// What it stands for.
    pub(crate) place: NamedPlace,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedPlace {
    /// A directory of this machine.
    Directory(PathBuf),
    /// Files of another machine.
    Remote(Place),
    /// An image.
    Image(ImageAt),
}

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ImageAt {
    /// In the store or a registry, by its name as written.
    Name(String),
    /// In a directory in OCI's image layout.
    Layout(Entry),
}

impl fmt::Display for ImageAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageAt::Name(name) => f.write_str(name),
            ImageAt::Layout(entry) => write!(f, "oci-layout://{entry}"),
        }
    }
}

/// What `name`, as a Dockerfile has it, stands for; the last of that name counts.
pub(super) fn find<'a>(contexts: &'a [Named], name: &str) -> Option<&'a Named> {
    if contexts.is_empty() {
        return None;
    }
    let name = normal(name);
    contexts.iter().rev().find(|named| named.name == name)
}

/// One spelling for all names of an image, as BuildKit has it: `alpine`, `alpine:latest` and
/// `docker.io/library/alpine` are the same. What names no image is in lower case.
pub(crate) fn normal(name: &str) -> String {
    let lower = name.to_lowercase();
    match Reference::parse(&lower) {
        Ok(reference) if reference.digest().is_none() => {
            let familiar = reference.familiar();
            let short = familiar.strip_suffix(":latest").map(str::to_owned);
            short.unwrap_or(familiar)
        }
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_every_spelling() {
        for name in ["Alpine", "alpine:latest", "docker.io/library/alpine"] {
            assert_eq!(normal(name), "alpine");
        }
        assert_eq!(normal("alpine:3"), "alpine:3");
        assert_eq!(normal("_Odd"), "_odd");
    }
}
