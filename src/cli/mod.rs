//! The command line: clap, the terminal, the only printing.
//!
//! words → [`dispatch`] finds the verb → clap splits its words (`args`) → `parse` and `convert`
//! make the engine's requests → `command` calls the engine and hands the result to `output`.
//! Errors go to [`error_report`], which alone prints them.
#![forbid(unsafe_code)]

mod args;
mod command;
mod convert;
mod dispatch;
mod error_report;
mod generate;
mod hello;
mod output;
mod parse;
mod peer_flags;
mod personality;
mod session;
mod template;
mod voice;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches as _};

use crate::common::{self, ExitStatus, Kind};
use crate::engine::image::builtin::HELLO_ARGUMENT;
use crate::supervisor;

use args::GlobalArgs;
use dispatch::{Asked, Verb, leaf};
use personality::Personality;
use session::Session;
use voice::Voice;

/// Runs the command line of this process.
pub(crate) fn main() -> ExitStatus {
    let began = Instant::now();
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = words.first() {
        let more = command::system::generator::words_of(program.as_ref());
        words.splice(1..1, more.iter().map(OsString::from));
    }
    let status = match take_peer_flags(&mut words) {
        Ok(()) => run(&words, began),
        Err(error) => {
            error_report::report(&error, false);
            ExitStatus::Code(1)
        }
    };
    output::finish();
    status
}

/// Takes out of the line what a peer has before the command, and does what it asks for.
fn take_peer_flags(line: &mut Vec<OsString>) -> anyhow::Result<()> {
    let Some((program, words)) = line.split_first() else {
        return Ok(());
    };
    let rest = peer_flags::take(Voice::of(program), words)?;
    line.splice(1.., rest.words);
    match rest.output {
        peer_flags::Output::Kept => Ok(()),
        peer_flags::Output::Dropped => output::send_to(Path::new("/dev/null")),
        peer_flags::Output::File(file) => output::send_to(&file),
    }
}

fn run(line: &[OsString], began: Instant) -> ExitStatus {
    let (program, words) = match line.split_first() {
        Some((program, words)) => (program.as_os_str(), words),
        None => (std::ffi::OsStr::new("ketch"), line),
    };
    let personality = Personality::of(program);
    if words.first().is_some_and(|word| word == HELLO_ARGUMENT) {
        return hello::print().unwrap_or(ExitStatus::Code(1));
    }
    if words
        .first()
        .is_some_and(|word| word == supervisor::ARGUMENT)
    {
        return match supervisor::resume(words) {
            Ok(()) => ExitStatus::Code(0),
            Err(_) => ExitStatus::Code(1),
        };
    }
    let finish = |done: anyhow::Result<ExitStatus>, failure, json| {
        done.unwrap_or_else(|error| {
            error_report::report(&error, json);
            error_report::status(&error, failure)
        })
    };
    match dispatch::locate(command::VERBS, words) {
        Asked::Version => finish(
            command::system::version::short(program),
            personality.failure(),
            false,
        ),
        Asked::Verb(verb, spelling) => {
            let failure = match verb.engine_failure {
                true => ExitStatus::ENGINE,
                false => personality.failure(),
            };
            let matches = match matched(verb, spelling, words) {
                Ok(matches) => matches,
                Err(error) => return refuse(&error, verb, spelling, words, personality),
            };
            let leaf = leaf(&matches);
            let json = wants_json(leaf);
            let begun = begin(&matches, line, began, json);
            let done = begun.and_then(|session| {
                let done = (verb.run)(leaf, &session);
                // The process ends: giving memory back piece by piece is for nobody.
                std::mem::forget(session);
                done
            });
            let status = finish(done, failure, json);
            std::mem::forget(matches);
            status
        }
        Asked::Other => finish(other(words), personality.failure(), false),
    }
}

fn matched(
    verb: &Verb,
    spelling: &'static str,
    words: &[OsString],
) -> Result<ArgMatches, clap::Error> {
    let program = OsString::from("ketch");
    let all = std::iter::once(&program).chain(words);
    dispatch::single(verb, spelling).try_get_matches_from(all)
}

fn begin(
    matches: &ArgMatches,
    line: &[OsString],
    began: Instant,
    json: bool,
) -> anyhow::Result<Session> {
    let global = GlobalArgs::from_arg_matches(matches)?;
    Ok(Session::new(line, began, &global, json))
}

fn wants_json(leaf: &ArgMatches) -> bool {
    let format = leaf.try_get_one::<String>("format").ok().flatten();
    format.is_some_and(|format| format == "json")
}

/// Help that was asked for goes to stdout; every other complaint of clap is a usage error.
fn refuse(
    error: &clap::Error,
    verb: &Verb,
    spelling: &str,
    words: &[OsString],
    personality: Personality,
) -> ExitStatus {
    if error.kind() == ErrorKind::DisplayHelp {
        return print_help(words)
            .unwrap_or_else(|error| error_report::status(&error, personality.failure()));
    }
    let usage = error_report::usage(error, &format!("ketch {spelling}"));
    error_report::report(&usage.into(), false);
    match error.kind() {
        // docker: 1. For `run` that would look like the container's own code.
        ErrorKind::MissingRequiredArgument if !verb.engine_failure => personality.failure(),
        // docker: a bad flag is 125 in every command (cli, `FlagErrorFunc`).
        _ => ExitStatus::ENGINE,
    }
}

/// Help, no words at all, a group alone, or words that name no command.
fn other(words: &[OsString]) -> anyhow::Result<ExitStatus> {
    let first = words.first().and_then(|word| word.to_str());
    let flagged = words.iter().any(|word| word == "--help" || word == "-h");
    if flagged || matches!(first, None | Some("help")) {
        return print_help(words);
    }
    let tree = dispatch::tree(command::VERBS);
    let stranger = dispatch::stranger(&tree, words);
    if stranger.is_empty() {
        return print_help(words);
    }
    let what = match stranger.starts_with('-') {
        true => "unknown flag",
        false => "unknown command",
    };
    Err(unknown(what, stranger).into())
}

fn unknown(what: &str, word: &str) -> common::Error {
    common::Error::new(Kind::Usage, what, format!("{word:?}")).hint("see 'ketch --help'")
}

/// Prints the help of the command the words name, from the definitions as people read them.
fn print_help(words: &[OsString]) -> anyhow::Result<ExitStatus> {
    let mut tree = dispatch::tree(command::VERBS);
    tree.build();
    match dispatch::helped(&tree, words) {
        Some(mut command) => output::data(&command.render_help().to_string())?,
        None => {
            let last = words.last().and_then(|word| word.to_str());
            return Err(unknown("unknown command", last.unwrap_or("")).into());
        }
    }
    Ok(ExitStatus::Code(0))
}
