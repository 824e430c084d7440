//! `exec`.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::args::ProcessArgs;
use crate::cli::command::Execute;
use crate::cli::convert::{self, Surroundings};
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind, Result};
use crate::engine::Engine;
use crate::engine::container::{ExecOutcome, ExecRequest, exec};
use crate::spec::config::Stdio;
use crate::sys::file;

use super::creation::terminal_refusal;
use super::logs::latest;

/// Execute a command in a running container
#[derive(clap::Parser, Debug)]
#[command(override_usage = "ketch exec [OPTIONS] CONTAINER COMMAND [ARG...]")]
pub(crate) struct Exec {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    detach: bool,

    /// Override the key sequence for detaching
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,

    /// Set environment variables: KEY=VALUE, KEY to pass the caller's, PREFIX* to pass many
    #[arg(short, long, value_name = "ENV")]
    env: Vec<String>,

    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    env_file: Vec<PathBuf>,

    /// Keep STDIN open
    #[arg(short, long)]
    interactive: bool,

    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,

    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,

    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,

    /// Working directory inside the container
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,

    /// Pass N additional file descriptors, from 3 on, to the command
    #[arg(long, value_name = "N")]
    preserve_fds: Option<String>,

    /// Read the container ID from the file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    cidfile: Option<PathBuf>,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Container by name or ID, then the command and its arguments
    #[arg(trailing_var_arg = true, value_name = "CONTAINER")]
    words: Vec<String>,
}

impl Execute for Exec {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut request = self.request(session)?;
        if let Some(refusal) = terminal_refusal(request.stdio, session.personality)
            && !request.detach
        {
            session.report(&refusal.into());
            return Ok(ExitStatus::Code(1));
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.latest {
            request.container = latest(&engine)?;
        }
        match exec(&engine, &request) {
            Ok(ExecOutcome::Ended(status)) => Ok(status),
            Ok(ExecOutcome::Detached(id)) => {
                if session.personality == Personality::Podman && request.detach {
                    session.data(&format!("{id}\n"))?;
                }
                Ok(ExitStatus::Code(0))
            }
            // podman: a container in the wrong state.
            Err(error)
                if session.personality == Personality::Podman
                    && error_report::kind(&error) == Some(Kind::Conflict) =>
            {
                session.report(&error);
                Ok(ExitStatus::Code(255))
            }
            // podman tells of a command in the background only that it did not start.
            Err(error) if session.personality == Personality::Podman && request.detach => {
                session.report(&error);
                Ok(session.personality.failure())
            }
            Err(error) => Err(error),
        }
    }
}

impl Exec {
    /// The engine's request; every flag is checked before anything is done.
    fn request(&self, session: &Session) -> anyhow::Result<ExecRequest> {
        let around = Surroundings {
            place: session.place(),
            personality: session.personality,
            caller: &session.environment,
        };
        let mut words = self.words.clone();
        let container = match (&self.cidfile, self.latest) {
            (Some(_), true) => {
                return Err(
                    Error::usage("exec", "", "--cidfile cannot be used with --latest").into(),
                );
            }
            (Some(path), false) => {
                container_of(&session.absolute(path)).context("reading CIDFile")?
            }
            (None, true) => String::new(),
            (None, false) if words.is_empty() => {
                let why = "name a container and a command";
                return Err(Error::usage("exec", "", why).into());
            }
            (None, false) => words.remove(0),
        };
        if words.is_empty() {
            return Err(missing_command(session.personality).into());
        }
        let environment = ProcessArgs {
            env: self.env.clone(),
            env_file: self.env_file.clone(),
            ..ProcessArgs::default()
        };
        Ok(ExecRequest {
            container,
            words,
            user: self.user.clone().filter(|user| !user.is_empty()),
            workdir: match self.workdir.as_deref() {
                None | Some("") => None,
                Some(dir) => Some(parse::path::target("--workdir", dir)?),
            },
            env: convert::environment(&environment, &around)?,
            stdio: Stdio {
                interactive: self.interactive,
                tty: self.tty,
            },
            privileged: self.privileged,
            detach: self.detach,
            preserve: preserved(self.preserve_fds.as_deref())?,
            detach_keys: parse::keys::parse(
                self.detach_keys.as_deref().unwrap_or(parse::keys::DEFAULT),
            )?,
        })
    }
}

fn missing_command(personality: Personality) -> Error {
    match personality {
        Personality::Docker => Error::usage("exec", "", "the command is missing")
            .hint("use ketch exec CONTAINER COMMAND [ARG...]"),
        Personality::Podman => {
            let why = "must provide a non-empty command to start an exec session: invalid argument";
            Error::new(Kind::Usage, why, "")
        }
    }
}

/// The id in a file of `--cidfile`.
fn container_of(path: &std::path::Path) -> Result<String> {
    let bytes = file::read_bounded(path, 4096)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// How many descriptors from 3 on go to the command; each has to be the caller's.
fn preserved(text: Option<&str>) -> Result<u32> {
    let Some(text) = text else { return Ok(0) };
    let count = parse::number::within("--preserve-fds", text, 0..=1024)? as u32;
    for number in 3..3 + count {
        if !crate::sys::descriptor::is_inherited(number as i32) {
            let why = format!("descriptor {number} is not open");
            return Err(parse::bad("--preserve-fds", text, why));
        }
    }
    Ok(count)
}
