//! A container that could not be started, with docker's exit code for it.

use std::fmt;

use crate::common::{Error, ExitStatus, Kind};
use crate::runtime::StartFailure;

/// Why a container did not start.
#[derive(Debug)]
pub(crate) struct RunFailure {
    /// 125, 126 or 127.
    pub(crate) status: ExitStatus,
    /// What failed.
    pub(crate) error: Error,
}

impl RunFailure {
    /// docker's classification: a command that is not there is 127, one that cannot be
    /// executed or started in its directory is 126, anything else is the engine's 125.
    pub(super) fn of(failure: StartFailure) -> RunFailure {
        let status = match (failure.step.as_str(), failure.error.kind()) {
            ("exec", Kind::NotFound) => ExitStatus::NOT_FOUND,
            ("exec" | "working directory", _) => ExitStatus::NOT_EXECUTABLE,
            _ => ExitStatus::ENGINE,
        };
        RunFailure { status, error: failure.error }
    }
}

impl fmt::Display for RunFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for RunFailure {}
