//! A place to fetch from: which scheme its registry speaks and how far it is trusted.

use super::url::{Origin, Url};
use crate::settings::Source;

/// One repository on one registry, after the registry was reached.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// Scheme, host and port of the API.
    pub(super) origin: Origin,
    /// Repository path.
    pub(super) path: String,
    /// Name the user and the login files know the registry by.
    pub(super) domain: String,
    /// False takes any certificate of this host.
    pub(super) verify: bool,
    /// True allows plain http here and leaves the rules on downgrades out.
    pub(super) insecure: bool,
    /// True where `--creds` must not go: they were given for the registry, not for a mirror.
    pub(super) mirror: bool,
}

/// An origin worth trying, best first.
pub(super) struct Candidate {
    pub(super) origin: Origin,
    pub(super) verify: bool,
    pub(super) insecure: bool,
}

impl Endpoint {
    /// URL of something below the repository: `manifests/latest`, `blobs/sha256:…`.
    pub(super) fn url(&self, below: &str) -> Url {
        Url {
            origin: self.origin.clone(),
            target: format!("/v2/{}/{below}", self.path),
        }
    }

    /// `domain/path`, as messages name it.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }
}

/// The origins of a source. Only an insecure registry, or one on this machine's loopback as in
/// docker, may be reached without verification or over plain http; https is tried first.
pub(super) fn candidates(source: &Source, tls_verify: Option<bool>) -> Option<Vec<Candidate>> {
    let host = match source.domain.as_str() {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    };
    let https = Origin::parse(true, host)?;
    let insecure = match tls_verify {
        Some(verify) => !verify,
        None => source.insecure || https.is_loopback(),
    };
    let mut found = vec![Candidate {
        origin: https,
        verify: !insecure,
        insecure,
    }];
    if insecure {
        found.push(Candidate {
            origin: Origin::parse(false, host)?,
            verify: false,
            insecure,
        });
    }
    Some(found)
}
