//! Instructions that change nothing but the image's configuration, with BuildKit's words for the
//! history.

use anyhow::Result;
use serde_json::json;

use super::state::{State, value_of};
use crate::common::Error;
use crate::dockerfile::{self, Command, Healthcheck, Instruction, Kind, Word};
use crate::oci;

/// Applies an instruction; false for one that works on files.
///
/// # Errors
/// `ExpandError` for a word that cannot be expanded; `Usage` for a bad port or signal.
pub(super) fn apply(
    state: &mut State,
    instruction: &Instruction,
    cmd_set: &mut bool,
) -> Result<bool> {
    match &instruction.kind {
        Kind::Env(pairs) => env(state, pairs)?,
        Kind::Label(pairs) => label(state, pairs)?,
        Kind::Expose(words) => expose(state, words)?,
        Kind::User(word) => {
            let user = state.expand(word)?;
            state.note(format!("USER {user}"), false);
            state.image.config.user = user;
        }
        Kind::Volume(words) => volume(state, words)?,
        Kind::Cmd(command) => {
            let words = words(state, command);
            state.note(format!("CMD {}", quoted(&words)), false);
            state.image.config.cmd = Some(words);
            *cmd_set = true;
        }
        Kind::Entrypoint(command) => {
            let words = words(state, command);
            state.note(format!("ENTRYPOINT {}", quoted(&words)), false);
            state.image.config.entrypoint = Some(words);
            // docker: an entrypoint of one's own makes the inherited command meaningless.
            if !*cmd_set {
                state.image.config.cmd = None;
            }
        }
        Kind::Healthcheck(check) => health(state, check.as_ref()),
        Kind::Stopsignal(word) => {
            let signal = state.expand(word)?;
            crate::sys::signal::parse(&signal)?;
            state.note(format!("STOPSIGNAL {signal}"), false);
            state.image.config.stop_signal = Some(signal);
        }
        Kind::Shell(shell) => {
            state.note(format!("SHELL [{}]", shell.join(" ")), false);
            state.image.config.shell = Some(shell.clone());
        }
        Kind::Onbuild(text) => {
            state.note(format!("ONBUILD {text}"), false);
            state.image.config.on_build.push(text.clone());
        }
        Kind::Maintainer(name) => {
            state.note(format!("MAINTAINER {name}"), false);
            state.image.author = Some(name.clone());
        }
        Kind::Run(_) | Kind::Copy(_) | Kind::Add(_) | Kind::Workdir(_) | Kind::Arg(_) => {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A command as words for exec.
pub(super) fn words(state: &State, command: &Command) -> Vec<String> {
    match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(line) => [state.shell(), vec![line.clone()]].concat(),
    }
}

fn env(state: &mut State, pairs: &[(Word, Word)]) -> Result<()> {
    let mut text = "ENV".to_owned();
    for (name, value) in state.expand_pairs(pairs)? {
        if name.is_empty() {
            return Err(Error::usage("set ENV", "", "a name is missing").into());
        }
        let entry = format!("{name}={value}");
        text.push_str(&format!(" {entry}"));
        let mut entries = state.image.config.env.iter_mut();
        match entries.find(|old| value_of(old, &name).is_some()) {
            Some(old) => *old = entry,
            None => state.image.config.env.push(entry),
        }
    }
    state.note(text, false);
    Ok(())
}

fn label(state: &mut State, pairs: &[(Word, Word)]) -> Result<()> {
    let mut text = "LABEL".to_owned();
    for (name, value) in state.expand_pairs(pairs)? {
        text.push_str(&format!(" {name}={value}"));
        state.image.config.labels.insert(name, value);
    }
    state.note(text, false);
    Ok(())
}

fn expose(state: &mut State, words: &[Word]) -> Result<()> {
    let mut ports = Vec::new();
    for word in words {
        for text in state.expand_words(word)? {
            let found = dockerfile::ports(&text);
            ports.extend(found.map_err(|why| Error::usage("expose port", &text, why))?);
        }
    }
    ports.sort();
    ports.dedup();
    let listed: Vec<String> = ports.iter().map(|port| format!("{port}:{{}}")).collect();
    state.note(format!("EXPOSE map[{}]", listed.join(" ")), false);
    let ports = ports.into_iter().map(|port| (port, json!({})));
    state.image.config.exposed_ports.extend(ports);
    Ok(())
}

fn volume(state: &mut State, words: &[Word]) -> Result<()> {
    let mut paths = Vec::new();
    for word in words {
        let path = state.expand(word)?;
        if path.is_empty() {
            return Err(Error::usage("declare VOLUME", "", "an empty path").into());
        }
        paths.push(path);
    }
    state.note(format!("VOLUME [{}]", paths.join(" ")), false);
    let paths = paths.into_iter().map(|path| (path, json!({})));
    state.image.config.volumes.extend(paths);
    Ok(())
}

fn health(state: &mut State, check: Option<&Healthcheck>) {
    let mut made = oci::Healthcheck {
        test: vec!["NONE".to_owned()],
        ..oci::Healthcheck::default()
    };
    if let Some(check) = check {
        made.test = match &check.command {
            Command::Exec(words) => [vec!["CMD".to_owned()], words.clone()].concat(),
            Command::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        };
        let time = |time: Option<std::time::Duration>| {
            i64::try_from(time.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
        };
        made.interval = time(check.interval);
        made.timeout = time(check.timeout);
        made.start_period = time(check.start_period);
        made.start_interval = time(check.start_interval);
        made.retries = check.retries.unwrap_or_default().into();
    }
    state.note(format!("HEALTHCHECK &{{{}}}", quoted(&made.test)), false);
    state.image.config.healthcheck = Some(made);
}

/// Go's `%q` of a list of words.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_in_go() {
        let words = ["a b", "\"c\""].map(str::to_owned);
        assert_eq!(quoted(&words), r#"["a b" "\"c\""]"#);
    }
}
