//! How a process ended, and the one place where signals become 128 + n.

use serde::{Deserialize, Serialize};

/// The end of a container's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExitStatus {
    /// It called `exit` with this value, 0 to 255.
    Code(u8),
    /// A signal of this number ended it.
    Signal(u8),
}

impl ExitStatus {
    /// docker: the engine itself failed, or a flag was bad.
    pub(crate) const ENGINE: ExitStatus = ExitStatus::Code(125);
    /// docker: the command was found but cannot be executed.
    pub(crate) const NOT_EXECUTABLE: ExitStatus = ExitStatus::Code(126);
    /// docker: the command was not found.
    pub(crate) const NOT_FOUND: ExitStatus = ExitStatus::Code(127);

    /// podman: it was killed because it ran longer than its `--timeout`.
    pub(crate) const OVERDUE: ExitStatus = ExitStatus::Code(255);

    /// How a run ended that may have been killed for being `overdue`.
    pub(crate) fn unless_overdue(self, overdue: bool) -> ExitStatus {
        // It may have come to its own end a moment before.
        match overdue && self == ExitStatus::Signal(libc::SIGKILL as u8) {
            true => ExitStatus::OVERDUE,
            false => self,
        }
    }

    /// The value a shell would show: the code itself, or 128 + signal.
    pub(crate) fn code(self) -> u8 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => 128u8.saturating_add(signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_shown_as_128_plus_its_number() {
        assert_eq!(ExitStatus::Signal(9).code(), 137);
        assert_eq!(ExitStatus::Code(3).code(), 3);
    }
}
