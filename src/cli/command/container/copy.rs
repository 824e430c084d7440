//! `cp`.

use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;

use crate::cli::command::Execute;
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Result, human_size};
use crate::engine::Engine;
use crate::engine::container::{CopyRequest, Ownership, Place, Streams, copy};

/// Copy files/folders between a container and the local filesystem, or between containers
///
/// One of the paths, or both, is CONTAINER:PATH. A "-" in place of a local path is a tar archive on
/// standard input or output. SRC/. copies what is in a directory. Files in a container belong
/// to its root, those on the host to you.
#[derive(clap::Parser, Debug)]
pub(crate) struct Copy {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,

    /// Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,

    /// Suppress progress output during copy
    #[arg(short, long)]
    quiet: bool,

    /// Allow to overwrite directories with non-directories and vice versa
    #[arg(long)]
    overwrite: bool,

    /// What to copy
    #[arg(value_name = "[CONTAINER:]SRC_PATH|-", value_hint = clap::ValueHint::AnyPath)]
    source: String,

    /// Where to
    #[arg(value_name = "[CONTAINER:]DEST_PATH|-", value_hint = clap::ValueHint::AnyPath)]
    target: String,
}

impl Execute for Copy {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let from = place(session, &self.source, "source")?;
        let to = place(session, &self.target, "destination")?;
        if to == Place::Stream && stdout().is_terminal() {
            return Err(Error::usage(
                "cp",
                "",
                "refusing to write an archive to a terminal; redirect standard output",
            )
            .into());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let (from, to) = match session.personality {
            Personality::Podman => (from.in_workdir(&engine)?, to.in_workdir(&engine)?),
            Personality::Docker => (from, to),
        };
        let request = CopyRequest {
            from,
            to,
            // podman always does.
            follow: self.follow_link || session.personality == Personality::Podman,
            ownership: match (session.personality, self.archive) {
                (Personality::Podman, _) => Ownership::User,
                (Personality::Docker, true) => Ownership::Source,
                (Personality::Docker, false) => Ownership::Root,
            },
            overwrite: self.overwrite,
            held: false,
        };
        let (mut input, mut output) = (stdin().lock(), stdout().lock());
        let streams = Streams {
            input: &mut input,
            output: &mut output,
        };
        let bytes = copy(&engine, &request, streams)?;
        drop(output);
        let talks = session.personality == Personality::Docker && stdout().is_terminal();
        if talks && !self.quiet && request.to != Place::Stream {
            let size = human_size(bytes);
            error_report::say(&format!("Successfully copied {size} to {}\n", self.target));
        }
        Ok(ExitStatus::Code(0))
    }
}

/// docker's reading: a colon names a container, unless the path begins with `/` or `.`.
fn place(session: &Session, text: &str, what: &str) -> Result<Place> {
    if text.is_empty() {
        return Err(Error::usage("cp", "", format!("{what} can not be empty")));
    }
    if text == "-" {
        return Ok(Place::Stream);
    }
    match text.split_once(':') {
        Some((name, path)) if !text.starts_with(['/', '.']) => {
            if path.is_empty() {
                return Err(Error::usage("cp", "", format!("{what} can not be empty")));
            }
            Ok(Place::Container {
                name: name.to_owned(),
                path: path.into(),
            })
        }
        // Its end keeps a `/` or `/.`; joining keeps the text as it is.
        _ => Ok(Place::Host(session.absolute(Path::new(text)))),
    }
}
