//! `pull`: from a registry into the store.

use std::path::PathBuf;

use crate::common::Digest;
use crate::oci::Platform;

/// How a registry is talked to, from flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryOptions {
    /// `--tls-verify`; `None` leaves it to the configuration.
    pub(crate) tls_verify: Option<bool>,
    /// `--authfile`.
    pub(crate) authfile: Option<PathBuf>,
    /// `--creds USER[:PASSWORD]`, as given.
    pub(crate) creds: Option<String>,
}

/// What to pull.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullRequest {
    /// The name as the user wrote it.
    pub(crate) image: String,
    /// `--platform`; the host's when `None`.
    pub(crate) platform: Option<Platform>,
    /// Registry options.
    pub(crate) registry: RegistryOptions,
}

/// What was pulled.
#[derive(Debug, Clone)]
pub(crate) struct Pulled {
    /// Canonical name (`docker.io/library/debian:bookworm`).
    pub(crate) name: String,
    /// Digest of the manifest, or of the index it came from: what `RepoDigests` shows.
    pub(crate) digest: Digest,
    /// Image id: digest of the configuration.
    pub(crate) id: Digest,
    /// False when everything was already here.
    pub(crate) changed: bool,
}
