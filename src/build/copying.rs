//! `COPY` and `ADD`: what is copied decides the key, and a child copies it.

use anyhow::Result;

use super::solve::Solver;
use crate::common::{Digest, Error, Kind};
use crate::dockerfile::Instruction;

impl Solver<'_> {
    /// Digest of what the context has at an absolute path.
    pub(super) fn context_digest(&mut self, source: &str) -> Result<Digest> {
        Ok(Digest::of(source.as_bytes()))
    }

    /// `COPY` and `ADD`.
    pub(super) fn copy_instruction(
        &mut self,
        _index: usize,
        instruction: &Instruction,
    ) -> Result<bool> {
        Err(Error::new(Kind::Unsupported, "build", &instruction.source).into())
    }
}
