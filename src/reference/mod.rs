//! Image references: `domain/path:tag@digest`, normalised to the letter as docker does.
//!
//! A `Reference` is the only way an image name reaches a registry URL or the store, so every
//! part it holds has passed its grammar (distribution/reference: `regexp.go`, `normalize.go`).

#![forbid(unsafe_code)]

mod grammar;

use std::fmt;
use std::str::FromStr;

use crate::common::{Digest, Error, Kind, Result};

/// Domain that short names belong to.
const DEFAULT_DOMAIN: &str = "docker.io";
/// Its old name, still found in scripts.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// Namespace of docker's official images.
const OFFICIAL: &str = "library/";
/// Tag of a reference that names neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
/// Longest repository path, and longest domain, in bytes.
const MAX_NAME: usize = 255;

/// A normalised image reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses and normalises what a user typed: `debian` becomes
    /// `docker.io/library/debian:latest`.
    ///
    /// # Errors
    /// `Usage` when it does not follow docker's grammar.
    pub(crate) fn parse(text: &str) -> Result<Reference> {
        if grammar::is_identifier(text) {
            return Err(refused(
                text,
                "invalid repository name, cannot specify 64-byte hexadecimal strings",
            ));
        }
        let (domain, remainder) = split_domain(text);
        let repository = remainder.split(':').next().unwrap_or_default();
        if repository.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(refused(
                text,
                "invalid reference format: repository name must be lowercase",
            ));
        }
        let (name, digest) = match remainder.split_once('@') {
            Some((name, digest)) => (name, Some(parse_digest(text, digest)?)),
            None => (remainder.as_str(), None),
        };
        let (path, tag) = match name.split_once(':') {
            Some((path, tag)) if grammar::is_tag(tag) => (path, Some(tag.to_owned())),
            Some(_) => return Err(refused(text, "invalid tag format")),
            None => (name, None),
        };
        if path.len() > MAX_NAME || domain.len() > MAX_NAME {
            return Err(refused(
                text,
                "repository name must not be more than 255 characters",
            ));
        }
        if !grammar::is_domain(&domain) || !grammar::is_path(path) {
            return Err(refused(text, "invalid reference format"));
        }
        let tag = match (tag, &digest) {
            (None, None) => Some(DEFAULT_TAG.to_owned()),
            (tag, _) => tag,
        };
        Ok(Reference {
            domain,
            path: path.to_owned(),
            tag,
            digest,
        })
    }

    /// The registry as named by the user: `docker.io`, `host`, `host:port`, `[v6]:port`.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository inside the registry: `library/debian`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The tag, `latest` when the user named neither tag nor digest.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest; where both are present it decides and the tag is only talk.
    pub(crate) fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `domain/path`.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The repository as docker shows it: `debian`, `user/app`, `host:5000/app`.
    pub(crate) fn familiar_repository(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return self.repository();
        }
        match self.path.strip_prefix(OFFICIAL) {
            Some(short) if !short.contains('/') => short.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The whole reference as docker shows it: `debian:bookworm`.
    pub(crate) fn familiar(&self) -> String {
        format!("{}{}", self.familiar_repository(), self.suffix())
    }

    fn suffix(&self) -> String {
        let mut text = String::new();
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
        text
    }
}

/// docker's `splitDockerDomain`: the first component is a domain only when it could not be a
/// namespace of docker.io. Upper case makes it a domain, because namespaces have none.
fn split_domain(text: &str) -> (String, String) {
    let (domain, path) = match text.split_once('/') {
        Some((LEGACY_DOMAIN, path)) => (DEFAULT_DOMAIN, path),
        Some((first, path))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (first, path)
        }
        _ => (DEFAULT_DOMAIN, text),
    };
    if domain == DEFAULT_DOMAIN && !path.contains('/') {
        return (domain.to_owned(), format!("{OFFICIAL}{path}"));
    }
    (domain.to_owned(), path.to_owned())
}

fn parse_digest(text: &str, digest: &str) -> Result<Digest> {
    digest
        .parse::<Digest>()
        .map_err(|error| refused(text, "invalid digest").because(error.with_kind(Kind::Usage)))
}

/// A refusal that shows at most 300 characters of `text`, control characters escaped.
fn refused(text: &str, why: &str) -> Error {
    let mut shown: String = text
        .chars()
        .take(300)
        .flat_map(|c| {
            let plain = (!c.is_control()).then_some(c);
            let escaped = plain.is_none().then(|| c.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect();
    if shown.len() < text.len() && text.chars().count() > 300 {
        shown.push('…');
    }
    Error::usage("parse reference", format!("\"{shown}\""), why)
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Reference> {
        Reference::parse(text)
    }
}

#[cfg(test)]
mod tests;
