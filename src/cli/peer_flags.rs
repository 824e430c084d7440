//! What docker and podman take before the command. Under their names ketch takes it too: most of
//! it chooses between parts that ketch does not have, so that nothing is left to do; a flag that
//! would lead to another machine is refused.

use std::ffi::OsString;
use std::path::PathBuf;

use super::args::GLOBAL_FLAGS;
use super::voice::Voice;
use crate::common::{Error, Kind, Result};

/// What becomes of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It chooses nothing here.
    Nothing,
    /// As [`Use::Nothing`], and takes a value.
    Value,
    /// It takes the name of a level of messages.
    Level,
    /// It leads to another engine, and takes a value.
    Elsewhere,
    /// stdout is thrown away.
    NoOutput,
    /// stdout goes into a file.
    Output,
}

/// Flags of docker(1) 28.
const DOCKER: [(&[&str], Use); 9] = [
    (&["--context", "-c"], Use::Elsewhere),
    (&["--debug", "-D"], Use::Nothing),
    (&["--host", "-H"], Use::Elsewhere),
    (&["--log-level", "-l"], Use::Level),
    (&["--tls"], Use::Nothing),
    (&["--tlscacert"], Use::Value),
    (&["--tlscert"], Use::Value),
    (&["--tlskey"], Use::Value),
    (&["--tlsverify"], Use::Nothing),
];

/// Flags of podman(1) 5.
const PODMAN: [(&[&str], Use); 24] = [
    (&["--cgroup-manager"], Use::Value),
    (&["--conmon"], Use::Value),
    (&["--connection", "-c"], Use::Elsewhere),
    (&["--events-backend"], Use::Value),
    (&["--hooks-dir"], Use::Value),
    (&["--identity"], Use::Value),
    (&["--imagestore"], Use::Value),
    (&["--log-level"], Use::Level),
    (&["--module"], Use::Value),
    (&["--network-cmd-path"], Use::Value),
    (&["--network-config-dir"], Use::Value),
    (&["--noout"], Use::NoOutput),
    (&["--out"], Use::Output),
    (&["--runroot"], Use::Value),
    (&["--runtime"], Use::Value),
    (&["--runtime-flag"], Use::Value),
    (&["--ssh"], Use::Value),
    (&["--storage-driver"], Use::Value),
    (&["--storage-opt"], Use::Value),
    (&["--syslog"], Use::Nothing),
    (&["--tmpdir"], Use::Value),
    (&["--transient-store"], Use::Nothing),
    (&["--url"], Use::Elsewhere),
    (&["--volumepath"], Use::Value),
];

const LEVELS: [&str; 8] = [
    "trace", "debug", "info", "warn", "warning", "error", "fatal", "panic",
];

/// Where stdout goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    /// Where it went.
    #[default]
    Kept,
    /// Nowhere.
    Dropped,
    /// Into this file.
    File(PathBuf),
}

/// What is left of a command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// The words without the flags that were taken.
    pub(crate) words: Vec<OsString>,
    /// Where stdout goes.
    pub(crate) output: Output,
}

/// Takes the flags of the peer whose name ketch was called by.
///
/// # Errors
/// `Usage` for a value that is missing or unknown; `Unsupported` for an engine elsewhere.
pub(crate) fn take(voice: Voice, words: &[OsString]) -> Result<Rest> {
    let known: &[(&[&str], Use)] = match voice {
        Voice::Ketch => &[],
        Voice::Docker => &DOCKER,
        Voice::Podman => &PODMAN,
    };
    let mut rest = Rest::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        let (name, mut value) = match text.split_once('=') {
            Some((name, value)) if name.starts_with('-') => (name, Some(value.to_owned())),
            _ => (text, None),
        };
        let Some((_, does)) = known.iter().find(|(names, _)| names.contains(&name)) else {
            rest.words.push(word.clone());
            match text {
                // ketch's own, which take the next word.
                own if GLOBAL_FLAGS.contains(&own) => rest.words.extend(words.next().cloned()),
                _ if !text.starts_with('-') => {
                    rest.words.extend(words.cloned());
                    return Ok(rest);
                }
                _ => {}
            }
            continue;
        };
        if value.is_none() && !matches!(does, Use::Nothing | Use::NoOutput) {
            let next = words.next().and_then(|next| next.to_str());
            value = Some(next.map(str::to_owned).ok_or_else(|| needs_value(name))?);
        }
        apply(name, *does, value.unwrap_or_default(), &mut rest)?;
    }
    Ok(rest)
}

fn apply(name: &str, does: Use, value: String, rest: &mut Rest) -> Result<()> {
    match does {
        Use::Nothing | Use::Value => {}
        Use::NoOutput => rest.output = Output::Dropped,
        Use::Output => rest.output = Output::File(value.into()),
        Use::Level if LEVELS.contains(&value.as_str()) => {}
        Use::Level => {
            let known = LEVELS.join(", ");
            let why = format!("Log Level {value:?} is not supported, choose from: {known}");
            return Err(Error::new(Kind::Usage, "parse", name).because(why));
        }
        Use::Elsewhere if is_here(&value) => {}
        Use::Elsewhere => {
            return Err(Error::new(Kind::Unsupported, "reach engine", value)
                .because(format!(
                    "{name} leads to another engine, and ketch has none"
                ))
                .hint("leave it out: everything runs here"));
        }
    }
    Ok(())
}

/// Says whether a context or an address is the one that stands for this machine.
fn is_here(place: &str) -> bool {
    place.is_empty() || place == "default" || place.starts_with("unix://")
}

fn needs_value(name: &str) -> Error {
    Error::new(Kind::Usage, "parse", name).because(format!("flag needs an argument: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(voice: Voice, line: &str) -> Result<(String, Output)> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let rest = take(voice, &words)?;
        let words: Vec<String> = rest
            .words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        Ok((words.join(" "), rest.output))
    }

    #[test]
    fn flags_before_the_command_are_taken_and_no_others() {
        for (voice, line, want) in [
            (Voice::Docker, "--context default ps -a", "ps -a"),
            (
                Voice::Docker,
                "-D -H unix:///run/x run --debug x",
                "run --debug x",
            ),
            (Voice::Docker, "--config /c -l=debug ps", "--config /c ps"),
            (Voice::Docker, "--nonsense ps", "--nonsense ps"),
            (
                Voice::Podman,
                "--runtime=crun --log-level info run -c 5 x",
                "run -c 5 x",
            ),
            (
                Voice::Podman,
                "--root /r --runroot /q info",
                "--root /r info",
            ),
            (Voice::Podman, "-D ps", "-D ps"),
            (Voice::Ketch, "--debug ps", "--debug ps"),
        ] {
            assert_eq!(taken(voice, line).unwrap(), (want.to_owned(), Output::Kept));
        }
    }

    #[test]
    fn output_can_be_sent_away() {
        let (words, output) = taken(Voice::Podman, "--out /f ps --noout").unwrap();
        assert_eq!(
            (words.as_str(), output),
            ("ps --noout", Output::File("/f".into()))
        );
        let (_, output) = taken(Voice::Podman, "--noout ps").unwrap();
        assert_eq!(output, Output::Dropped);
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        for (voice, line, says) in [
            (
                Voice::Docker,
                "-H tcp://1.2.3.4:2375 ps",
                "leads to another engine",
            ),
            (Voice::Docker, "--context far ps", "leads to another engine"),
            (
                Voice::Podman,
                "--log-level telepathic info",
                "choose from: trace",
            ),
            (Voice::Podman, "--runtime", "flag needs an argument"),
        ] {
            let error = taken(voice, line).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
