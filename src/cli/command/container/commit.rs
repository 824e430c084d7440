//! `commit`.

use std::path::PathBuf;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{CommitRequest, commit};
use crate::engine::image::assemble::Dialect;
use crate::sys::file;

/// Create a new image from a container's changes
#[derive(clap::Parser, Debug)]
pub(crate) struct Commit {
    /// Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
    #[arg(short, long)]
    author: Option<String>,

    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,

    /// Commit message
    #[arg(short, long)]
    message: Option<String>,

    /// Pause container during commit
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pause: Option<bool>,

    /// Do not pause the container during commit
    #[arg(long)]
    no_pause: bool,

    /// Suppress output
    #[arg(short, long)]
    quiet: bool,

    /// Make one layer of all the container's files
    #[arg(short, long)]
    squash: bool,

    /// Write the image ID to the file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    iidfile: Option<PathBuf>,

    /// Format of the image manifest and metadata
    #[arg(short, long, value_name = "FORMAT", value_parser = ["oci", "docker"])]
    format: Option<String>,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,

    /// Name of the new image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
}

impl Execute for Commit {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.pause == Some(true) && self.no_pause {
            return Err(Error::usage(
                "commit",
                "",
                "conflicting options: --no-pause and --pause cannot be used together",
            )
            .into());
        }
        let podman = session.personality == Personality::Podman;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        engine.apply_blob_policy()?;
        let request = CommitRequest {
            container: self.container,
            name: self.name,
            author: self.author,
            message: self.message,
            changes: self.change,
            pause: match (self.no_pause, self.pause) {
                (true, _) => Some(false),
                (false, None) if podman => Some(false),
                (false, asked) => asked,
            },
            squash: self.squash,
            dialect: match self.format.as_deref() {
                Some("docker") => Dialect::Docker,
                _ => Dialect::Oci,
            },
        };
        let id = commit(&engine, &request)?;
        if let Some(path) = &self.iidfile {
            file::write_atomic(&session.absolute(path), id.to_string().as_bytes())?;
        }
        let line = match podman {
            true => id.hex(),
            false => id.to_string(),
        };
        session.data(&format!("{line}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}
