//! Secrets that a container is given; their contents are elsewhere.

use serde::{Deserialize, Serialize};

/// One `--secret`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// Name, id or unique id prefix at the time the container was made.
    pub(crate) name: String,
    /// How the container has it.
    pub(crate) kind: SecretKind,
}

/// How a container has a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretKind {
    /// A file on a tmpfs.
    File {
        /// Name below `/run/secrets`, or an absolute path.
        target: String,
        /// User and group in the container.
        owner: (u32, u32),
        /// Permission bits.
        mode: u32,
    },
    /// An environment variable of this name.
    Variable(String),
}
