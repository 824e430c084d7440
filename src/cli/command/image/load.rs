//! `load`.

use std::fs::File;
use std::io::{IsTerminal, stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::sweep;
use crate::engine::image::layout::Files;
use crate::engine::image::load::{self, Loaded};
use crate::oci::Platform;

/// Load images from an archive or STDIN
#[derive(clap::Parser, Debug)]
pub(crate) struct Load {
    /// Read from this archive or directory, instead of STDIN
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    input: Option<PathBuf>,

    /// Load only this platform of an image for several, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,

    /// Suppress progress output
    #[arg(short, long)]
    quiet: bool,
}

impl Execute for Load {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let platform = match &self.platform {
            Some(text) => session.platform(Some(text))?,
            None => None,
        };
        let input = self.input.as_deref().filter(|path| *path != Path::new("-"));
        if input.is_none() && stdin().is_terminal() {
            let why = match session.personality {
                Personality::Docker => "requested load from stdin, but stdin is empty",
                Personality::Podman => {
                    "cannot read from terminal, use command-line redirection or the --input flag"
                }
            };
            return Err(Error::usage("load", "", why).into());
        }
        let loaded = self.load(session, input, platform.as_ref());
        if loaded.is_err() {
            collect(session, &Progress::new(true, false));
        }
        let shown = input.map_or("standard input".into(), Path::to_string_lossy);
        let loaded = loaded.with_context(|| format!("load {shown}"))?;
        session.data(&lines(session.personality, &loaded))?;
        Ok(ExitStatus::Code(0))
    }
}

impl Load {
    fn load(
        &self,
        session: &Session,
        input: Option<&Path>,
        platform: Option<&Platform>,
    ) -> anyhow::Result<Vec<Loaded>> {
        let progress = Progress::new(self.quiet, false);
        let engine = Engine::open(&session.environment, &progress)?;
        let files = match input.map(|path| session.absolute(path)) {
            None => {
                let input = stdin().as_fd().try_clone_to_owned()?;
                Files::archive(&engine.store, File::from(input))?
            }
            Some(path) if path.is_dir() => Files::Folder(path),
            Some(path) => {
                let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
                Files::archive(&engine.store, file)?
            }
        };
        load::load(&engine, files, platform)
    }
}

/// Removes what a failed load brought in; it is a later collection's where this one fails.
fn collect(session: &Session, progress: &Progress) {
    if let Ok(engine) = Engine::open(&session.environment, progress) {
        let _ = engine.store.collect();
        sweep(&engine);
    }
}

/// The peer's lines.
fn lines(personality: Personality, loaded: &[Loaded]) -> String {
    let line = |image: &Loaded| {
        let name = image.name.as_deref();
        let name = name.map(|name| super::shown(personality, name));
        match (personality, name, &image.replaced) {
            (Personality::Docker, Some(name), Some(old)) => format!(
                "The image {name} already exists, renaming the old one with ID {old} to empty string\n\
                 Loaded image: {name}\n"
            ),
            (_, Some(name), _) => format!("Loaded image: {name}\n"),
            (Personality::Docker, None, _) => format!("Loaded image ID: {}\n", image.id),
            (Personality::Podman, None, _) => format!("Loaded image: {}\n", image.id),
        }
    };
    loaded.iter().map(line).collect()
}
