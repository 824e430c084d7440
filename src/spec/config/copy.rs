//! Files that a container gets before it starts and gives back at its end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `--copy-in`, `--copy-out` and `--copy-out-on`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Copies {
    /// From the host into the container's own layer, in order, when it is created.
    pub(crate) into: Vec<Copy>,
    /// From the container to the host, in order, when it has ended and is not started again.
    pub(crate) out: Vec<Copy>,
    /// After which runs.
    pub(crate) out_on: CopyOutOn,
}

/// One copy; a host path is absolute, and an end `/` or `/.` means what it means to `cp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// What.
    pub(crate) from: PathBuf,
    /// Where to.
    pub(crate) to: PathBuf,
}

/// After which runs results come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CopyOutOn {
    /// After each that had begun, whatever its exit code.
    #[default]
    Always,
    /// After those that ended with code 0.
    Success,
}
