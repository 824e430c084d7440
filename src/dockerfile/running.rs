//! `RUN`.

use super::error::ParseError;
use super::flag::{Flags, Form};
use super::heredoc;
use super::instruction;
use super::mount::Mount;
use super::request::Request;
use super::tree::{Command, Run, Script};

/// Folder in which a step sees the script of a here-document.
const PIPES: &str = "/dev/pipes";

/// Reads `RUN`.
///
/// # Errors
/// For a wrong flag or mount.
pub(super) fn read(request: &Request<'_>) -> Result<Run, ParseError> {
    let flags = Flags::check(
        request,
        &[
            ("mount", Form::List),
            ("network", Form::Value),
            ("security", Form::Value),
            ("device", Form::List),
        ],
    )?;
    let (command, script) = command(request)?;
    let network = flags.value("network");
    if let Some(word) = &network
        && !matches!(word.raw.as_str(), "default" | "none" | "host")
    {
        let why = format!("invalid network mode {:?}", word.raw);
        let known = ["default", "none", "host"];
        return Err(ParseError::at(word.span, why).suggest_exact(&word.raw, &known));
    }
    let security = flags.value("security");
    if let Some(word) = &security
        && !matches!(word.raw.as_str(), "sandbox" | "insecure")
    {
        let why = format!("security {:?} is not valid", word.raw);
        let known = ["sandbox", "insecure"];
        return Err(ParseError::at(word.span, why).suggest_exact(&word.raw, &known));
    }
    let mounts = flags.list("mount").into_iter().map(Mount::read);
    Ok(Run {
        command,
        script,
        mounts: mounts.collect::<Result<_, _>>()?,
        network,
        security,
        devices: flags.list("device"),
    })
}

/// The command with its here-documents: one alone is the command itself, or a script of its own
/// when it says `#!`; others are left to the shell, which finds them behind the line.
fn command(request: &Request<'_>) -> Result<(Command, Option<Script>), ParseError> {
    let command = instruction::command(request)?;
    let (Command::Shell(line), [first, ..]) = (&command, request.heredocs.as_slice()) else {
        return Ok((command, None));
    };
    if heredoc::parse(line).ok().flatten().is_none() {
        let mut text = line.clone();
        for heredoc in &request.heredocs {
            text.push('\n');
            text.push_str(&heredoc.raw);
            text.push_str(&heredoc.name);
        }
        return Ok((Command::Shell(text), None));
    }
    let text = first.text();
    if !text.starts_with("#!") {
        return Ok((Command::Shell(text), None));
    }
    if matches!(first.name.as_str(), "." | "..") || first.name.contains('/') {
        return Err(request.wrong(&request.range, "a script's name cannot hold a /"));
    }
    let path = format!("{PIPES}/{}", first.name);
    Ok((Command::Shell(path.clone()), Some(Script { path, text })))
}
