//! The identity ladder of the design: which ids a container's processes can have.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How container ids map to host ids; also names the folder of unpacked layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Real root: no map, true owners on disk.
    Root,
    /// `newuidmap` and a subordinate range: 0 is the caller, 1… the range.
    Subid,
    /// One id: 0 (or the caller's own number) is the caller; every file is the caller's.
    Single,
}

impl Mode {
    /// The word used in paths, texts and JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Mode::Root => "root",
            Mode::Subid => "subid",
            Mode::Single => "single",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
