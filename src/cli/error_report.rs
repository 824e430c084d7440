//! The one printer of errors, and the one place where a failure becomes an exit code.
//!
//! ```text
//! ketch: <what failed on which object>: <cause>
//! hint: <what to do>
//! ```
//! Under a peer's name the first line is in the peer's words ([`Voice`]).

use std::io::{self, Write};

use anyhow::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::voice::Voice;
use crate::common::{self, ExitStatus, Kind};
use crate::engine::container::{Kept, RunFailure};

/// Prints `error` on stderr: as text, or as one JSON object when the command's output was asked
/// for as JSON. A broken pipe is not an error of ours and says nothing.
pub(crate) fn report(error: &Error, json: bool) {
    if is_broken_pipe(error) {
        return;
    }
    let typed = typed(error);
    let hint = typed.and_then(common::Error::advice);
    let mut text = if json {
        let document = serde_json::json!({
            "error": {
                "code": typed.map_or("error", |error| error.kind().code()),
                "message": message(error),
                "hint": hint,
            }
        });
        format!("{document}\n")
    } else {
        let voice = Voice::own();
        let mut text = voice.line(&message(error), typed);
        text.push('\n');
        let hint = hint.filter(|_| !voice.has_words(typed));
        for line in hint.into_iter().flat_map(str::lines) {
            text.push_str(&format!("hint: {line}\n"));
        }
        text
    };
    if !json && typed.is_some_and(|error| error.kind() == Kind::Bug) {
        text.push_str("hint: this is a bug in ketch, please report it\n");
    }
    say(&text);
}

/// Writes to stderr; a closed stderr is nobody's problem.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// The exit status of a command that failed with `error`; `failure` is the command's own.
pub(crate) fn status(error: &Error, failure: ExitStatus) -> ExitStatus {
    if is_broken_pipe(error) {
        return ExitStatus::Signal(libc::SIGPIPE as u8);
    }
    let run = error
        .chain()
        .find_map(|link| link.downcast_ref::<RunFailure>());
    let status = run.map_or(failure, |run| run.status);
    // podman gives its networks only when a container starts, which then fails as a command does.
    let network = typed(error).is_some_and(|error| error.operation() == "publish port");
    match Voice::own() == Voice::Podman && network && status == ExitStatus::ENGINE {
        true => ExitStatus::NOT_EXECUTABLE,
        false => status,
    }
}

/// The typed error in the chain.
fn typed(error: &Error) -> Option<&common::Error> {
    error.chain().find_map(|link| {
        let failed = link
            .downcast_ref::<RunFailure>()
            .map(|failure| &failure.error);
        failed.or_else(|| link.downcast_ref())
    })
}

/// The class of a failure, when it is known.
pub(crate) fn kind(error: &Error) -> Option<Kind> {
    typed(error).map(common::Error::kind)
}

/// Whether a container was not removed because others depend on it.
pub(crate) fn is_needed(error: &Error) -> bool {
    matches!(typed(error).and_then(Kept::of), Some(Kept::Needed { .. }))
}

/// The chain in one line; control characters of foreign texts cannot reach the terminal.
fn message(error: &Error) -> String {
    let mut text = String::new();
    for link in error.chain() {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&link.to_string());
    }
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn is_broken_pipe(error: &Error) -> bool {
    error.chain().any(|link| {
        link.downcast_ref::<io::Error>()
            .is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Turns clap's complaint into docker's words: the message and what to read next.
pub(crate) fn usage(error: &clap::Error, command: &str) -> common::Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(list)) => Some(list.join(", ")),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg);
    let message = match (error.kind(), argument) {
        (ErrorKind::UnknownArgument, Some(flag)) if flag.starts_with("--") => {
            format!("unknown flag: {}", flag.split('=').next().unwrap_or(&flag))
        }
        (ErrorKind::UnknownArgument, Some(flag)) if flag.starts_with('-') => {
            format!("unknown shorthand flag: {flag}")
        }
        (ErrorKind::UnknownArgument, Some(word)) => format!("unexpected argument: {word}"),
        (ErrorKind::InvalidValue, Some(flag))
            if context(ContextKind::InvalidValue).is_some_and(|value| value.is_empty()) =>
        {
            let flag = flag.split([' ', '=']).next().unwrap_or(&flag);
            format!("flag needs an argument: {flag}")
        }
        (ErrorKind::MissingRequiredArgument, Some(what)) => format!("missing argument: {what}"),
        (ErrorKind::InvalidUtf8, _) => "an argument is not UTF-8".to_owned(),
        _ => first_line(error),
    };
    let mut hint = format!("see '{command} --help'");
    if let Some(near) = context(ContextKind::SuggestedArg) {
        hint = format!("did you mean {near}? {hint}");
    }
    common::Error::new(Kind::Usage, message, "").hint(hint)
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("bad arguments");
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_chain_is_one_line_and_foreign_controls_are_removed() {
        let inner = common::Error::new(Kind::NotFound, "find image", "x\u{1b}[31m\n");
        let error = Err::<(), _>(inner).context("pull").unwrap_err();
        assert_eq!(message(&error), "pull: find image x\u{fffd}[31m ");
        assert_eq!(kind(&error), Some(Kind::NotFound));
    }

    #[test]
    fn a_broken_pipe_ends_as_sigpipe_does() {
        let pipe = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(status(&pipe, ExitStatus::ENGINE).code(), 141);
        let other = Error::from(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(status(&other, ExitStatus::ENGINE).code(), 125);
    }
}
