//! Whose habits ketch follows where docker and podman differ.

use std::ffi::OsStr;
use std::path::Path;

use crate::common::ExitStatus;

/// Chosen by the name ketch is called by; output shapes and exit codes follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Personality {
    /// docker, also under ketch's own name.
    Docker,
    /// podman.
    Podman,
}

impl Personality {
    /// From `argv[0]`: the file name `podman` means podman, every other one docker.
    pub(crate) fn of(program: &OsStr) -> Personality {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("podman") => Personality::Podman,
            _ => Personality::Docker,
        }
    }

    /// Exit status of a command that failed and has no code of its own.
    pub(crate) fn failure(self) -> ExitStatus {
        match self {
            Personality::Docker => ExitStatus::Code(1),
            Personality::Podman => ExitStatus::ENGINE,
        }
    }

    /// Exit status of `rm` and `rmi` of an object in use.
    pub(crate) fn in_use(self) -> ExitStatus {
        match self {
            Personality::Docker => ExitStatus::Code(1),
            Personality::Podman => ExitStatus::Code(2),
        }
    }

    /// Exit status of `rm` and `rmi` of an object that is not there.
    pub(crate) fn missing(self) -> ExitStatus {
        ExitStatus::Code(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        for (name, want) in [
            ("ketch", Personality::Docker),
            ("docker", Personality::Docker),
            ("/usr/bin/podman", Personality::Podman),
            ("", Personality::Docker),
        ] {
            assert_eq!(Personality::of(OsStr::new(name)), want);
        }
    }
}
