//! Files whose content no document holds.

use std::fmt;

/// A secret that the payload reads from a file.
#[derive(Clone)]
pub(crate) struct SecretFile {
    /// Name below `/run/secrets`, or an absolute path.
    pub(crate) target: String,
    /// User and group in the container.
    pub(crate) owner: (u32, u32),
    /// Permission bits.
    pub(crate) mode: u32,
    /// Content.
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for SecretFile {
    /// Everything but the content.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SecretFile")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
