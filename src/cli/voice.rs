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
        let text = match Kept::of(error) {
            Some(Kept::Active { id, state }) => format!(
                "cannot remove container {id} as it is {} - running or paused containers cannot \
                 be removed without force: container state improper",
                state.word()
            ),
            Some(Kept::Needed { id, by }) => format!(
                "container {id} has dependent containers which must be removed before it: {}: \
                 container already exists",
                by.join(", ")
            ),
            None => refused(error)?,
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
            (Voice::Podman, "copy from" | "copy to") => not_copied(object),
            (Voice::Podman, "inspect") => format!("no such object: {object:?}"),
            _ => return None,
        };
        Some(match self {
            Voice::Docker => format!("Error response from daemon: {text}"),
            _ => format!("Error: {text}"),
        })
    }
}

/// podman's words for what was asked wrongly or is in the way.
fn refused(error: &Error) -> Option<String> {
    if !matches!(error.kind(), Kind::Usage | Kind::Conflict) {
        return None;
    }
    let (object, cause) = (error.object(), error.cause().map(ToString::to_string));
    let cause = cause.unwrap_or_default();
    Some(match error.operation() {
        "start" => error.cause()?.to_string(),
        "remove volume" => {
            let users = cause.strip_prefix("volume is in use - [")?;
            let users = users.trim_end_matches(']');
            format!(
                "volume {object} is being used by the following container(s): {users}: volume is \
                 being used"
            )
        }
        "publish port" => {
            let rest = cause.strip_prefix("port is already allocated")?;
            format!("publish port {object}: address already in use{rest}")
        }
        "set up mounts" => {
            let target = cause.strip_prefix("Duplicate mount point: ")?;
            format!("{target}: duplicate mount destination")
        }
        "parse signal" => {
            let signal = object.trim_matches('"');
            match signal.parse::<u64>() {
                Ok(65..) => "valid signals are 1 through 64".to_owned(),
                _ => format!("invalid signal: {signal}"),
            }
        }
        "use filter" => {
            let policy = object.strip_prefix("restart-policy=")?;
            format!("{policy} invalid restart policy")
        }
        "copy to" if cause == "no such directory" => not_copied(&format!("{object}/")),
        "copy to" if cause == "cannot copy directory" => {
            "destination must be a directory when copying a directory".to_owned()
        }
        "copy to"
            if cause.starts_with("destination ") && cause.ends_with("must be a directory") =>
        {
            "destination must be a directory when copying from stdin".to_owned()
        }
        _ => return None,
    })
}

/// podman's words for a place that `cp` does not find: of a container when one is named before it.
fn not_copied(place: &str) -> String {
    match place.split_once(':') {
        Some((container, path)) if !place.starts_with('/') => {
            format!(
                "{path:?} could not be found on container {container}: no such file or directory"
            )
        }
        _ => format!("{place:?} could not be found on the host: no such file or directory"),
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
