//! How errors sound under a peer's name. Clients of docker and podman tell what is missing by the
//! words on stderr, so that under those names ketch says what they say.

use std::ffi::OsStr;
use std::path::Path;

use crate::common::{Error, Kind};
use crate::engine::container::Kept;

/// The name ketch was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// ketch, and every name that is no peer's.
    Ketch,
    /// docker: what its engine refuses begins with `Error response from daemon: `.
    Docker,
    /// podman: every error begins with `Error: `.
    Podman,
}

impl Voice {
    /// From `argv[0]`.
    pub(crate) fn of(program: &OsStr) -> Voice {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("docker") => Voice::Docker,
            Some("podman") => Voice::Podman,
            _ => Voice::Ketch,
        }
    }

    /// Of this process.
    pub(crate) fn own() -> Voice {
        Voice::of(&std::env::args_os().next().unwrap_or_default())
    }

    /// The release whose words are spoken. Programs compare a peer's before they use it (podman's
    /// below 3 knows no `--platform`), and what theirs can do counts, not how old ketch is.
    pub(crate) fn release(self) -> &'static str {
        match self {
            Voice::Ketch => env!("CARGO_PKG_VERSION"),
            // The one of API 1.47.
            Voice::Docker => "27.5.1",
            Voice::Podman => "5.4.0",
        }
    }

    /// The line for an error that reads `text`, without its end; `typed` is what is known of it.
    pub(crate) fn line(self, text: &str, typed: Option<&Error>) -> String {
        let kind = typed.map(Error::kind);
        match (self, typed.and_then(|error| self.words(error))) {
            (Voice::Ketch, _) => format!("ketch: {text}"),
            (_, Some(line)) => line,
            (Voice::Podman, None) => format!("Error: {text}"),
            // docker's client refuses a bad command line by itself.
            (Voice::Docker, None) if kind == Some(Kind::Usage) => text.to_owned(),
            (Voice::Docker, None) => format!("Error response from daemon: {text}"),
        }
    }

    /// Whether a peer has words of its own for this error, which its clients compare whole: a hint
    /// of ours has no place below them.
    pub(crate) fn has_words(self, typed: Option<&Error>) -> bool {
        typed.is_some_and(|error| self.words(error).is_some())
    }

    /// The whole line of a peer that has words of its own for this error.
    fn words(self, error: &Error) -> Option<String> {
        if error.kind() == Kind::NotFound {
            return self.missing(error.operation(), error.object());
        }
        if self != Voice::Podman {
            return None;
        }
        let asked = matches!(error.kind(), Kind::Usage | Kind::Conflict).then(|| error.operation());
        let text = match (asked, Kept::of(error)) {
            (_, Some(Kept::Active { id, state })) => format!(
                "cannot remove container {id} as it is {} - running or paused containers cannot \
                 be removed without force: container state improper",
                state.word()
            ),
            (_, Some(Kept::Needed { id, by })) => format!(
                "container {id} has dependent containers which must be removed before it: {}: \
                 container already exists",
                by.join(", ")
            ),
            (Some("start"), _) => error.cause()?.to_string(),
            (Some("remove volume"), _) => {
                let cause = error.cause()?.to_string();
                let users = cause.strip_prefix("volume is in use - [")?;
                format!(
                    "volume {} is being used by the following container(s): {}: volume is being used",
                    error.object(),
                    users.trim_end_matches(']')
                )
            }
            (Some("set up mounts"), _) => {
                let cause = error.cause()?.to_string();
                let target = cause.strip_prefix("Duplicate mount point: ")?;
                format!("{target}: duplicate mount destination")
            }
            (Some("use filter"), _) => {
                let policy = error.object().strip_prefix("restart-policy=")?;
                format!("{policy} invalid restart policy")
            }
            _ => return None,
        };
        Some(format!("Error: {text}"))
    }

    /// What a peer says of an object that is not there; `None` where it has no words of its own.
    fn missing(self, operation: &str, object: &str) -> Option<String> {
        let text = match (self, operation) {
            (Voice::Ketch, _) => return None,
            (Voice::Docker, "find container") => format!("No such container: {object}"),
            (Voice::Docker, "find image") => format!("No such image: {object}"),
            (Voice::Docker, "find volume") => format!("get {object}: no such volume"),
            (Voice::Docker, "find network") => format!("network {object} not found"),
            (Voice::Docker, "inspect") => return Some(format!("Error: No such object: {object}")),
            (Voice::Podman, "find container") => {
                format!("no container with name or ID {object:?} found: no such container")
            }
            (Voice::Podman, "find container to remove") => {
                format!("no container with ID or name {object:?} found: no such container")
            }
            (Voice::Podman, "find image") => format!("{object}: image not known"),
            (Voice::Podman, "find volume") => {
                format!("no volume with name {object:?} found: no such volume")
            }
            (Voice::Podman, "find network") => {
                format!("unable to find network with name or ID {object}: network not found")
            }
            (Voice::Podman, "enter working directory") => {
                format!("workdir {object:?} does not exist on container")
            }
            (Voice::Podman, "inspect") => format!("no such object: {object:?}"),
            _ => return None,
        };
        Some(match self {
            Voice::Docker => format!("Error response from daemon: {text}"),
            _ => format!("Error: {text}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_in_the_words_of_the_name() {
        let lines = |operation| {
            let error = Error::new(Kind::NotFound, operation, "x").because("no such thing");
            let line =
                |name: &str| Voice::of(OsStr::new(name)).line(&error.to_string(), Some(&error));
            [line("/bin/ketch"), line("docker"), line("/usr/bin/podman")]
        };
        assert_eq!(
            lines("find container"),
            [
                "ketch: find container x: no such thing",
                "Error response from daemon: No such container: x",
                "Error: no container with name or ID \"x\" found: no such container",
            ]
        );
        assert_eq!(
            lines("open")[1..],
            [
                "Error response from daemon: open x: no such thing",
                "Error: open x: no such thing",
            ]
        );
    }

    #[test]
    fn a_bad_command_line_is_no_answer_of_an_engine() {
        let error = Error::new(Kind::Usage, "unknown flag: --x", "");
        let line = Voice::Docker.line(&error.to_string(), Some(&error));
        assert_eq!(line, "unknown flag: --x");
    }
}
