//! A compiled filter as the kernel takes it.

use crate::common::{Error, Kind, Result};

/// One instruction, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Operation.
    pub(crate) code: u16,
    /// Instructions to skip when a test holds.
    pub(crate) jt: u8,
    /// Instructions to skip when it does not.
    pub(crate) jf: u8,
    /// Operand.
    pub(crate) k: u32,
}

/// Bytes of one instruction.
pub(crate) const INSTRUCTION: usize = 8;
/// The kernel takes at most this many instructions (`BPF_MAXINSNS`).
pub(crate) const MAX_INSTRUCTIONS: usize = 4096;

/// A filter: instructions in the machine's byte order, ready for `sys::seccomp::load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    bytes: Vec<u8>,
}

impl Program {
    /// Packs instructions.
    pub(super) fn new(instructions: &[Instruction]) -> Program {
        let mut bytes = Vec::with_capacity(instructions.len() * INSTRUCTION);
        for one in instructions {
            bytes.extend(one.code.to_ne_bytes());
            bytes.extend([one.jt, one.jf]);
            bytes.extend(one.k.to_ne_bytes());
        }
        Program { bytes }
    }

    /// Takes a program packed by `to_bytes`; a length the kernel would refuse is `Corrupt`.
    /// Whether the instructions are sound is the kernel's to check.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Program> {
        let count = bytes.len() / INSTRUCTION;
        if !bytes.len().is_multiple_of(INSTRUCTION) || count == 0 || count > MAX_INSTRUCTIONS {
            return Err(Error::new(Kind::Corrupt, "read seccomp filter", "")
                .because(format!("{} bytes", bytes.len())));
        }
        Ok(Program { bytes })
    }

    /// The packed instructions.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A copy of the packed instructions.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Number of instructions.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / INSTRUCTION
    }

    /// The instructions, unpacked.
    #[cfg(test)]
    pub(crate) fn instructions(&self) -> impl Iterator<Item = Instruction> {
        self.bytes.chunks_exact(INSTRUCTION).map(|raw| Instruction {
            code: u16::from_ne_bytes([raw[0], raw[1]]),
            jt: raw[2],
            jf: raw[3],
            k: u32::from_ne_bytes([raw[4], raw[5], raw[6], raw[7]]),
        })
    }
}
